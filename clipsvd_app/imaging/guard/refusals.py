"""One sentence and one remedy for each way in which a file cannot be read. File names only, never paths."""

from __future__ import annotations

import errno
import struct
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READ = "DICOM, PNG, JPEG, JPEG 2000, TIFF, BMP, GIF, WebP, PGM, PPM, NIfTI, NRRD or MetaImage"
# A frame of this size takes 256 MB as float32; the second bound is for all frames of a file, decoded.
MAX_FRAME_PIXELS = 64 * 1024 * 1024
MAX_TOTAL_BYTES = 2 * 1024**3
# Hashing this much takes about a minute from a disk; sparse files can claim terabytes.
MAX_FILE_BYTES = 16 * 1024**3

# Errors of the disk; readers raise OSError for damaged contents too.
_DISK_FAILS = frozenset(
    {errno.EIO, errno.ENXIO, errno.ESTALE, errno.EBUSY, errno.ETIMEDOUT, errno.ENAMETOOLONG, errno.ELOOP}
)

# The exceptions of pydicom, Pillow and NumPy on damaged bytes; found by reading mutated files.
DAMAGE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    NotImplementedError,
    AssertionError,
    SyntaxError,
    EOFError,
    OSError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)


def missing(path: Path) -> UserError:
    """Return the refusal of a file that is not there."""
    return UserError(
        f"{path.name} does not exist.",
        remedy="Check the name, or reconnect its drive.",
        code="missing",
    )


def broken_link(path: Path) -> UserError:
    """Return the refusal of a link to a file that is not there."""
    return UserError(
        f"{path.name} is a broken link.",
        remedy="Add the file itself, or reconnect its drive.",
        code="missing",
    )


def folder(path: Path) -> UserError:
    """Return the refusal of a folder in a file's place."""
    return UserError(
        f"{path.name} is a folder, not an image.", remedy="Choose a file in it.", code="is_folder"
    )


def no_permission(path: Path) -> UserError:
    """Return the refusal of a file that may not be read."""
    return UserError(
        f"You do not have permission to read {path.name}.",
        remedy="Ask its owner for permission, or copy it to your own folder.",
        code="no_permission",
    )


def unreadable(path: Path) -> UserError:
    """Return the refusal of a file that the disk does not give."""
    return UserError(
        f"{path.name} could not be read from the disk.",
        remedy="Copy it again from its source.",
        code="unreadable",
    )


def empty(path: Path) -> UserError:
    """Return the refusal of a file of no bytes."""
    return UserError(f"{path.name} is empty.", remedy="Copy it again from its source.", code="empty_file")


def not_an_image(path: Path, what: str = "not a supported image file") -> UserError:
    """Return the refusal of a file that is something else."""
    return UserError(
        f"{path.name} is {what}.",
        remedy=f"Use {READ} files.",
        code="not_an_image",
    )


def archive(path: Path, *, encrypted: bool) -> UserError:
    """Return the refusal of a ZIP archive given as an image, or that could not be unpacked."""
    if encrypted:
        return UserError(
            f"{path.name} is an encrypted ZIP archive.",
            remedy="Unpack it with its password.",
            code="zip_encrypted",
        )
    return UserError(
        f"{path.name} is a ZIP archive, not an image.",
        remedy="Add the archive to import its images.",
        code="not_an_image",
    )


def damaged(path: Path) -> UserError:
    """Return the refusal of a truncated or corrupt file."""
    return UserError(
        f"{path.name} is damaged or incomplete.",
        remedy="Export or copy it again from its source.",
        code="damaged",
    )


def unsupported(path: Path, what: str, remedy: str) -> UserError:
    """Return the refusal of a sound file of a variety that is not read. what: "uses old-style JPEG"."""
    return UserError(f"{path.name} {what}, which is not supported.", remedy=remedy, code="unsupported")


def no_data_file(path: Path, name: str) -> UserError:
    """Return the refusal of a header whose data lie in another file that is not there."""
    return UserError(
        f"{path.name} needs {name}, which is not in the same folder.",
        remedy="Copy both files into one folder.",
        code="missing_data_file",
    )


def undecodable(path: Path) -> UserError:
    """Return the refusal of pixel data that no decoder survives."""
    return UserError(
        f"The pixels of {path.name} cannot be decoded.",
        remedy="Export it again, uncompressed if possible.",
        code="undecodable",
    )


def too_large(path: Path) -> UserError:
    """Return the refusal of an image over the limits."""
    return UserError(
        f"{path.name} exceeds 64 megapixels per frame or 2 GB in total.",
        remedy="Crop it, or export it at a smaller size.",
        code="too_large",
    )


def too_large_file(path: Path) -> UserError:
    """Return the refusal of a file that would take minutes only to be hashed."""
    return UserError(
        f"{path.name} is larger than 16 GB.",
        remedy="Export the images that you need as separate files.",
        code="file_too_large",
    )


def name_not_text(path: Path) -> UserError:
    """Return the refusal of a path with bytes that are no Unicode: no project or table could hold it."""
    return UserError(
        f"{path.name} has a name or folder name that is not valid Unicode.",
        remedy="Rename it and add it again.",
        code="name_not_text",
    )


def no_such_frame(path: Path, frame: int, frames: int) -> UserError:
    """Return the refusal of a frame number outside the file; frames count from 0."""
    return UserError(
        f"{path.name} has {counted(frames, 'frame')}; there is no frame {frame}.",
        remedy=f"Choose a frame from 0 to {frames - 1}.",
        code="no_such_frame",
    )


def refuse_too_large(path: Path, rows: int, columns: int, frames: int, bytes_per_pixel: int) -> None:
    """Refuse more than 64 Mpx a frame, or more than 2 GiB of decoded pixels."""
    pixels = rows * columns
    if pixels > MAX_FRAME_PIXELS or pixels * frames * bytes_per_pixel > MAX_TOTAL_BYTES:
        raise too_large(path)


def check_frame(path: Path, frame: int, frames: int) -> None:
    """Refuse a frame number outside the file."""
    if not 0 <= frame < frames:
        raise no_such_frame(path, frame, frames)


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Turn what readers raise on missing and damaged files into the sentence that names the file."""
    try:
        yield
    except FileNotFoundError as error:
        raise missing(path) from error
    except IsADirectoryError as error:
        raise folder(path) from error
    except PermissionError as error:
        raise no_permission(path) from error
    except OSError as error:
        raise (unreadable if error.errno in _DISK_FAILS else damaged)(path) from error
    except DAMAGE as error:
        raise damaged(path) from error


REPLACED = "image_replaced"


def replaced(path: Path) -> UserError:
    """Return the refusal of a file that replaced an image of the project."""
    return UserError(
        f"{path.name} was replaced by a different file with the same name.",
        remedy="Locate the original file (File > Find moved images, or clipsvd relink), or add and"
        " label the new one.",
        code=REPLACED,
    )
