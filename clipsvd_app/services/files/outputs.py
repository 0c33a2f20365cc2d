"""Output files: checked before the work that fills them, and written whole or not at all."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from clipsvd_app import files
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path


def require_file(target: Path, *, overwrite: bool) -> None:
    """Refuse a target that exists, is a folder, lies in no folder, or cannot be written to.

    A caller that has let the user confirm the replacement passes ``overwrite``.
    """
    if target.is_dir():
        raise UserError(f"“{target.name}” is a folder.", remedy="Enter a file name.", code="not_writable")
    if _is_stream(target):
        return
    if (target.exists() or target.is_symlink()) and not overwrite:
        raise _taken(target)
    require_place(target)
    try:
        if target.exists():
            target.open("r+b").close()  # fails while a spreadsheet on Windows has it open
    except OSError as error:
        raise _unwritable(target) from error


def require_folder(target: Path, *, overwrite: bool) -> None:
    """Refuse a place that cannot take a new folder; the writer decides what may be replaced."""
    if (target.exists() or target.is_symlink()) and not overwrite:
        raise _taken(target)
    require_place(target)


def require_place(target: Path) -> None:
    """Refuse a file or folder whose own folder is not there or is not writable."""
    folder = target.absolute().parent
    if not folder.is_dir():
        raise UserError(
            f"“{target.name}” cannot be written: there is no folder “{folder.name or folder}”.",
            remedy="Create the folder, or choose another one.",
            code="not_writable",
        )
    try:
        # os.access is wrong on network shares and under Windows' access lists; writing a file is certain.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unwritable(target) from error


def write_whole(target: Path, data: bytes) -> None:
    """Write a file in one step; an existing one stays as it was if that fails, as on a full disk."""
    try:
        if _is_stream(target):
            target.write_bytes(data)
        else:
            # Through a link its target is replaced: replacing the link would leave the linked file as it was.
            files.write_whole(target.resolve() if target.is_symlink() else target.absolute(), data)
    except OSError as error:
        raise _unwritable(target) from error


def _is_stream(target: Path) -> bool:
    """Whether a path is a pipe or a device, such as /dev/stdout, which cannot be replaced by a new file."""
    return target.exists() and not target.is_file() and not target.is_dir()


def _taken(target: Path) -> UserError:
    return UserError(
        f"“{target.name}” already exists.",
        remedy="Choose another name, or add --overwrite.",
        code="exists_already",
    )


def _unwritable(target: Path) -> UserError:
    return UserError(
        f"“{target.name}” cannot be written.",
        remedy="Choose a folder with free space and write permission, or close the program that has"
        " the file open.",
        code="not_writable",
    )
