"""The kind of an image file, by its content and never by its extension."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from clipsvd_app.imaging.guard import refusals
from clipsvd_app.imaging.opened import opened

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.errors import UserError

# DICOM's mark stands at byte 128, NIfTI's at 344; MetaImage names its dimensions in the first lines.
HEAD_BYTES = 1024

_PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"BM", "BMP"),
)
PICTURES = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "JPEG2000", "PNM")
"""The kinds that `pictures` reads; volumes and DICOM have readers of their own."""
_OTHERS = (
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "a project or database file"),
    (b"P7\n", "a PAM image"),
    (b"PF\n", "a PFM image"),
    (b"Pf\n", "a PFM image"),
    (b"8BPS", "a Photoshop document"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
    (b"SIMPLE  =", "a FITS image"),
    (b"\x89HDF", "an HDF5 file, such as MINC or MATLAB"),
    (b"CDF\x01", "a MINC or NetCDF file"),
    (b"MATLAB 5.0", "a MATLAB file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"ZISRAWFILE", "a Zeiss CZI file"),
    (b"\xd0\xcf\x11\xe0", "an Office document or a microscope's OLE file"),
    (b"MATRIX7", "an ECAT file"),
    (b"# vtk DataFile", "a VTK file"),
    (b"\x1f\x8b", "a gzip archive that is not a volume"),
)
# The brand of an ISO base media file at byte 8 (ISO/IEC 14496-12, 4.3).
_BRANDS = {
    b"heic": "a HEIC photograph",
    b"heix": "a HEIC photograph",
    b"mif1": "a HEIC photograph",
    b"avif": "an AVIF image",
    b"qt  ": "a video",
}
_ZIP = b"PK\x03\x04"
_EXPLICIT_VRS = frozenset(
    b"AE AS AT CS DA DS DT FL FD IS LO LT OB OW PN SH SL SQ SS ST TM UI UL UN US UT".split()
)


def sniff(path: Path) -> str:
    """Return "DICOM", "volume" or one of PICTURES.

    Refuses folders, missing, forbidden and empty files, and every other kind of content.
    """
    head = read_head(path)
    if not head:
        raise refusals.empty(path)
    kind = kind_of(head)
    if kind is None and head.startswith(_ZIP):
        raise refusals.archive(path, encrypted=_is_encrypted(head))
    if kind is None:
        raise _refused(path, head)
    return kind


def _refused(path: Path, head: bytes) -> UserError:
    header = path.with_suffix(".hdr")
    if path.suffix.lower() == ".img" and header.is_file():
        return refusals.not_an_image(path, f"the voxel data of {header.name}")
    return refusals.not_an_image(path, _what_else(head))


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
        with opened(path) as file:
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
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if re.match(rb"P[1-6][\s#]", head):
        return "PNM"
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
    """Return the first bytes of a gzipped file, which may have several members (RFC 1952, 2.2)."""
    found = b""
    try:
        while head and len(found) < HEAD_BYTES:
            # 16 + 15: a gzip header and the largest window.
            member = zlib.decompressobj(wbits=31)
            found += member.decompress(head, HEAD_BYTES - len(found))
            head = member.unused_data
    except zlib.error:
        return found
    return found


def _starts_with_a_data_element(head: bytes) -> bool:
    """Recognise DICOM without preamble: group 0002 or 0008 in either byte order, and a plausible element."""
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
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "a video")
    if head.startswith(b"RIFF"):
        return "a video or audio file"
    if head[:4] in (b"\x5c\x01\x00\x00", b"\x00\x00\x01\x5c"):
        return "an Analyze 7.5 header, which has no slice orientation"
    if b"\x00" not in head:
        return "a text file"
    return "not a supported image file"
