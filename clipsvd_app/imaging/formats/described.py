"""The description of a raster image, and how transparency and depth are shown, the same for every format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.imaging.values import FileNote

if TYPE_CHECKING:
    from clipsvd_app.imaging.values import Array, Bytes

# Bounds the memory of intermediate values in 64-bit numbers.
_PIXELS_AT_ONCE = 1024**2


@dataclass(frozen=True, slots=True)
class Described:
    """An image's description before it is decoded; rows and columns as stored, before it is turned upright.

    photometric: as DICOM names it. bits: of a sample. orientation: TIFF tag 274. aspect: the height of a
    stored pixel over its width. brightest: the value that is white, where the file says so.
    """

    photometric: str
    codec: str
    rows: int
    columns: int
    frames: int
    bits: int
    pixel_bytes: int
    orientation: int = 1
    aspect: float = 1.0
    brightest: int | None = None
    notes: tuple[FileNote, ...] = ()


def aspect_of(across: float, down: float) -> float:
    """Return a pixel's height over its width from two resolutions; implausible ratios count as square."""
    if not (np.isfinite([across, down]).all() and min(across, down) > 0):
        return 1.0
    ratio = across / down
    # Beyond a factor of 10 a tag is wrong; within 1 % the difference is rounding of dots per inch.
    return ratio if 0.1 <= ratio <= 10 and abs(ratio - 1) > 0.01 else 1.0


def on_black(values: Array, alpha: Array, *, inverted: bool = False) -> Array:
    """Lay values of whole numbers over black. values: (rows, columns[, samples]); alpha: (rows, columns).

    inverted: the highest value is black.
    """
    full = int(np.iinfo(alpha.dtype).max)
    black = int(np.iinfo(values.dtype).max) if inverted else 0
    laid = np.empty(values.shape, values.dtype)
    rows = max(1, _PIXELS_AT_ONCE // max(1, values.shape[1]))
    for top in range(0, len(values), rows):
        share = alpha[top : top + rows].astype(np.float64) / full
        if values.ndim == 3:
            share = share[:, :, np.newaxis]
        part = values[top : top + rows].astype(np.float64)
        laid[top : top + rows] = np.rint(black + (part - black) * share)
    return laid


def eight_bits(colours: Array, bits: int) -> Bytes:
    """Return colours as uint8: the upper 8 bits of deeper ones, the full range of shallower ones."""
    if bits > 8:
        return (colours >> (bits - 8)).astype(np.uint8)
    if bits == 8:
        return colours.astype(np.uint8, copy=False)
    return (colours.astype(np.uint16) * 255 // ((1 << bits) - 1)).astype(np.uint8)
