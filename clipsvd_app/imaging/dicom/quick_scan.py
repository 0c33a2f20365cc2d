"""A quick look through plain DICOM headers: most files hold nothing that needs a full parser.

Reads little-endian data sets whose wanted elements are ascending, of known value representation and no
sequence. Whatever else a file holds is left to pydicom: `scan` then answers None, and never guesses.
"""

from __future__ import annotations

import functools
import os
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from clipsvd_app.imaging.opened import opened

if TYPE_CHECKING:
    from pathlib import Path

Value: TypeAlias = "str | tuple[float, ...]"

# The headers of most files end within 32 kB, one read; longer ones are read up to 2 MB, others by pydicom.
HEAD_BYTES = 32 * 1024
MOST_HEAD_BYTES = 2 * 1024**2
# The length of sequences and encapsulated pixel data that end with a delimiter (PS3.5 7.1, 7.5).
UNDEFINED = 0xFFFFFFFF
IMPLICIT_LITTLE = "1.2.840.10008.1.2"
# Explicit big endian and deflated; the third is the verification class, which is no transfer syntax.
_NOT_LITTLE = frozenset({"1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.1"})

_PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_META_CLASS, _META_SYNTAX = 0x00020002, 0x00020010
_REPRESENTATION = 0x00280103
_SEVERAL_CODES = frozenset({0x00080008, 0x00200020})  # Image Type, Patient Orientation
# Deeper nesting than scanners write is left to pydicom, and cannot exhaust the stack here.
_DEEPEST = 8

_LONG_VRS = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
_SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
_TEXT_VRS = frozenset((b"CS", b"DA", b"DT", b"LO", b"PN", b"SH", b"TM", b"UI"))
_NUMBER_VRS = {b"US": "H", b"SS": "h", b"UL": "I", b"SL": "i", b"FL": "f", b"FD": "d"}
_WRITTEN_NUMBERS = {
    b"DS": re.compile(rb" *[+-]?(\d{1,30}\.?\d{0,30}|\.\d{1,30})([eE][+-]?\d{1,2})? *"),
    b"IS": re.compile(rb" *[+-]?\d{1,12} *"),
}
_PLAIN_TEXT = re.compile(rb"[ -<>-\[\]-~]*")  # ASCII without "=" and backslash

_SHORT = struct.Struct("<HH2sH")
_LONG = struct.Struct("<I")
_BARE = struct.Struct("<HHI")


class _NotPlainError(Exception):
    """The file needs a full parser."""


@dataclass(frozen=True, slots=True)
class FileMeta:
    """The two elements of the File Meta Information that matter here."""

    TransferSyntaxUID: str
    MediaStorageSOPClassUID: str

    def get(self, keyword: str, default: str = "") -> str:
        """Return an element, like a pydicom data set does."""
        return str(getattr(self, keyword, default))


@dataclass(frozen=True, slots=True)
class PlainDataset:
    """The wanted elements of a plain file; answers `get` like a pydicom data set.

    pixels_at, pixels_length: where the value of the pixel data lies; the length is None if encapsulated.
    """

    file_meta: FileMeta
    values: Mapping[str, Value] = field(repr=False)
    pixels_keyword: str
    pixels_at: int
    pixels_length: int | None

    def get(self, keyword: str) -> Value | None:
        """Return an element's value, None where it is absent."""
        return self.values.get(keyword)


def scan(path: Path, keywords: tuple[str, ...]) -> PlainDataset | None:
    """Read the wanted elements up to the pixel data, or None where the file is not plain enough."""
    with opened(path) as file:
        head = b""
        for size in (HEAD_BYTES, MOST_HEAD_BYTES):
            head += file.read(size - len(head))
            try:
                return _scanned(head, keywords, os.fstat(file.fileno()).st_size)
            except _NotPlainError:
                return None
            except (struct.error, IndexError):  # the header goes on beyond what was read
                if len(head) < size:
                    return None
    return None


def _scanned(head: bytes, keywords: tuple[str, ...], file_length: int) -> PlainDataset:
    if head[128:132] != b"DICM":
        raise _NotPlainError
    at, meta = _file_meta(head)
    implicit = meta.TransferSyntaxUID == IMPLICIT_LITTLE
    if implicit and head[at + 4 : at + 6] in _SHORT_VRS | _LONG_VRS:
        raise _NotPlainError  # the data set is explicit, whatever the transfer syntax states
    found: dict[int, tuple[bytes, bytes]] = {}
    tags = _wanted(keywords)
    last = 0
    while True:
        tag, vr, length, at = _element(head, at, implicit)
        if tag <= last:
            raise _NotPlainError
        last = tag
        if tag in _PIXELS:
            break
        if tag > _PIXELS[-1] or (0x60000000 <= tag < 0x61000000):
            raise _NotPlainError
        known = tags.get(tag)
        if length == UNDEFINED:
            if known or vr not in (b"SQ", b""):
                raise _NotPlainError
            at = _after_sequence(head, at, implicit, 0)
            continue
        if known and length:
            found[tag] = (vr or known[1], _bytes(head, at, length))
        at += length
    if length != UNDEFINED and at + length > file_length:
        raise _NotPlainError
    return PlainDataset(
        meta, _decoded(found, tags), _PIXEL_KEYWORDS[tag], at, None if length == UNDEFINED else length
    )


