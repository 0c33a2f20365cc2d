"""What the stored values of DICOM mean: rescale, unit, LUTs, padding (PS3.3 C.7.6.3, C.11.1, C.11.2)."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from clipsvd_app.imaging.dicom.elements import (
    code,
    element,
    frame_group,
    is_unreadable,
    items,
    number,
    text,
    texts,
    whole,
)
from clipsvd_app.imaging.values import VoiLut

if TYPE_CHECKING:
    from clipsvd_app.imaging.dicom.elements import Dataset
    from clipsvd_app.imaging.values import Array, Bytes

_RESCALE = ("RescaleSlope", "RescaleIntercept")
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_CT = frozenset(_STORAGE + end for end in ("2", "2.1", "2.2"))
# X-ray angiography and radiofluoroscopy, single, enhanced and biplane.
_ANGIOGRAPHY = frozenset(_STORAGE + end for end in ("12.1", "12.1.1", "12.2", "12.2.1", "12.3"))
_KNOWN_UNITS = frozenset(
    {"HU", "HU_MOD", "US", "OD", "MGML", "Z_EFF", "ED", "PCT", "BQML", "CNTS", "GML", "PROPCPS"}
)
# Image types whose values are no attenuation, unless Rescale Type says HU (PS3.3 C.8.2.1.1.1, C.8.15.2).
_NO_ATTENUATION_WORDS = (
    "LOCALIZER SCOUT TOPO CBF CBV MTT TTP TMAX TTS PBV PERFUSION MAP PARAMETRIC IODINE WATER ZEFF EFF RHO/Z"
    " DENSITY FRACTIONAL REMOVED MODIFIED MAT OVERLAY PROTOCOL DOSE SNAPSHOT PASTED STATISTICS REPORT RGB"
    " SCREEN SEGMENTATION LABELMAP PROB PROBABILITY MASK"
)
_NOT_ATTENUATION = frozenset(_NO_ATTENUATION_WORDS.split())


def rescale_of(dataset: Dataset, frame: int) -> tuple[float, float] | None:
    """Return slope and intercept of a frame, absent ones as 1 and 0 (PS3.3 C.11.1.1.2).

    None where one of them is there and cannot be read, or means nothing: a slope of 0 leaves no image.
    """
    source = _rescaled(dataset, frame)
    if has_broken_table(dataset) or any(is_unusable(source, keyword) for keyword in _RESCALE):
        return None
    slope, intercept = number(source, "RescaleSlope"), number(source, "RescaleIntercept")
    return 1.0 if slope is None else slope, 0.0 if intercept is None else intercept


def has_broken_table(dataset: Dataset) -> bool:
    """Say whether there is a Modality LUT whose entries cannot be read."""
    tables = items(dataset, "ModalityLUTSequence")
    try:
        for table in tables[:1]:
            modality_table(table, signed=False, big_endian=False)
    except BROKEN_TABLE:
        return True
    return False


def is_unusable(source: Dataset, keyword: str) -> bool:
    """Say whether an element has a value that is no number, not finite, or a slope of 0."""
    value = number(source, keyword)
    nothing = value is not None and (not isfinite(value) or (keyword == "RescaleSlope" and value == 0))
    return nothing or is_unreadable(source, keyword)


def is_shown_as_stored(dataset: Dataset) -> bool:
    """Say whether the modality transformation linearises values and is not for display (PS3.4 N.2.1.2).

    This holds for angiography and radiofluoroscopy with logarithmic values (PS3.3 C.8.7.1.1.2).
    """
    relation = code(_properties(dataset), "PixelIntensityRelationship") or code(
        dataset, "PixelIntensityRelationship"
    )
    return relation == "LOG" and text(dataset, "SOPClassUID") in _ANGIOGRAPHY


def units_of(dataset: Dataset, frame: int = 0) -> str:
    """Return the unit of the pixels after the modality transformation, "" where none is known."""
    if is_shown_as_stored(dataset) or rescale_of(dataset, frame) is None:
        return ""
    source = _rescaled(dataset, frame)
    tables = items(dataset, "ModalityLUTSequence")
    said = code(tables[0], "ModalityLUTType") if tables else code(source, "RescaleType")
    if said == "HU" and not tables and number(source, "RescaleIntercept") is None:
        said = ""  # of values that were never rescaled
    unit = said or code(dataset, "Units")
    if unit:
        return unit if unit in _KNOWN_UNITS else ""
    return "HU" if _is_attenuation(dataset, source) else ""


def _is_attenuation(dataset: Dataset, source: Dataset) -> bool:
    """Say whether an object without a unit holds Hounsfield units: the CT image classes do by definition."""
    if code(dataset, "Modality") != "CT" or text(dataset, "SOPClassUID") not in {*_CT, ""}:
        return False
    if code(dataset, "MultienergyCTAcquisition") == "YES":
        return False
    if any(not _NOT_ATTENUATION.isdisjoint(_words(kind)) for kind in texts(dataset, "ImageType")[2:]):
        return False
    is_rescaled = number(source, "RescaleIntercept") is not None
    return is_rescaled or whole(dataset, "PixelRepresentation", 0) == 1


def _properties(dataset: Dataset) -> Dataset:
    """Return where enhanced angiography describes its values (PS3.3 C.8.19.6.4)."""
    return frame_group(dataset, "FramePixelDataPropertiesSequence", 0) or dataset


def _words(kind: str) -> tuple[str, ...]:
    return (kind.upper(), *kind.upper().replace("-", " ").replace("_", " ").split())


def _rescaled(dataset: Dataset, frame: int) -> Dataset:
    group = frame_group(dataset, "PixelValueTransformationSequence", frame)
    return dataset if group is None else group


# The exceptions that broken descriptors and tables raise.
BROKEN_TABLE = (TypeError, ValueError, LookupError, AttributeError, OverflowError)
_COLOURS = ("Red", "Green", "Blue")
# A descriptor of 16 bits writes 65,536 entries as 0 (PS3.3 C.11.1.1).
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
        table = _expanded(_table_words(segments, bits, big_endian=big_endian))
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
    table = _table_words(data, 8 if packed else 16, big_endian=big_endian)
    if len(table) < entries:
        raise ValueError("the lookup table is shorter than its descriptor says")
    return table[:entries]


def _table_words(data: Any, bits: int, *, big_endian: bool) -> Array:  # noqa: ANN401
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


_PREFIX = {"i": "", "u": "", "f4": "Float", "f8": "DoubleFloat"}


def padding_value(dataset: Dataset, stored: Array) -> float | None:
    """Return the padding value in the pixels' own type, None where there is none.

    The value representation of whole numbers may be wrong by its sign.
    """
    value = number(dataset, f"{_prefix(stored)}PixelPaddingValue")
    if value is None or not np.isfinite(value):
        return None
    return _as_stored(value, stored)


def is_padding(dataset: Dataset, stored: Array, padding: float) -> Array:
    """Return which pixels are padding; with a Range Limit, everything between the two values is."""
    limit = number(dataset, f"{_prefix(stored)}PixelPaddingRangeLimit")
    if limit is None or not np.isfinite(limit):
        return np.asarray(stored == padding)
    low, high = sorted((padding, _as_stored(limit, stored)))
    return np.asarray((stored >= low) & (stored <= high))


def _prefix(stored: Array) -> str:
    return _PREFIX.get(stored.dtype.kind) or _PREFIX.get(f"{stored.dtype.kind}{stored.dtype.itemsize}", "")


def _as_stored(value: float, stored: Array) -> float:
    if stored.dtype.kind == "f":
        return float(stored.dtype.type(value))
    span: int = 1 << (8 * stored.dtype.itemsize)
    highest = span // 2 - 1 if stored.dtype.kind == "i" else span - 1
    unsigned = int(value) % span
    return unsigned - span if unsigned > highest else unsigned
