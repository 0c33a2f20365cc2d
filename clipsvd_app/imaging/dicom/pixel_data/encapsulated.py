"""Encapsulated pixel data: where frames and fragments lie, and what a compressed stream says of itself."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, Final, Literal

from clipsvd_app.imaging.opened import opened

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

Stretch = tuple[int, int]
"""Where bytes begin in the file, and how many there are."""

_ITEM: Final = 0xFFFEE000
_HEADER: Final = struct.Struct("<HHI")
_UNDEFINED: Final = 0xFFFFFFFF
# More than any image has; a hostile file could be nothing but empty items.
MOST_FRAGMENTS: Final = 1 << 18
# As long as the longest mark of a stream, that of JP2.
_HEAD_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class PixelPlace:
    """The value of the pixel data as the parser that read the data set came upon it.

    keyword: PixelData or one of the float ones. length: in bytes, None for fragments. words: it is
    of OW, whose 16-bit words follow the byte order of the file (PS3.5 7.3). content: the inflated bytes of a
    deflated file, in place of the file's.
    """

    keyword: str
    start: int
    length: int | None
    words: bool = True
    content: bytes | None = None

    def open(self, path: Path) -> AbstractContextManager[BinaryIO]:
        """Open what `start` counts in."""
        return opened(path) if self.content is None else io.BytesIO(self.content)


@dataclass(frozen=True, slots=True)
class Fragments:
    """The frames of encapsulated pixel data, each of one or more stretches. cut_off: the file ends early."""

    frames: tuple[tuple[Stretch, ...], ...]
    cut_off: bool = False


def find_frames(file: BinaryIO, start: int, file_length: int, said: int, *, rle: bool) -> Fragments:
    """Sort fragments into frames by where streams begin; the header's count decides only where none does.

    A fragment that starts a stream starts a frame (PS3.5 A.4). Where none is known to, the offset table
    decides; without one a fragment is a frame, unless the header says that there is one frame in all.
    """
    stretches, table, cut_off = _items(file, start, file_length)
    starts = [starts_a_stream(_head(file, stretch), rle=rle) for stretch in stretches]
    if starts and starts[0]:
        firsts = [number for number, begins in enumerate(starts) if begins]
    else:
        each = [*range(len(stretches))]
        firsts = _by_table(stretches, table) or (each[:1] if said == 1 else each)
    ends = [*firsts[1:], len(stretches)]
    frames = [tuple(stretches[first:end]) for first, end in zip(firsts, ends, strict=True)]
    if cut_off and frames and frames[-1] and sum(frames[-1][-1]) > file_length:
        frames.pop()
    return Fragments(tuple(frames), cut_off)


def _items(file: BinaryIO, start: int, file_length: int) -> tuple[list[Stretch], list[int], bool]:
    """Return the fragments, the Basic Offset Table, and whether the file ends before they do."""
    at = start
    found: list[Stretch] = []
    while at + 8 <= file_length and len(found) <= MOST_FRAGMENTS:
        file.seek(at)
        group, element, length = _HEADER.unpack(file.read(8))
        if group << 16 | element != _ITEM or length == _UNDEFINED:
            break
        found.append((at + 8, length))
        at += 8 + length
    else:
        if len(found) > MOST_FRAGMENTS:
            raise ValueError("more fragments than any image has")
    cut_off = bool(found) and at > file_length
    if not found:
        return [], [], cut_off
    offset, length = found[0]
    if starts_a_stream(_head(file, found[0]), rle=False):  # a writer has left the table out
        return found, [], cut_off
    file.seek(offset)
    content = file.read(length) if length <= 4 * MOST_FRAGMENTS else b""
    table = [*struct.unpack(f"<{len(content) // 4}I", content[: len(content) // 4 * 4])]
    return found[1:], table, cut_off


def _head(file: BinaryIO, stretch: Stretch) -> bytes:
    file.seek(stretch[0])
    return file.read(min(_HEAD_BYTES, stretch[1]))


def _by_table(stretches: list[Stretch], table: list[int]) -> list[int]:
    """Return the number of each frame's first fragment, [] unless the table points at fragments only."""
    if not stretches or not table:
        return []
    places = {offset - stretches[0][0]: number for number, (offset, _) in enumerate(stretches)}
    found = [places.get(offset, -1) for offset in table]
    return found if found[0] == 0 and found == sorted(set(found)) else []


