"""The two kinds of error a user can meet: something to fix, or a wish to stop."""

from __future__ import annotations

import contextlib
import errno
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Control characters, line breaks, marks that turn the reading direction, and halves of characters, as file
# names may hold them: a sentence stays one line, and can be written as UTF-8.
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_REASONS = {
    errno.ENOSPC: ("the disk is full", "Free some space and try again.", "disk_full"),
    errno.EDQUOT: ("your disk quota is used up", "Free some space and try again.", "disk_full"),
    errno.EFBIG: ("the file is too large for the file system", "Choose another drive.", "disk_full"),
    errno.EACCES: ("you do not have permission", "Check the permissions of its folder.", "not_permitted"),
    errno.EPERM: ("you do not have permission", "Check the permissions of its folder.", "not_permitted"),
    errno.EROFS: ("the drive is read-only", "Choose a folder with write permission.", "read_only_drive"),
    errno.ENAMETOOLONG: ("its name is too long", "Choose a shorter name.", "name_too_long"),
    errno.EINVAL: ("the drive does not allow this name", "Choose a simpler name.", "bad_name"),
    errno.ENOENT: ("it or its folder does not exist", "Check that the drive is connected.", "not_there"),
    errno.ENOTDIR: ("part of its path is a file, not a folder", "Check the path.", "not_there"),
    errno.EISDIR: ("it is a folder", "Choose a file.", "is_a_folder"),
    errno.ELOOP: ("its links form a loop", "Choose the file itself.", "not_there"),
    errno.EMFILE: ("too many files are open", "Close other programs and try again.", "too_many_files"),
    errno.ENFILE: ("too many files are open", "Close other programs and try again.", "too_many_files"),
    errno.EBUSY: ("another program is using it", "Close that program and try again.", "file_busy"),
}
_GONE = ("the drive does not respond", "Check that it is connected, then try again.", "drive_gone")


class UserError(Exception):
    """Something the user can fix, in one sentence, with what to do about it."""

    def __init__(self, message: str, *, remedy: str, code: str = "user_error") -> None:
        message = _HIDDEN.sub("\ufffd", message)
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.code = code

    def __str__(self) -> str:
        """Return message and remedy as one line, as the command line prints it."""
        return f"{self.message} {self.remedy}".strip()

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the keyword arguments when the error crosses a process boundary."""
        return _restore_user_error, (self.message, self.remedy, self.code)


def reason_of(error: OSError) -> str:
    """Return why the system refused, as the end of a sentence."""
    return _REASONS.get(error.errno or 0, _GONE)[0]


def file_error(path: Path, error: OSError) -> UserError:
    """Return the sentence for what the system says of a file or folder: that reason and no other."""
    reason, remedy, code = _REASONS.get(error.errno or 0, _GONE)
    return UserError(f"“{path.name}” cannot be read or written: {reason}.", remedy=remedy, code=code)


@contextlib.contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turn what the system says while a file or folder is used into its sentence."""
    try:
        yield
    except OSError as error:
        raise file_error(path, error) from error


@contextlib.contextmanager
def own_folder_errors(folder: Path) -> Iterator[None]:
    """Turn what the system says of a folder of the program into a sentence with its place and the remedy."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"The program folder {folder} is not writable: {reason_of(error)}.",
            remedy="Free some space, or set CLIPSVD_HOME to a writable folder.",
            code="own_folder",
        ) from error


class Cancelled(Exception):  # noqa: N818 - stopping on request is not an error
    """The user asked for the work to stop."""


def _restore_user_error(message: str, remedy: str, code: str) -> UserError:
    return UserError(message, remedy=remedy, code=code)
