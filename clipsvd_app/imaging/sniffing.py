"""What kind of image a file is, by its content and never by its extension."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from clipsvd_app.imaging import refusals

if TYPE_CHECKING:
    from pathlib import Path

HEAD_BYTES = 1024

_PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"BM", "BMP"),
)
_OTHERS = (
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a WebP picture or a film"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "a project or database file"),
    (b"\x00\x00\x00\x0cjP  ", "a bare JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a bare JPEG 2000 picture"),
)
_ZIP = b"PK\x03\x04"
_EXPLICIT_VRS = frozenset(
    b"AE AS AT CS DA DS DT FL FD IS LO LT OB OW PN SH SL SQ SS ST TM UI UL UN US UT".split()
)


def sniff(path: Path) -> str:
    """Return "DICOM", "PNG", "JPEG", "TIFF", "BMP" or "volume".

    Refuses folders, missing, forbidden and empty files, and every other kind of content.
    """
    head = read_head(path)
    if not head:
        raise refusals.empty(path)
    kind = kind_of(head)
    if kind is None and head.startswith(_ZIP):
        raise refusals.archive(path, encrypted=_is_encrypted(head))
    if kind is None:
        raise refusals.not_an_image(path, _what_else(head))
    return kind


def _is_encrypted(zip_head: bytes) -> bool:
    """Read bit 0 of the flags at byte 6 (APPNOTE 4.4.4); a file cut off before them says nothing."""
    return bool(zip_head[6:7] and zip_head[6] & 1)


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file; refuses folders, missing and forbidden files."""
    try:
        if path.is_dir():
            raise refusals.folder(path)
        if not path.is_file() and path.exists():  # a pipe or device may never answer
            raise refusals.not_an_image(path, "a device or pipe, not a file")
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except FileNotFoundError as error:
        raise refusals.missing(path) from error
    except PermissionError as error:
        raise refusals.no_permission(path) from error
    except (OSError, ValueError) as error:
        raise refusals.unreadable(path) from error


def kind_of(head: bytes) -> str | None:
    """Return the kind of image that starts with these bytes, or None."""
    if head[128:132] == b"DICM":
        return "DICOM"
    for magic, kind in _PICTURES:
        if head.startswith(magic):
            return kind
    if volume_format(head):
        return "volume"
    return "DICOM" if _starts_with_a_data_element(head) else None


def volume_format(head: bytes) -> str:
    """Return "NIfTI" (also gzipped), "NRRD" or "MetaImage" if the bytes start such a file, else ""."""
    if head.startswith(b"\x1f\x8b"):
        head = _inflated(head)
    nifti1 = head[344:348] in (b"n+1\x00", b"ni1\x00")
    nifti2 = head[4:8] in (b"n+2\x00", b"ni2\x00")
    if nifti1 or nifti2:
        return "NIfTI"
    if head.startswith(b"NRRD000"):
        return "NRRD"
    return "MetaImage" if _is_meta_image(head) else ""


def _is_meta_image(head: bytes) -> bool:
    text = head.lstrip()
    return text.startswith((b"ObjectType", b"NDims", b"Comment")) and b"NDims" in text and b"=" in text


def _inflated(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""


def _starts_with_a_data_element(head: bytes) -> bool:
    """Recognise DICOM without preamble: group 0002 or 0008 in either byte order, and a believable element."""
    if len(head) < 16:
        return False
    little, big = int.from_bytes(head[:2], "little"), int.from_bytes(head[:2], "big")
    if little in (0x0002, 0x0008):
        explicit = head[4:6] in _EXPLICIT_VRS
        element = int.from_bytes(head[2:4], "little")
        return explicit or (element <= 0x0100 and int.from_bytes(head[4:8], "little") <= 1024)
    return big in (0x0002, 0x0008) and head[4:6] in _EXPLICIT_VRS


def _what_else(head: bytes) -> str:
    for magic, what in _OTHERS:
        if head.startswith(magic):
            return what
    if b"\x00" not in head:
        return "a text file"
    return "no image that this program reads"
