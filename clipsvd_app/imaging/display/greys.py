"""From a decoded frame to what the screen and the model see."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from clipsvd_app.imaging.display.windows import IDENTITY_8_BIT, apply_window

if TYPE_CHECKING:
    from clipsvd_app.domain.view import Crop, Window
    from clipsvd_app.imaging.values import Array, Bytes, Frame, VoiLut

_RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def to_display(frame: Frame, window: Window | None = None, *, crop: Crop | None = None) -> Bytes:
    """Return (rows, columns) or (rows, columns, 3) uint8: windowed, MONOCHROME1 inverted, padding black."""
    pixels = frame.pixels if crop is None else cropped(frame.pixels, crop)
    if pixels.ndim == 3:
        plain = window is None or window == IDENTITY_8_BIT
        return np.array(pixels, dtype=np.uint8) if plain or window is None else apply_window(pixels, window)
    table = frame.table_of(window)
    return greys_of(pixels, window or frame.window, table, inverted=frame.inverted, padding=frame.padding)


def greys_of(
    pixels: Array, window: Window, table: VoiLut | None = None, *, inverted: bool, padding: float | None
) -> Bytes:
    """Return (rows, columns) uint8 of grey pixels; a table is used in place of the window."""
    greys = apply_window(pixels, window) if table is None else _through_lut(pixels, table)
    if inverted:
        np.subtract(255, greys, out=greys)
    if padding is not None:
        greys[pixels == pixels.dtype.type(padding)] = 0
    return greys


def rgb_of(display: Bytes) -> Bytes:
    """Return (rows, columns, 3) of a grey or RGB display image."""
    if display.ndim == 3:
        return display
    return np.repeat(display[:, :, np.newaxis], 3, axis=2)


def letterbox(rgb: Bytes, side: int, interpolation: str = "bicubic") -> Bytes:
    """Fit (rows, columns, 3) into a black square (side, side, 3) without cutting or stretching."""
    rows, columns = rgb.shape[:2]
    scale = side / max(rows, columns)
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    fitted = np.asarray(Image.fromarray(rgb).resize(size, _RESAMPLING[interpolation]))
    square = np.zeros((side, side, 3), dtype=np.uint8)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = fitted
    return square


def cropped(pixels: Array, crop: Crop) -> Array:
    """Cut out the pixels that the crop touches, at least one."""
    rows, columns = pixels.shape[:2]
    top, bottom = _span(crop.y, crop.height, rows)
    left, right = _span(crop.x, crop.width, columns)
    return pixels[top:bottom, left:right]


def _span(start: float, length: float, size: int) -> tuple[int, int]:
    # 1e-6 of a pixel: a crop that ends on a pixel's edge must not take in the next by rounding.
    first = min(size - 1, math.floor(start * size + 1e-6))
    return first, max(first + 1, min(size, math.ceil((start + length) * size - 1e-6)))


def _through_lut(pixels: Array, table: VoiLut) -> Bytes:
    index = np.clip(np.rint(pixels).astype(np.int64) - table.first, 0, len(table.greys) - 1)
    return table.greys[index]
