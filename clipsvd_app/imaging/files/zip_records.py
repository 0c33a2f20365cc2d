"""ZIP files, read record by record (PKWARE APPNOTE 6.3.10): a damaged member costs only itself.

Python's zipfile rejects a whole archive because of one damaged record, and decompresses bzip2 without a limit
of memory.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TYPE_CHECKING, BinaryIO, Protocol

from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_END, _END_64, _LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_ENTRY, _LOCAL = b"PK\x01\x02", b"PK\x03\x04"
# Fixed lengths of the records (APPNOTE 4.3.7 to 4.3.16); a field of all ones refers to its ZIP64 extra (4.4).
_END_BYTES, _END_64_BYTES, _LOCATOR_BYTES, _ENTRY_BYTES, _LOCAL_BYTES = 22, 56, 20, 46, 30
_FULL_16, _FULL_32 = 0xFFFF, 0xFFFFFFFF
# An archive ends with a comment of up to 64 kB, so its end record is searched for that far back.
_LONGEST_COMMENT = 0xFFFF
# Read into memory whole; room for 50,000 entries of 1.3 kB.
MAX_LIST_BYTES = 64 * 1024**2
# Of the decoder: a hostile header asks for a dictionary of 4 GB.
MAX_LZMA_BYTES = 256 * 1024**2
CHUNK = 1024**2
AGAIN = "Copy or download the archive again from its source."

# General purpose flags (4.4.4), extra fields (4.5.2, 4.6.9), methods (4.4.5), Unix modes, MS-DOS attribute.
_ENCRYPTED, _ENDS_WITH_MARK, _UTF8 = 0x0001, 0x0002, 0x0800
_ZIP64_EXTRA, _UNICODE_PATH_EXTRA = 0x0001, 0x7075
_STORED, _DEFLATED, _BZIP2, _LZMA, _AES = 0, 8, 12, 14, 99
_OTHER_METHODS = {1: "Shrink", 6: "Implode", 9: "Deflate64", 93: "Zstandard", 95: "XZ", 98: "PPMd"}
_FOLDER, _LINK, _REGULAR, _FILE_TYPE = 0o040000, 0o120000, 0o100000, 0o170000
_DOS_FOLDER = 0x10


class MemberError(Exception):
    """One member that cannot be unpacked. what: such as "is damaged"; remedy: what to do about it."""

    def __init__(self, code: str, what: str, remedy: str) -> None:
        super().__init__(what)
        self.code, self.what, self.remedy = code, what, remedy


@dataclass(frozen=True, slots=True)
class Member:
    """One line of the list of contents. offset: of its local record in the file; sizes in bytes."""

    raw_name: bytes
    is_utf8: bool
    unicode_name: str
    method: int
    is_encrypted: bool
    has_end_mark: bool
    crc: int
    packed_bytes: int
    size_bytes: int
    offset: int
    file_type: int
    is_folder: bool

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return self.file_type == _LINK

    @property
    def is_special(self) -> bool:
        """Whether it is a device, pipe or socket."""
        return self.file_type not in (0, _REGULAR, _LINK, _FOLDER)


@dataclass(frozen=True, slots=True)
class Contents:
    """The members that an archive lists, and how many more its end record states."""

    members: tuple[Member, ...]
    lacking: int


def read_contents(file: BinaryIO, name: str, max_members: int) -> Contents:
    """Read the list at an archive's end; refuses one without a list, one of several parts, and too much."""
    size = file.seek(0, 2)
    at, stated, list_bytes, list_offset = _end_record(file, size, name)
    if list_bytes > MAX_LIST_BYTES:
        raise too_many(name)
    start = _list_start(file, at, list_bytes, list_offset)
    if start is None:
        raise no_list(name)
    shift = start - list_offset
    members = tuple(islice(_entries(_read_at(file, start, list_bytes), shift), max_members + 1))
    if len(members) > max_members:
        raise too_many(name)
    return Contents(members, max(0, stated - len(members)) if stated < _FULL_16 else 0)


def no_list(name: str) -> UserError:
    """Return the refusal of an archive without its list of contents."""
    return UserError(
        f"{name} is damaged or incomplete: its table of contents is missing.",
        remedy="Copy or download it again from its source.",
        code="damaged",
    )


def too_many(name: str) -> UserError:
    """Return the refusal of an archive of more files than this program takes."""
    return UserError(
        f"{name} contains more than 50,000 files, which is the limit.",
        remedy="Unpack it yourself, and add the part that you need.",
        code="zip_too_large",
    )


