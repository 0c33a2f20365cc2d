"""A folder that appears complete or not at all: filled beside its place, then moved there."""

from __future__ import annotations

import shutil
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PREFIX = ".adding-"
# A day: longer than any download or conversion that may still be filling its folder.
_FORGOTTEN_S = 24 * 3600


@contextmanager
def folder_beside(target: Path) -> Iterator[Path]:
    """Yield an empty folder on the disk of ``target``; what is not moved there by the end is deleted."""
    if target.exists():
        raise UserError(
            f"“{target.name}” already exists.",
            remedy="Choose another name for the backbone.",
            code="backbone_name_taken",
        )
    # In the parent of the target: moving it there is atomic on one file system only.
    around = target.parent / f"{_PREFIX}{uuid.uuid4().hex[:12]}"
    try:
        folder = around / target.name
        folder.mkdir(parents=True)
        _clear_forgotten(target.parent)
        yield folder
    except PermissionError as error:
        raise UserError(
            f"The folder for “{target.name}” is not writable.",
            remedy="Check the permissions of the data folder.",
            code="not_writable",
        ) from error
    finally:
        shutil.rmtree(around, ignore_errors=True)


def _clear_forgotten(parent: Path) -> None:
    """Delete what a process that was ended in the middle left behind."""
    for left in parent.glob(f"{_PREFIX}*"):
        if time.time() - left.stat().st_mtime > _FORGOTTEN_S:
            shutil.rmtree(left, ignore_errors=True)
