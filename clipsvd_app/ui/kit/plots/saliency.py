"""The map of what mattered in an image, as a veil of colour over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float32]

Grid = tuple[tuple[float, ...], ...]

_FLOOR = 0.15
"""Weights below this share of the largest leave the image untouched."""
_LOW, _HIGH = np.array([196.0, 40.0, 90.0]), np.array([255.0, 226.0, 90.0])
"""From crimson to pale yellow: lightness rises with the value, so the order needs no colour vision."""


def upsampled(grid: Grid, rows: int, columns: int) -> FloatArray:
    """Return the grid as a smooth (rows, columns) array of weights from 0 to 1.

    Patches whose hiding raised the score count as 0; the largest fall is 1. A grid without any fall
    gives zeros. Values stand for patch centres, as in bilinear image resizing.
    """
    weights = np.clip(np.asarray(grid, dtype=np.float32), 0.0, None)
    assert weights.ndim == 2, weights.shape
    peak = float(weights.max())
    if peak > 0:
        weights = weights / np.float32(peak)
    return _along(_along(weights, rows, 0), columns, 1)


def overlay(grid: Grid, width: int, height: int, opacity: float) -> QImage:
    """Return a premultiplied ARGB image, clear where nothing mattered; ``opacity`` from 0 to 1."""
    weights = upsampled(grid, height, width)[..., None]
    alpha = np.clip((weights - _FLOOR) / (1 - _FLOOR), 0.0, 1.0) ** 0.7 * opacity
    colour = (_LOW + (_HIGH - _LOW) * weights) * alpha
    pixels = np.empty((height, width, 4), np.uint8)
    pixels[..., 0:3] = colour[..., ::-1].round()
    pixels[..., 3:4] = (alpha * 255).round()
    image = QImage(pixels.data, width, height, width * 4, QImage.Format.Format_ARGB32_Premultiplied)
    return image.copy()


def letterboxed_view(width: int, height: int) -> QRectF:
    """Return the square that the model saw, as fractions of an image padded to a square around its middle."""
    side = max(width, height)
    w, h = side / width, side / height
    return QRectF((1 - w) / 2, (1 - h) / 2, w, h)


def _along(values: FloatArray, length: int, axis: int) -> FloatArray:
    size = values.shape[axis]
    place = np.clip((np.arange(length) + 0.5) * size / length - 0.5, 0, size - 1)
    low = np.floor(place).astype(np.intp)
    high = np.minimum(low + 1, size - 1)
    shape = (-1, 1) if axis == 0 else (1, -1)
    share = (place - low).astype(np.float32).reshape(shape)
    result: FloatArray = np.take(values, low, axis) * (1 - share) + np.take(values, high, axis) * share
    return result
