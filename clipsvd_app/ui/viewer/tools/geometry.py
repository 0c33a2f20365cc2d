"""Lengths, angles and regions of a picture, in millimetres where the spacing is known. No Qt.

Points are (column, row) in pixels from the upper left corner, so that the middle of the first pixel is
(0.5, 0.5). ``spacing_mm`` is (between rows, between columns), or None where it is unknown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from clipsvd_app.domain.view import Crop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from clipsvd_app.domain.measures import Point

Spacing = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Region:
    """Whole pixels: the first column and row, then how many."""

    left: int
    top: int
    width: int
    height: int

    def __post_init__(self) -> None:
        assert min(self.left, self.top) >= 0
        assert min(self.width, self.height) > 0

    def crop(self, rows: int, columns: int) -> Crop:
        """Return the region as fractions of a frame."""
        return Crop(self.left / columns, self.top / rows, self.width / columns, self.height / rows)


@dataclass(frozen=True, slots=True)
class RegionFigures:
    """What a region of a grey picture holds; ``area_mm2`` is None without a spacing."""

    mean: float
    deviation: float
    least: float
    most: float
    area_mm2: float | None


def distance(start: Point, end: Point, spacing_mm: Spacing) -> float:
    """Return the length in millimetres, or in pixels without a spacing."""
    return math.hypot(*_between(start, end, spacing_mm))


def angle_deg(first: Point, vertex: Point, last: Point, spacing_mm: Spacing) -> float:
    """Return the angle at the vertex, from 0 to 180; 0 where an arm has no length."""
    one, other = _between(vertex, first, spacing_mm), _between(vertex, last, spacing_mm)
    across = one[0] * other[1] - one[1] * other[0]
    along = one[0] * other[0] + one[1] * other[1]
    return abs(math.degrees(math.atan2(across, along)))


def region_between(corner: Point, opposite: Point, rows: int, columns: int) -> Region | None:
    """Return the pixels that a rectangle touches, cut at the frame; None when it touches none."""
    left, right = _span(corner[0], opposite[0], columns)
    top, bottom = _span(corner[1], opposite[1], rows)
    if right <= left or bottom <= top:
        return None
    return Region(left, top, right - left, bottom - top)


def region_of(crop: Crop, rows: int, columns: int) -> Region | None:
    """Return the pixels of a region that is given as fractions of the frame."""
    right, bottom = crop.x + crop.width, crop.y + crop.height
    ends = (crop.x * columns, crop.y * rows), (right * columns, bottom * rows)
    return region_between(*ends, rows, columns)


def figures_in(pixels: NDArray[Any], region: Region, spacing_mm: Spacing) -> RegionFigures:
    """Return mean, standard deviation, extremes and area; values that are no number are left out."""
    assert pixels.ndim == 2, "statistics for grey-scale images only"
    part = pixels[region.top : region.top + region.height, region.left : region.left + region.width]
    area = None if spacing_mm is None else region.width * region.height * spacing_mm[0] * spacing_mm[1]
    return _figures_of(part, area)


def ellipse_figures(
    pixels: NDArray[Any], corner: Point, opposite: Point, spacing_mm: Spacing
) -> RegionFigures:
    """Return the figures of the pixels whose middles lie in the ellipse of a box, and the ellipse's area."""
    assert pixels.ndim == 2, "statistics for grey-scale images only"
    across, along = abs(opposite[0] - corner[0]) / 2, abs(opposite[1] - corner[1]) / 2
    area = None if spacing_mm is None else math.pi * across * along * spacing_mm[0] * spacing_mm[1]
    region = region_between(corner, opposite, *pixels.shape)
    if region is None or not min(across, along):
        return RegionFigures(math.nan, math.nan, math.nan, math.nan, area)
    part = pixels[region.top : region.top + region.height, region.left : region.left + region.width]
    x = (np.arange(region.width) + region.left + 0.5 - (corner[0] + opposite[0]) / 2) / across
    y = (np.arange(region.height) + region.top + 0.5 - (corner[1] + opposite[1]) / 2) / along
    return _figures_of(part[y[:, np.newaxis] ** 2 + x**2 <= 1.0], area)


def _figures_of(part: NDArray[Any], area_mm2: float | None) -> RegionFigures:
    values = part[np.isfinite(part)].astype(np.float64)
    if values.size == 0:
        return RegionFigures(math.nan, math.nan, math.nan, math.nan, area_mm2)
    least, most = float(values.min()), float(values.max())
    return RegionFigures(float(values.mean()), float(values.std()), least, most, area_mm2)


def _between(start: Point, end: Point, spacing_mm: Spacing) -> Point:
    row_mm, column_mm = spacing_mm or (1.0, 1.0)
    return (end[0] - start[0]) * column_mm, (end[1] - start[1]) * row_mm


def _span(one: float, other: float, size: int) -> tuple[int, int]:
    low, high = sorted((one, other))
    slack = 1e-6 * size  # a fraction of a pixel edge comes back a hair beside it
    return max(0, math.floor(low + slack)), min(size, math.ceil(high - slack))
