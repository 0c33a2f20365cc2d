"""ZIP archives made byte by byte, as no honest program writes them."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One member. What is None follows from ``data``; everything else is written as it is said."""

    name: bytes
    data: bytes = b"data"
    method: int = 8
    flags: int = 0
    mode: int = 0
    extra: bytes = b""
    packed: bytes | None = None
    crc: int | None = None
    size: int | None = None
    packed_size: int | None = None
    offset: int | None = None
    local_name: bytes | None = None

    def stored(self) -> bytes:
        """Return the packed bytes."""
        return packed(self.data, self.method) if self.packed is None else self.packed


def packed(data: bytes, method: int) -> bytes:
    """Pack bytes as the method of this number does; unknown methods leave them."""
    if method == 8:
        made = zlib.compressobj(9, zlib.DEFLATED, -15)
        return made.compress(data) + made.flush()
    if method == 12:
        return bz2.compress(data)
    if method == 14:
        alone = lzma.compress(data, lzma.FORMAT_ALONE)
        return b"\x09\x14\x05\x00" + alone[:5] + alone[13:]
    return data


def zip_of(*entries: Entry, comment: bytes = b"", prefix: bytes = b"", stated: int | None = None) -> bytes:
    """Return an archive of these members."""
    body, listing = bytearray(prefix), bytearray()
    for entry in entries:
        stored = entry.stored()
        crc = zlib.crc32(entry.data) if entry.crc is None else entry.crc
        size = len(entry.data) if entry.size is None else entry.size
        packed_size = len(stored) if entry.packed_size is None else entry.packed_size
        flags = entry.flags | (2 if entry.method == 14 else 0)
        offset = len(body) - len(prefix) if entry.offset is None else entry.offset
        shared = struct.pack("<HHHHHLLL", 20, flags, entry.method, 0, 33, crc, packed_size, size)
        local_name = entry.name if entry.local_name is None else entry.local_name
        body += b"PK\x03\x04" + shared + struct.pack("<HH", len(local_name), 0) + local_name + stored
        listing += b"PK\x01\x02" + struct.pack("<H", 0x0314) + shared
        listing += struct.pack(
            "<HHHHHLL", len(entry.name), len(entry.extra), 0, 0, 0, entry.mode << 16, offset
        )
        listing += entry.name + entry.extra
    count = len(entries) if stated is None else stated
    start = len(body) - len(prefix)
    end = struct.pack("<HHHHLLH", 0, 0, count, count, len(listing), start, len(comment))
    return bytes(body + listing + b"PK\x05\x06" + end + comment)
