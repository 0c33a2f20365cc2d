"""Where the pixels of a DICOM file lie: one stretch of plain values, or fragments that make up frames."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from clipsvd_app.imaging.dicom.pixel_data.codestream import starts_a_stream
from clipsvd_app.imaging.opened import opened

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

Stretch = tuple[int, int]
"""Where bytes begin in the file, and how many there are."""

_ITEM: Final = 0xFFFEE000
_HEADER: Final = struct.Struct("<HHI")
_UNDEFINED: Final = 0xFFFFFFFF
MOST_FRAGMENTS: Final = 1 << 18
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
    """Return the number of each frame's first fragment, [] unless the table points at fragments alone."""
    if not stretches or not table:
        return []
    places = {offset - stretches[0][0]: number for number, (offset, _) in enumerate(stretches)}
    found = [places.get(offset, -1) for offset in table]
    return found if found[0] == 0 and found == sorted(set(found)) else []
