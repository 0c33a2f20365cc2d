"""Image orientation by EXIF and TIFF tag 274, one rule for every format."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from clipsvd_app.imaging.values import Array

# Orientations 5 to 8 exchange rows and columns (TIFF 6.0, tag 274).
TAG = 274
_TURNED = (5, 6, 7, 8)


def is_turned(orientation: int) -> bool:
    """Say whether rows become columns when the image is turned upright."""
    return orientation in _TURNED


def upright(pixels: Array, orientation: int) -> Array:
    """Turn an image upright (TIFF 6.0, tag 274). pixels: (rows, columns[, samples])."""
    if is_turned(orientation):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
