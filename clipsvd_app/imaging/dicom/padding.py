"""Pixel padding of DICOM: what lies outside of the picture (PS3.3 C.7.5.1.1.2 and C.7.6.26)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.imaging.dicom.elements import number

if TYPE_CHECKING:
    from clipsvd_app.imaging.dicom.elements import Dataset
    from clipsvd_app.imaging.values import Array

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
    """Mark padding; with a Range Limit everything between the two values is."""
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
