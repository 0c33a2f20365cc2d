"""How a camera or scanner was held: EXIF and TIFF tag 274, one rule for every container."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from clipsvd_app.imaging.values import Array

TAG = 274
_TURNED = (5, 6, 7, 8)


def is_turned(orientation: int) -> bool:
    """Say whether rows become columns when the picture is put upright."""
    return orientation in _TURNED


def upright(pixels: Array, orientation: int) -> Array:
    """Put a picture upright (TIFF 6.0, tag 274). pixels: (rows, columns[, samples])."""
    if is_turned(orientation):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
