"""Changing a window by hand, and the colours of a heat map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from clipsvd_app.domain.view import Window

GREYS = 256
DRAG_PX_PER_DOUBLING = 220.0
DRAG_PX_PER_WIDTH = 320.0


def dragged(window: Window, right_px: float, down_px: float, least_width: float) -> Window:
    """Return the window after a drag: to the right wider, downwards a higher centre (darker)."""
    width = max(least_width, window.width * 2.0 ** (right_px / DRAG_PX_PER_DOUBLING))
    return replace(window, centre=window.centre + down_px * width / DRAG_PX_PER_WIDTH, width=width)


def least_width(window: Window, dtype: np.dtype[np.generic]) -> float:
    """Return the narrowest useful window: one step of whole numbers (C.11.2.1.2.1: at least 1)."""
    if window.function == "LINEAR" or np.issubdtype(dtype, np.integer):
        return 1.0
    return abs(window.width) * 1e-3 or 1e-6


def heat_lut() -> NDArray[np.uint8]:
    """Return (256, 4) RGBA from clear through red and orange to pale yellow."""
    at = np.linspace(0.0, 1.0, GREYS)
    stops = (0.0, 0.35, 0.7, 1.0)
    red = np.interp(at, stops, (60, 190, 250, 255))
    green = np.interp(at, stops, (0, 30, 140, 245))
    blue = np.interp(at, stops, (80, 60, 20, 170))
    alpha = 255.0 * np.clip(at * 1.4, 0.0, 1.0)
    return np.stack([red, green, blue, alpha], axis=1).round().astype(np.uint8)
