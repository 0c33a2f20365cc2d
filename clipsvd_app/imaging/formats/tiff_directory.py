"""The directories of TIFF and BigTIFF files (TIFF 6.0, section 2), without decoding; in a worker only."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

Order: TypeAlias = Literal["<", ">"]
# A slice for each page of the largest stacks; the chain of a hostile file may be endless.
MAX_PAGES = 65_536
# More strips than any image that is read has; a hostile entry may claim 4 billion.
_MAX_VALUES = 16 * 1024**2
# Field types 1 to 12 of TIFF 6.0, section 2; 13 is IFD; 16 to 18 are BigTIFF's. 5 and 10 are pairs of
# integers.
_DTYPES = {
    1: "u1",
    2: "S1",
    3: "u2",
    4: "u4",
    5: "u4",
    6: "i1",
    7: "u1",
    8: "i2",
    9: "i4",
    10: "i4",
    11: "f4",
    12: "f8",
    13: "u4",
    16: "u8",
    17: "i8",
    18: "u8",
}
_RATIONAL = (5, 10)

# Tag numbers of TIFF 6.0 and its supplements.
SUBFILE, WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 254, 256, 257, 258, 259, 262, 266
DESCRIPTION, STRIP_OFFSETS, ORIENTATION, SAMPLES, ROWS_PER_STRIP, STRIP_BYTES = 270, 273, 274, 277, 278, 279
X_RESOLUTION, Y_RESOLUTION, PLANAR, PAGE_NAME, PREDICTOR, COLOR_MAP = 282, 283, 284, 285, 317, 320
TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS, TILE_BYTES, SUB_IFDS = 322, 323, 324, 325, 330
EXTRA_SAMPLES, SAMPLE_FORMAT = 338, 339


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a directory. at: where its values stand in the file."""

    kind: int
    count: int
    at: int

    @property
    def size(self) -> int:
        """The bytes that the values take."""
        return self.count * np.dtype(_DTYPES[self.kind]).itemsize * (2 if self.kind in _RATIONAL else 1)


@dataclass(frozen=True)
class Page:
    """One directory. order: "<" or ">"."""

    file: BinaryIO
    order: Order
    entries: Mapping[int, Entry]

    def raw(self, tag: int) -> bytes:
        """Return the bytes of a tag as they stand in the file, b"" where it is absent."""
        entry = self.entries.get(tag)
        if entry is None:
            return b""
        if entry.count > _MAX_VALUES:
            raise ValueError("more values than any image needs")
        self.file.seek(entry.at)
        content = self.file.read(entry.size)
        if len(content) < entry.size:
            raise EOFError("a directory points behind the end of its file")
        return content

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Return the values of a tag, rationals divided, () where it is absent."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind == 2:
            return ()
        values = np.frombuffer(self.raw(tag), np.dtype(_DTYPES[entry.kind]).newbyteorder(self.order))
        if entry.kind not in _RATIONAL:
            return tuple(values.tolist())
        return tuple(top / bottom if bottom else 0.0 for top, bottom in values.reshape(-1, 2).tolist())

    def whole(self, tag: int, default: int) -> int:
        """Return the first value of a tag as a whole number."""
        return int(next(iter(self.numbers(tag)), default))

    def text(self, tag: int) -> str:
        """Return the text of a tag, "" where it is absent."""
        return self.raw(tag).rstrip(b"\0").decode("utf-8", "replace")


def read_pages(file: BinaryIO) -> list[Page]:
    """Return the main directories in their order; sub-directories are named by their pages' tag 330.

    Refuses (ValueError, EOFError) loops, too many pages and what ends within a directory.
    """
    return list(_walked(file))


def _walked(file: BinaryIO) -> Iterator[Page]:
    head = file.read(16)
    order: Order = "<" if head[:2] == b"II" else ">"
    # Version 42 is TIFF, 43 BigTIFF.
    big = struct.unpack_from(order + "H", head, 2)[0] == 43
    (at,) = struct.unpack_from(order + "Q", head, 8) if big else struct.unpack_from(order + "I", head, 4)
    seen: set[int] = set()
    while at and at not in seen:
        if len(seen) == MAX_PAGES:
            raise ValueError("more pages than any image has")
        seen.add(at)
        try:
            page, at = _read_page(file, order, at, big=big)
        except (EOFError, struct.error):
            if len(seen) == 1:
                raise
            return  # a chain that breaks off costs the pages behind it and not those before
        yield page


def _read_page(file: BinaryIO, order: Order, at: int, *, big: bool) -> tuple[Page, int]:
    count_form, entry_form, next_form, inline = ("Q", "HHQQ", "Q", 8) if big else ("H", "HHII", "I", 4)
    count_size, size = struct.calcsize(order + count_form), struct.calcsize(order + entry_form)
    file.seek(at)
    (count,) = struct.unpack(order + count_form, file.read(count_size))
    if count > 4096:
        raise ValueError("more tags than any image has")
    content = file.read(count * size + inline)
    entries: dict[int, Entry] = {}
    for number in range(count):
        tag, kind, values, offset = struct.unpack_from(order + entry_form, content, number * size)
        if kind not in _DTYPES:
            continue
        entry = Entry(kind, values, offset)
        if entry.size <= inline:
            entry = Entry(kind, values, at + count_size + number * size + (12 if big else 8))
        entries.setdefault(tag, entry)
    (following,) = struct.unpack_from(order + next_form, content, count * size)
    return Page(file, order, entries), following