def _end_record(file: BinaryIO, size: int, name: str) -> tuple[int, int, int, int]:
    """Return where the list ends, how many entries are stated, and its length and offset as stated."""
    tail_at = max(0, size - _END_BYTES - _LONGEST_COMMENT)
    tail = _read_at(file, tail_at, size - tail_at)
    found = tail.rfind(_END, 0, max(0, len(tail) - _END_BYTES + 4))
    if found < 0:
        raise no_list(name)
    at = tail_at + found
    disk, first_disk, _, entries, length, offset = struct.unpack_from("<4H2L", tail, found + 4)
    locator = _read_at(file, at - _LOCATOR_BYTES, _LOCATOR_BYTES) if at >= _LOCATOR_BYTES else b""
    if locator.startswith(_LOCATOR_64):
        stated = int.from_bytes(locator[8:16], "little")
        for place in (at - _LOCATOR_BYTES - _END_64_BYTES, stated):
            record = _read_at(file, place, _END_64_BYTES) if 0 <= place < size else b""
            if record.startswith(_END_64) and len(record) == _END_64_BYTES:
                disk, first_disk, _, entries, length, offset = struct.unpack_from("<2L4Q", record, 16)
                at = place
                break
    if (disk or first_disk) and disk != _FULL_16:
        raise UserError(
            f"{name} is one part of a split ZIP archive.",
            remedy="Join its parts with the program that split it, then add the archive.",
            code="zip_split",
        )
    return at, entries, length, offset


def _list_start(file: BinaryIO, end: int, length: int, offset: int) -> int | None:
    """Find the list right before its end record, else where it is said to be; None where it is nowhere.

    The two differ where something was put before the archive.
    """
    if not length:
        return end
    for start in (end - length, offset):
        if 0 <= start < end and _read_at(file, start, 4) == _ENTRY:
            return start
    return None


def _entries(block: bytes, shift: int) -> Iterator[Member]:
    at = 0
    while block[at : at + 4] == _ENTRY and at + _ENTRY_BYTES <= len(block):
        fields = struct.unpack_from("<6H3L5H2L", block, at + 4)
        made_by, _, flags, method, _, _, crc, packed, size = fields[:9]
        name, extra, comment, _, _, attributes, offset = fields[9:]
        name_at = at + _ENTRY_BYTES
        extra_at, comment_at = name_at + name, name_at + name + extra
        raw_name = block[name_at:extra_at]
        extras = _extras(block[extra_at:comment_at])
        size, packed, offset = _long_values(extras.get(_ZIP64_EXTRA, b""), (size, packed, offset))
        # Made on Unix (3) or macOS (19): the upper half of the attributes is the mode (4.4.2, 4.4.15).
        unix = attributes >> 16 & _FILE_TYPE if made_by >> 8 in (3, 19) else 0
        # A backslash at the end may be the second byte of a Shift_JIS letter, hence only for empty members.
        dos = not size and (attributes & _DOS_FOLDER or raw_name.endswith(b"\\"))
        yield Member(
            raw_name=raw_name,
            is_utf8=bool(flags & _UTF8),
            unicode_name=_unicode_path(extras.get(_UNICODE_PATH_EXTRA, b""), raw_name),
            method=method,
            is_encrypted=bool(flags & _ENCRYPTED) or method == _AES,
            has_end_mark=bool(flags & _ENDS_WITH_MARK),
            crc=crc,
            packed_bytes=packed,
            size_bytes=size,
            offset=offset + shift,
            file_type=unix,
            is_folder=bool(raw_name.endswith(b"/") or unix == _FOLDER or dos),
        )
        at = comment_at + comment


def _extras(block: bytes) -> dict[int, bytes]:
    """Return the extra fields by their number; what does not parse is padding that some programs leave."""
    fields: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(block):
        kind, length = struct.unpack_from("<2H", block, at)
        fields.setdefault(kind, block[at + 4 : at + 4 + length])
        at += 4 + length
    return fields


def _long_values(extra: bytes, stated: Sequence[int]) -> list[int]:
    """Replace sizes and offset that did not fit 32 bits by those of the ZIP64 field, in its order (4.5.3)."""
    values, at = [], 0
    for value in stated:
        if value == _FULL_32 and at + 8 <= len(extra):
            values.append(int.from_bytes(extra[at : at + 8], "little"))
            at += 8
        else:
            values.append(value)
    return values


