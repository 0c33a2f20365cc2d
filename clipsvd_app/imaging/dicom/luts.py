"""Lookup tables of DICOM: modality, value of interest, palette.

PS3.3 C.11.1.1, C.11.2.1.1, C.7.6.3.1.5 and, for segmented palettes, C.7.9.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from clipsvd_app.imaging.dicom.elements import element, whole
from clipsvd_app.imaging.values import VoiLut

if TYPE_CHECKING:
    from clipsvd_app.imaging.dicom.elements import Dataset
    from clipsvd_app.imaging.values import Array, Bytes

# What broken descriptors and tables raise.
BROKEN = (TypeError, ValueError, LookupError, AttributeError, OverflowError)
_COLOURS = ("Red", "Green", "Blue")
_MAX_ENTRIES = 2**16


def lookup(values: Array, table: Array, first: int) -> Array:
    """Map whole numbers through a table; values before or after it take its first or last entry."""
    index = np.clip(values.astype(np.int64) - first, 0, len(table) - 1)
    return np.asarray(table[index])


def modality_table(item: Dataset, *, signed: bool, big_endian: bool) -> tuple[Array, int]:
    """Return the table and its first input of an item of a Modality or VOI LUT Sequence.

    signed: whether the inputs are, which the descriptor's second value then is as well.
    """
    entries, first, bits = _descriptor(element(item, "LUTDescriptor"), signed=signed)
    return _entries(element(item, "LUTData"), entries, bits, big_endian=big_endian), first


def voi_lut(item: Dataset, *, signed: bool, big_endian: bool) -> VoiLut:
    """Return a VOI LUT scaled to display greys: its entries span 0 to 2**bits - 1."""
    table, first = modality_table(item, signed=signed, big_endian=big_endian)
    bits = _descriptor(element(item, "LUTDescriptor"), signed=signed)[2]
    highest = max(float(2**bits - 1), float(table.max()))
    return VoiLut(first, np.rint(table * (255.0 / highest)).astype(np.uint8))


def palette_to_rgb(indices: Array, dataset: Dataset, *, big_endian: bool) -> Bytes:
    """Map palette indices of any shape to RGB, (..., 3) uint8."""
    signed = whole(dataset, "PixelRepresentation", 0) == 1
    channels = [_palette_channel(indices, dataset, colour, signed, big_endian) for colour in _COLOURS]
    return np.stack(channels, axis=-1)


def _palette_channel(indices: Array, dataset: Dataset, colour: str, signed: bool, big_endian: bool) -> Bytes:
    entries, first, bits = _descriptor(
        element(dataset, f"{colour}PaletteColorLookupTableDescriptor"), signed=signed
    )
    plain = element(dataset, f"{colour}PaletteColorLookupTableData")
    if plain is not None:
        table = _entries(plain, entries, bits, big_endian=big_endian)
    else:
        segments = element(dataset, f"Segmented{colour}PaletteColorLookupTableData")
        table = _expanded(_words(segments, bits, big_endian=big_endian))
    return lookup(indices, _to_8_bit(table, bits), first).astype(np.uint8)


def _to_8_bit(table: Array, bits: int) -> Bytes:
    """Keep the high byte of 16-bit entries; some writers put 8-bit entries in 16-bit tables."""
    wide = bits > 8 and int(table.max()) > 255
    return (table >> 8 if wide else table).astype(np.uint8)


def _descriptor(value: Any, *, signed: bool) -> tuple[int, int, int]:  # noqa: ANN401 - whatever the file holds
    entries, first, bits = (int(v) for v in value)
    first = (first & 0xFFFF) - 0x10000 if signed and (first & 0x8000) else first
    return (entries & 0xFFFF) or _MAX_ENTRIES, first, bits


def _entries(data: Any, entries: int, bits: int, *, big_endian: bool) -> Array:  # noqa: ANN401
    """Return exactly the entries of a table given as words, as packed bytes, or as a list of numbers."""
    packed = isinstance(data, bytes) and len(data) < 2 * entries and bits <= 8
    table = _words(data, 8 if packed else 16, big_endian=big_endian)
    if len(table) < entries:
        raise ValueError("the lookup table is shorter than its descriptor says")
    return table[:entries]


def _words(data: Any, bits: int, *, big_endian: bool) -> Array:  # noqa: ANN401
    """Return entries of 16 bits, or of 8 bits packed two in a word, lower byte first (PS3.5 7.3, 8.1.1)."""
    if isinstance(data, bytes):
        words = np.frombuffer(data[: len(data) // 2 * 2], ">u2" if big_endian else "<u2")
        return (words.astype("<u2").view(np.uint8) if bits <= 8 else words).astype(np.int64)
    if data is None:
        raise ValueError("the lookup table is missing")
    many = data if hasattr(data, "__len__") else [data]
    return np.asarray([int(v) & 0xFFFF for v in many], dtype=np.int64)


def _expanded(words: Array) -> Array:
    """Expand a segmented palette: opcode 0 lists entries, 1 draws a line, 2 repeats earlier segments."""
    out: list[int] = []
    _expand(words, 0, len(words), out, depth=0)
    return np.asarray(out, dtype=np.int64)


def _expand(
    words: Array, start: int, stop: int, out: list[int], *, depth: int, segments: int | None = None
) -> None:
    position, done = start, 0
    while position + 1 < stop and (segments is None or done < segments) and len(out) < _MAX_ENTRIES:
        opcode, length = int(words[position]), int(words[position + 1])
        position += 2
        if opcode == 0:
            out.extend(int(v) for v in words[position : position + length])
            position += length
        elif opcode == 1 and out:
            line = np.linspace(out[-1], int(words[position]), length + 1)[1:]
            out.extend(int(v) for v in np.rint(line))
            position += 1
        elif opcode == 2 and depth == 0:
            offset = int(words[position]) + (int(words[position + 1]) << 16)
            _expand(words, offset // 2, len(words), out, depth=1, segments=length)
            position += 2
        else:
            raise ValueError("the segmented palette is broken")
        done += 1