Codec = Literal["jpeg", "jpeg-lossless", "jpeg-ls", "jpeg-2000", "ht-jpeg-2000", "rle"]
Colour = Literal["", "RGB", "YBR"]

JPEG_START: Final = b"\xff\xd8\xff"
J2K_START: Final = b"\xff\x4f\xff\x51"
_JP2_START: Final = b"\0\0\0\x0cjP  "
# An RLE header is 64 bytes: the number of segments and 15 offsets, the first of them 64 (PS3.5 G.5).
_RLE_MOST_SEGMENTS: Final = 15
_RLE_HEADER: Final = 64
# Markers of ITU-T T.81, B.1.1.3, and T.87: those without a length; lossless frames; tables that are no frame.
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_LOSSLESS: Final = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
_NO_FRAME: Final = frozenset({0xC4, 0xC8, 0xCC})
_JPEG_LS: Final = 0xF7
_START_OF_SCAN: Final = 0xDA
# SOT of ISO/IEC 15444-1, A.4.2: behind it there is data, no header.
_START_OF_TILE: Final = 0x90
_MOST_SEGMENTS: Final = 4096  # of a header that means well
# Enumerated colour spaces of a colr box: sRGB and sYCC (ISO/IEC 15444-1, I.5.3.3).
_JP2_COLOURS: Final[Mapping[int, Colour]] = {16: "RGB", 18: "YBR"}
_J2K_MARKERS: Final = {0x51: "size", 0x52: "coding", 0x50: "high throughput"}


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """The facts of one frame; 0 and None where the codec does not say.

    colour: what the samples of a JPEG stream are, or become when a decoder undoes JPEG 2000's own transform;
    "" where the stream leaves it to the header. signed: JPEG 2000 alone says it.
    """

    codec: Codec
    rows: int = 0
    columns: int = 0
    components: int = 1
    precision: int = 0
    signed: bool | None = None
    subsampled: bool = False
    colour: Colour = ""


def starts_a_stream(head: bytes, *, rle: bool) -> bool:
    """Say whether bytes are the start of a JPEG, JPEG-LS or JPEG 2000 stream, or of one of RLE."""
    if rle:
        return len(head) >= 8 and _is_rle(head)
    return head.startswith((JPEG_START, J2K_START, _JP2_START))


def _is_rle(head: bytes) -> bool:
    count, first = struct.unpack_from("<II", head)
    return bool(1 <= count <= _RLE_MOST_SEGMENTS and first == _RLE_HEADER)


def facts_of(stream: bytes, *, rle: bool = False) -> StreamFacts | None:
    """Read the headers of a frame's stream; None where there are none, or they are cut off or broken.

    rle: the transfer syntax says RLE, whose streams carry no mark of their own (PS3.5 G.5).
    """
    try:
        if stream.startswith(JPEG_START):
            return _jpeg(stream)
        if stream.startswith(_JP2_START):
            return _jp2(stream)
        if stream.startswith(J2K_START):
            return _jpeg_2000(stream)
        return _rle(stream) if rle else None
    # A header cut short or without components: nothing is known of the stream, and the decoder decides.
    except (struct.error, IndexError, ZeroDivisionError):
        return None


def _jpeg(stream: bytes) -> StreamFacts | None:
    """Walk the marker segments of ITU-T T.81 (B.1.1) and T.87 up to the frame header."""
    at, is_jfif, adobe = 2, False, -1
    for _ in range(_MOST_SEGMENTS):
        if stream[at] != 0xFF:
            return None
        marker = stream[at + 1]
        if marker == 0xFF or marker in _STANDALONE:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", stream, at + 2)
        segment = stream[at + 4 : at + 2 + length]
        if marker == _START_OF_SCAN:
            return None
        if marker == 0xE0 and segment.startswith(b"JFIF"):
            is_jfif = True
        if marker == 0xEE and segment.startswith(b"Adobe") and len(segment) >= 12:
            adobe = segment[11]
        if marker == _JPEG_LS or (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME):
            return _jpeg_frame(marker, segment, is_jfif, adobe)
        at += 2 + max(2, length)
    return None