_PIXEL_KEYWORDS = dict(zip(_PIXELS, ("FloatPixelData", "DoubleFloatPixelData", "PixelData"), strict=True))


def _file_meta(head: bytes) -> tuple[int, FileMeta]:
    """Read group 0002, which is always explicit and little-endian, up to the first other element."""
    # After the preamble of 128 bytes and “DICM” (PS3.10 7.1).
    at, found = 132, {_META_CLASS: b"", _META_SYNTAX: b""}
    while head[at : at + 2] == b"\x02\x00":
        tag, _, length, at = _element(head, at, implicit=False)
        if length == UNDEFINED:
            raise _NotPlainError
        if tag in found:
            found[tag] = _bytes(head, at, length)
        at += length
    syntax = found[_META_SYNTAX].rstrip(b"\0 ")
    if not re.fullmatch(rb"1\.2\.840\.10008\.1\.2[.0-9]*", syntax) or syntax.decode() in _NOT_LITTLE:
        raise _NotPlainError
    sop_class = found[_META_CLASS].rstrip(b"\0 ").decode("ascii", "replace")
    return at, FileMeta(syntax.decode(), sop_class)


def _element(head: bytes, at: int, implicit: bool) -> tuple[int, bytes, int, int]:
    """Return tag, value representation (none if implicit), length, and where the value starts."""
    if implicit:
        group, element, length = _BARE.unpack_from(head, at)
        return group << 16 | element, b"", length, at + 8
    group, element, vr, length = _SHORT.unpack_from(head, at)
    if vr in _SHORT_VRS:
        return group << 16 | element, vr, length, at + 8
    if vr not in _LONG_VRS or length:
        raise _NotPlainError
    return group << 16 | element, vr, _LONG.unpack_from(head, at + 8)[0], at + 12


def _after_sequence(head: bytes, at: int, implicit: bool, depth: int) -> int:
    """Return where a sequence of undefined length ends."""
    if depth > _DEEPEST:
        raise _NotPlainError
    while True:
        group, element, length = _BARE.unpack_from(head, at)
        tag, at = group << 16 | element, at + 8
        if tag == _SEQUENCE_END:
            return at
        if tag != _ITEM:
            raise _NotPlainError
        at = _after_item(head, at, implicit, depth) if length == UNDEFINED else at + length


def _after_item(head: bytes, at: int, implicit: bool, depth: int) -> int:
    while True:
        group, element, length = _BARE.unpack_from(head, at)
        if group << 16 | element == _ITEM_END:
            return at + 8
        _, vr, length, at = _element(head, at, implicit)
        if length != UNDEFINED:
            at += length
        elif vr in (b"SQ", b""):
            at = _after_sequence(head, at, implicit, depth + 1)
        else:
            raise _NotPlainError


def _bytes(head: bytes, at: int, length: int) -> bytes:
    if at + length > len(head):
        raise IndexError
    return head[at : at + length]


@functools.cache
def _wanted(keywords: tuple[str, ...]) -> dict[int, tuple[str, bytes]]:
    """Return keyword and value representation by tag."""
    from pydicom.datadict import dictionary_VR, tag_for_keyword

    tags = {keyword: int(tag_for_keyword(keyword) or 0) for keyword in keywords}
    return {tag: (keyword, dictionary_VR(tag).encode()) for keyword, tag in tags.items()}


def _decoded(
    found: Mapping[int, tuple[bytes, bytes]], tags: Mapping[int, tuple[str, bytes]]
) -> dict[str, Value]:
    signed = found.get(_REPRESENTATION, (b"", b"\0\0"))[1] == b"\1\0"
    ambiguous = b"SS" if signed else b"US"
    return {
        tags[tag][0]: _codes(content)
        if tag in _SEVERAL_CODES
        else _value(ambiguous if vr == b"US or SS" else vr, content)
        for tag, (vr, content) in found.items()
    }


def _value(vr: bytes, content: bytes) -> Value:
    if vr in _WRITTEN_NUMBERS:
        content = content.rstrip(b"\0 ")
        written = _WRITTEN_NUMBERS[vr]
        return tuple(_number(text, written) for text in content.split(b"\\")) if content else ()
    if vr in _NUMBER_VRS:
        kind = _NUMBER_VRS[vr]
        count, rest = divmod(len(content), struct.calcsize(kind))
        if rest:
            raise _NotPlainError
        return struct.unpack(f"<{count}{kind}", content)
    content = content.rstrip(b"\0 ")
    if vr not in _TEXT_VRS or not _PLAIN_TEXT.fullmatch(content):
        raise _NotPlainError
    return content.decode("ascii")


def _codes(content: bytes) -> str:
    """Return several codes in one text, backslashes between them, as they are in the file."""
    return "\\".join(str(_value(b"CS", code)) for code in content.split(b"\\"))


def _number(text: bytes, written: re.Pattern[bytes]) -> float:
    if not written.fullmatch(text):
        raise _NotPlainError
    return float(text)
