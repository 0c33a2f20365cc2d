"""The user's own packs of phrases: checked, stored in the data folder, and removed again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clipsvd_app.corpus import PackReport, check_pack, user_folder
from clipsvd_app.errors import UserError
from clipsvd_app.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

_NOT_IN_A_NAME = re.compile(r"[^\w.-]+")


def add_pack(path: Path) -> PackReport:
    """Check a CSV pack and store a copy; explanations then use its phrases too.

    A pack of the same name is replaced. A faulty one is refused with its first fault.
    """
    report = check_pack(path)
    if not report.is_usable:
        raise UserError(
            report.faults[0],
            remedy="Fix this line and add the pack again. clipsvd corpus check lists all errors.",
            code="corpus",
        )
    try:
        user_folder().mkdir(parents=True, exist_ok=True)
        write_whole(user_folder() / _file_name(path), path.read_bytes())
    except OSError as error:
        raise UserError(
            "The pack could not be stored in the data folder.",
            remedy="Check free space and permissions of the folder.",
            code="not_writable",
        ) from error
    return report


def list_packs() -> tuple[PackReport, ...]:
    """Return the user's packs as they are now; a stored file may have been edited since it was checked."""
    return tuple(check_pack(path) for path in sorted(user_folder().glob("*.csv")))


def remove_pack(name: str) -> None:
    """Delete one of the user's packs."""
    found = {path.stem: path for path in user_folder().glob("*.csv")}
    if name not in found:
        known = ", ".join(sorted(found)) or "there is none"
        raise UserError(f"There is no pack “{name}”.", remedy=f"Your packs: {known}.", code="unknown_pack")
    found[name].unlink(missing_ok=True)


def name_kept(path: Path) -> str:
    """Return the name under which a pack is stored."""
    return _file_name(path).removesuffix(".csv")


def _file_name(path: Path) -> str:
    return f"{_NOT_IN_A_NAME.sub('-', path.stem).strip('.-') or 'pack'}.csv"