def _jpeg_frame(marker: int, segment: bytes, is_jfif: bool, adobe: int) -> StreamFacts:
    precision, rows, columns, components = struct.unpack_from(">BHHB", segment)
    ids = segment[6 : 6 + 3 * components : 3]
    sampling = segment[7 : 7 + 3 * components : 3]
    if len(ids) < components or len(sampling) < components:
        raise IndexError
    codec: Codec = "jpeg-ls" if marker == _JPEG_LS else "jpeg-lossless" if marker in _LOSSLESS else "jpeg"
    facts = StreamFacts(codec, rows, columns, components, precision, subsampled=len(set(sampling)) > 1)
    return replace(facts, colour=_jpeg_colour(facts, ids, is_jfif, adobe))


def _jpeg_colour(facts: StreamFacts, ids: bytes, is_jfif: bool, adobe: int) -> Colour:
    """Say what three components are, asked as libjpeg does (jdapimin.c, default_decompress_parms)."""
    if facts.components != 3:
        return ""
    if facts.subsampled:
        return "YBR"
    if ids.lower() == b"rgb":
        return "RGB"
    if facts.codec == "jpeg" and is_jfif:
        return "YBR"
    if adobe >= 0 and facts.codec != "jpeg-ls":
        return "YBR" if adobe else "RGB"
    return ""


def _jpeg_2000(stream: bytes) -> StreamFacts | None:
    """Read SIZ and COD of ISO/IEC 15444-1 (A.5.1, A.6.1), and CAP, which high throughput streams carry."""
    at, facts, transform, high_throughput = 2, None, False, False
    for _ in range(_MOST_SEGMENTS):
        if stream[at] != 0xFF or stream[at + 1] == _START_OF_TILE:
            break
        (length,) = struct.unpack_from(">H", stream, at + 2)
        body = stream[at + 4 : at + 2 + length]
        kind = _J2K_MARKERS.get(stream[at + 1])
        if kind == "size":
            facts = _j2k_size(body)
        elif kind == "coding":
            transform = body[4] == 1
        elif kind == "high throughput":
            high_throughput = True
        at += 2 + max(2, length)
    if facts is None:
        return None
    colour: Colour = "YBR" if facts.subsampled else "RGB" if transform and facts.components == 3 else ""
    return replace(facts, colour=colour, codec="ht-jpeg-2000" if high_throughput else "jpeg-2000")


def _jp2(stream: bytes) -> StreamFacts | None:
    """Read a codestream in a JP2 file, whose colr box names its colours (ISO/IEC 15444-1, I.5.3.3)."""
    at, box = stream.find(J2K_START), stream.find(b"colr")
    facts = _jpeg_2000(stream[at:]) if at >= 0 else None
    if facts is None or facts.colour or facts.components != 3 or not 0 < box < at:
        return facts
    enumerated = int.from_bytes(stream[box + 7 : box + 11], "big") if stream[box + 4] == 1 else 0
    return replace(facts, colour=_JP2_COLOURS.get(enumerated, ""))


def _j2k_size(body: bytes) -> StreamFacts:
    _, right, bottom, left, top = struct.unpack_from(">HIIII", body)
    (components,) = struct.unpack_from(">H", body, 34)
    first = body[36]
    steps = {body[37 + 3 * n : 39 + 3 * n] for n in range(components)}
    return StreamFacts(
        "jpeg-2000",
        bottom - top,
        right - left,
        components,
        (first & 0x7F) + 1,
        signed=bool(first & 0x80),
        subsampled=len(steps) > 1,
    )


def _rle(stream: bytes) -> StreamFacts | None:
    """Count the segments: one for each byte of each sample (PS3.5 G.2); components holds their number."""
    return StreamFacts("rle", components=stream[0]) if _is_rle(stream) else None