def _unicode_path(extra: bytes, raw_name: bytes) -> str:
    """Return the name of Info-ZIP's Unicode path field (4.6.9), "" where it belongs to another name."""
    if extra[:1] != b"\x01" or extra[1:5] != zlib.crc32(raw_name).to_bytes(4, "little"):
        return ""
    try:
        return extra[5:].decode("utf-8")
    except UnicodeDecodeError:
        return ""


def overlapping(file: BinaryIO, members: Sequence[Member]) -> frozenset[int]:
    """Return the places of members that overlap others, by which a small bomb unpacks to terabytes."""
    true = (place for place, member in enumerate(members) if _read_at(file, member.offset, 4) == _LOCAL)
    order = sorted(true, key=lambda place: members[place].offset)
    found = set()
    for place, after in pairwise(order):
        member, start = members[place], members[after].offset
        if member.offset == start:
            found.add(after)
        if member.offset < start < member.offset + _LOCAL_BYTES + member.packed_bytes:
            found.add(place)
    return frozenset(found)


def member_parts(file: BinaryIO, member: Member) -> Iterator[bytes]:
    """Yield a member's bytes, at most a mebibyte at a time; raises MemberError if it is not as listed."""
    if member.is_encrypted:
        raise MemberError("zip_encrypted", "is encrypted", "Unpack the archive with its password.")
    at, left = _data_place(file, member)
    if member.method == _LZMA:
        properties = _read_at(file, at, 9)
        at, left = at + 9, left - 9
        decoder: _Decoder = _lzma_decoder(properties, member)
    else:
        decoder = _decoder(member)
    size, crc = 0, 0
    while not decoder.eof and size <= member.size_bytes:
        packed = _read_at(file, at, min(CHUNK, left)) if decoder.needs_input else b""
        at, left = at + len(packed), left - len(packed)
        if decoder.needs_input and not packed:
            break
        part = _decompressed(decoder, packed)
        size, crc = size + len(part), zlib.crc32(part, crc)
        if part:
            yield part
    if size != member.size_bytes or crc != member.crc:
        raise _damaged()


def _data_place(file: BinaryIO, member: Member) -> tuple[int, int]:
    """Return where a member's data begin and their length; the local name and extras may differ."""
    local = _read_at(file, member.offset, _LOCAL_BYTES)
    if len(local) < _LOCAL_BYTES or not local.startswith(_LOCAL):
        raise _damaged()
    name, extra = struct.unpack_from("<2H", local, 26)
    return member.offset + _LOCAL_BYTES + name + extra, member.packed_bytes


class _Decoder(Protocol):
    """What the decompressors of bz2 and lzma have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes: ...


class _Stored:
    eof, needs_input = False, True

    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes:
        return data


class _Inflater:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not self._full and not self._stream.unconsumed_tail

    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes:
        part = self._stream.decompress(self._stream.unconsumed_tail + data, max_length)
        self._full = len(part) == max_length
        return part


def _decoder(member: Member) -> _Decoder:
    if member.method == _STORED:
        return _Stored()
    if member.method == _DEFLATED:
        return _Inflater()
    if member.method == _BZIP2:
        return bz2.BZ2Decompressor()
    named = _OTHER_METHODS.get(member.method, f"method {member.method}")
    raise MemberError(
        "zip_method",
        f"uses {named} compression, which is not supported",
        "Unpack the archive with the program that created it, and add the folder.",
    )


def _lzma_decoder(header: bytes, member: Member) -> _Decoder:
    """Rebuild the header of an LZMA-alone stream (5.8.8), whose decoder respects a limit of memory."""
    if len(header) < 9 or header[2:4] != b"\x05\x00":
        raise _damaged()
    size = b"\xff" * 8 if member.has_end_mark else member.size_bytes.to_bytes(8, "little")
    decoder = lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=MAX_LZMA_BYTES)
    _decompressed(decoder, header[4:9] + size)
    return decoder


def _decompressed(decoder: _Decoder, packed: bytes) -> bytes:
    try:
        return decoder.decompress(packed, CHUNK)
    except (OSError, EOFError, ValueError, MemoryError, zlib.error, lzma.LZMAError) as error:
        raise _damaged() from error


def _damaged() -> MemberError:
    return MemberError("damaged", "is damaged", AGAIN)


def _read_at(file: BinaryIO, offset: int, length: int) -> bytes:
    if offset < 0 or length <= 0:
        return b""
    try:
        file.seek(offset)
        return file.read(length)
    except (OSError, OverflowError, ValueError) as error:
        raise MemberError(
            "unreadable", "could not be read from the disk", "Copy the archive again from its source."
        ) from error
