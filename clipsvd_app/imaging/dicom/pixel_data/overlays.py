"""Graphic overlays of DICOM images (PS3.3 C.9.2): drawn on request, never part of what is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from clipsvd_app.imaging.dicom.elements import damage
from clipsvd_app.imaging.guard import refusals

if TYPE_CHECKING:
    from clipsvd_app.imaging.dicom.elements import Dataset
    from clipsvd_app.imaging.dicom.true_image import TrueDataset
    from clipsvd_app.imaging.values import Array

# Overlays lie in the even groups 6000 to 601E (PS3.5 7.6); these are their elements (PS3.3 C.9.2).
_FIRST_GROUP, _LAST_GROUP = 0x6000, 0x601E
_ROWS, _COLUMNS, _FRAMES, _TYPE, _ORIGIN = 0x0010, 0x0011, 0x0015, 0x0040, 0x0050
_FRAME_ORIGIN, _BITS_ALLOCATED, _BIT_POSITION, _LABEL, _DATA = 0x0051, 0x0100, 0x0102, 0x1500, 0x3000


@dataclass(frozen=True, slots=True)
class Overlay:
    """One overlay of one frame. mask: (rows, columns) bool, of the frame's size; label: the file's own."""

    mask: npt.NDArray[np.bool_]
    is_region: bool
    label: str = ""


def count_overlays(dataset: Dataset) -> int:
    """Count the overlay groups of a data set."""
    return sum(_value(dataset, group, _ROWS) is not None for group in _groups())


def count_high_overlays(dataset: Dataset) -> int:
    """Count the overlays that lie in unused bits of the pixels."""
    return sum(bool(_value(dataset, group, _BIT_POSITION)) for group in _groups())


def overlays_of(dataset: TrueDataset, frame: int, raw: Array | None = None) -> tuple[Overlay, ...]:
    """Return the overlays of a frame, placed on it.

    raw: (rows, columns) of the pixels as allocated, for retired overlays in their unused high bits
    (PS3.5 8.1.2, 2004); without it those are left out. Overlays whose data are too short are left out too.
    """
    found = [_overlay(dataset, group, frame, raw) for group in _groups()]
    return tuple(overlay for overlay in found if overlay is not None)


def _overlay(dataset: TrueDataset, group: int, frame: int, raw: Array | None) -> Overlay | None:
    bits = _bits(dataset, group, frame, raw)
    if bits is None:
        return None
    shape = _number(dataset, "Rows"), _number(dataset, "Columns")
    # Overlay Origin counts from 1.
    top, left = _pair(_value(dataset, group, _ORIGIN))
    return Overlay(
        mask=placed(bits, shape, top - 1, left - 1),
        is_region=str(_value(dataset, group, _TYPE) or "").strip() == "R",
        label=str(_value(dataset, group, _LABEL) or "").strip(),
    )


def placed(bits: Array, shape: tuple[int, int], top: int, left: int) -> npt.NDArray[np.bool_]:
    """Lay an overlay with its upper left corner at (top, left) of a frame; what lies outside is cut off."""
    mask = np.zeros(shape, dtype=np.bool_)
    rows, columns = bits.shape
    first_row, first_column = max(0, top), max(0, left)
    last_row, last_column = min(shape[0], top + rows), min(shape[1], left + columns)
    if first_row < last_row and first_column < last_column:
        part = bits[first_row - top : last_row - top, first_column - left : last_column - left]
        mask[first_row:last_row, first_column:last_column] = part
    return mask


def _bits(dataset: TrueDataset, group: int, frame: int, raw: Array | None) -> Array | None:
    rows, columns = _value(dataset, group, _ROWS), _value(dataset, group, _COLUMNS)
    if not isinstance(rows, int) or not isinstance(columns, int) or min(rows, columns) <= 0:
        return None
    if rows * columns > refusals.MAX_FRAME_PIXELS:
        return None
    data = _value(dataset, group, _DATA)
    if isinstance(data, bytes):
        if dataset.is_big_endian and _representation(dataset, group, _DATA) != "OB":
            data = np.frombuffer(data[: len(data) // 2 * 2], ">u2").astype("<u2").tobytes()
        return _packed(data, rows, columns, _index(dataset, group, frame))
    position = _value(dataset, group, _BIT_POSITION)
    if (
        raw is None
        or not isinstance(position, int)
        or raw.dtype.kind not in "iu"
        or raw.shape != (rows, columns)
    ):
        return None
    return np.asarray((raw >> position) & 1, dtype=np.bool_) if 0 < position < 8 * raw.itemsize else None


def _packed(data: bytes, rows: int, columns: int, index: int | None) -> Array | None:
    """Unpack one frame of bits, the lowest of each byte first (PS3.5 8.1.1); frames follow without gaps."""
    if index is None:
        return None
    start = index * rows * columns
    stop = start + rows * columns
    if 8 * len(data) < stop:
        return None
    part = np.frombuffer(data, np.uint8)[start // 8 : -(-stop // 8)]
    bits = np.unpackbits(part, bitorder="little")[start % 8 :][: rows * columns]
    return bits.reshape(rows, columns).astype(np.bool_)


def _index(dataset: Dataset, group: int, frame: int) -> int | None:
    """Return which frame of the overlay belongs to a frame of the image; one overlay belongs to all."""
    frames = _value(dataset, group, _FRAMES)
    if not isinstance(frames, (int, float)) or frames <= 1:
        return 0
    first = _value(dataset, group, _FRAME_ORIGIN)
    index = frame - (int(first) - 1 if isinstance(first, (int, float)) else 0)
    return index if 0 <= index < frames else None


def _groups() -> range:
    return range(_FIRST_GROUP, _LAST_GROUP + 1, 2)


def _value(dataset: Dataset, group: int, element: int) -> Any:  # noqa: ANN401 - whatever the file holds
    try:
        found = dataset.get((group, element))
        return None if found is None else found.value
    except damage():
        return None


def _representation(dataset: Dataset, group: int, element: int) -> str:
    return str(getattr(dataset.get((group, element)), "VR", ""))


def _number(dataset: Dataset, keyword: str) -> int:
    return int(dataset.get(keyword) or 0)


def _pair(value: Any) -> tuple[int, int]:  # noqa: ANN401
    try:
        top, left = (int(v) for v in value)
    except (TypeError, ValueError):
        return 1, 1
    return top, left
