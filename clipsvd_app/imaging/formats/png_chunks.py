"""The chunks of a PNG beyond what Pillow keeps (PNG, third edition), read without its pixels."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipsvd_app.imaging.opened import opened

if TYPE_CHECKING:
    from pathlib import Path

# Colour type 4 of IHDR. The limits are beyond any real file; they end the walk through a hostile one.
GREY_ALPHA = 4
_MOST_CHUNKS = 1_000_000
_MOST_EXIF = 1024**2
# 8 bytes of signature and 25 of the IHDR chunk.
_HEADER_END = 33


@dataclass(frozen=True, slots=True)
class PngChunks:
    """depth, colour: of the header. frames: of an animation, 1 without. stated: what its header says.

    exif: the chunk's content, which may also follow the pixels.
    """

    depth: int
    colour: int
    frames: int
    stated: int
    exif: bytes


def read_chunks(path: Path) -> PngChunks:
    """Walk the chunks of a PNG up to its end; refuses (struct.error) what has no header."""
    controls = stated = 0
    hidden, pixels, exif = False, False, b""
    with opened(path) as file:
        depth, colour = struct.unpack_from("BB", file.read(_HEADER_END), 24)
        for _ in range(_MOST_CHUNKS):
            head = file.read(8)
            if len(head) < 8:
                break
            length, name = struct.unpack(">I4s", head)
            content = b""
            if name in (b"acTL", b"eXIf"):
                content = file.read(min(length, _MOST_EXIF))
            file.seek(length - len(content) + 4, 1)
            if name == b"acTL" and len(content) >= 4:
                (stated,) = struct.unpack_from(">I", content)
            elif name == b"eXIf":
                exif = content
            elif name == b"fcTL":
                controls += 1
            elif name == b"IDAT" and not pixels:
                pixels, hidden = True, controls == 0
    # A first image without a control chunk is not part of the animation, and is shown nevertheless.
    extra = int(hidden) if stated else 0
    return PngChunks(depth, colour, max(1, min(stated, controls) + extra), stated + extra, exif)


def as_four_bytes(content: bytes) -> bytes:
    """Rewrite the header of a 16-bit grey and alpha PNG as that of an 8-bit RGBA one.

    Both have four bytes a pixel, so filters and interlacing are the same; read big-endian in pairs, the
    decoded bytes are the 16-bit samples.
    """
    header = content[12:24] + b"\x08\x06" + content[26:29]
    return content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[_HEADER_END:]
