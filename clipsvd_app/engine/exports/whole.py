"""Files and folders that appear complete or not at all."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "sigma_adapter.json"


@contextmanager
def new_folder(target: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield a folder to write into that becomes ``target`` when the block ends without an error.

    With ``overwrite`` an earlier export is replaced, but never a folder that holds anything else.
    """
    require_free(target, overwrite=overwrite)
    with _beside(target) as room:
        draft = room / "draft"
        draft.mkdir()
        yield draft
        for file in draft.iterdir():
            # Readable by others, however the file was made: an export is to be shared.
            file.chmod(0o644)
        if target.exists():
            # Moved aside, not deleted: if the next rename fails, nothing was lost but its name.
            target.rename(room / "replaced")
        draft.rename(target)


@contextmanager
def new_file(target: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield a file to write that becomes ``target`` when the block ends without an error."""
    require_free(target, overwrite=overwrite)
    with _beside(target) as room:
        draft = room / target.name
        yield draft
        # Temporary files are readable by their owner only; an exported file is to be shared.
        draft.chmod(0o644)
        draft.replace(target)


def require_free(target: Path, *, overwrite: bool) -> None:
    """Refuse a place that is taken, and one that may not be replaced."""
    if not target.exists() and not target.is_symlink():
        return
    if not overwrite:
        raise UserError(
            f"“{target.name}” already exists.",
            remedy="Choose another name, or add --overwrite.",
            code="exists_already",
        )
    if target.is_dir() and any(target.iterdir()) and not (target / MARK).is_file():
        raise UserError(
            f"“{target.name}” is a folder that is not an exported adapter.",
            remedy="Choose another name. Only exported adapters are replaced.",
            code="not_an_export",
        )


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Yield a hidden folder on the same disk, where renaming is atomic; it is always deleted afterwards."""
    try:
        room = Path(tempfile.mkdtemp(dir=target.parent, prefix=".", suffix=".part"))
    except OSError as error:
        raise UserError(
            f"“{target.name}” could not be written: {error.strerror or 'the system refused'}.",
            remedy="Choose an existing folder with free space and write permission.",
            code="unwritable_file",
        ) from error
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)
