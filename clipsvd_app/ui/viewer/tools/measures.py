"""The figures of what was drawn on a picture, in words. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clipsvd_app.ui.viewer.tools.geometry import (
    Region,
    Spacing,
    angle_deg,
    distance,
    ellipse_figures,
    figures_in,
    region_between,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from clipsvd_app.domain.measures import Measure, Point
    from clipsvd_app.ui.viewer.tools.geometry import RegionFigures

ELLIPSE_POINTS = 72


@dataclass(frozen=True, slots=True)
class MeasureScale:
    """What lengths are in: millimetres where there is a spacing, in the plane that is named, else pixels.

    aspect: how much farther apart rows are than columns, for angles where there is no spacing.
    """

    spacing_mm: Spacing = None
    aspect: float = 1.0
    plane: str = ""

    @property
    def shape(self) -> tuple[float, float]:
        """Distances of rows and columns in any one unit."""
        return self.spacing_mm or (self.aspect, 1.0)

    @property
    def unit(self) -> str:
        """The unit with its plane."""
        return f"mm {self.plane}".rstrip() if self.spacing_mm else "px"


def region_in(measure: Measure, pixels: NDArray[Any]) -> Region | None:
    """Return the pixels of a whole region within the picture."""
    if measure.kind != "region" or not measure.whole:
        return None
    corner, opposite = measure.points
    return region_between(corner, opposite, pixels.shape[0], pixels.shape[1])


def outline_of(measure: Measure) -> tuple[tuple[Point, ...], bool]:
    """Return the points of the line drawn of a whole measure, and whether it is closed."""
    if measure.kind not in ("region", "ellipse") or not measure.whole:
        return measure.points, False
    (left, top), (right, bottom) = measure.points
    if measure.kind == "region":
        return ((left, top), (right, top), (right, bottom), (left, bottom)), True
    x, y, across, along = (left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2
    turns = (2 * math.pi * number / ELLIPSE_POINTS for number in range(ELLIPSE_POINTS))
    return tuple((x + across * math.cos(turn), y + along * math.sin(turn)) for turn in turns), True


def words_for(measure: Measure, pixels: NDArray[Any], scale: MeasureScale, units: str) -> tuple[str, ...]:
    """Return the lines beside a measure; lengths are in pixels, and say so, without a spacing."""
    points = measure.points
    if measure.kind == "angle" and measure.whole:
        return (f"{angle_deg(points[0], points[1], points[2], scale.shape):.1f}°",)
    if measure.kind == "ellipse":
        return () if len(points) < 2 else _ellipse_words(points[0], points[1], pixels, scale, units)
    if measure.kind != "region":
        return () if len(points) < 2 else _length(points[0], points[1], scale)
    region = region_in(measure, pixels)
    return () if region is None else _region_words(region, pixels, scale, units)


def _length(start: Point, end: Point, scale: MeasureScale) -> tuple[str, ...]:
    length = distance(start, end, scale.spacing_mm)
    return (f"{length:.1f} {scale.unit}",)


def _region_words(region: Region, pixels: NDArray[Any], scale: MeasureScale, units: str) -> tuple[str, ...]:
    size = _size(region.width, region.height, scale)
    if pixels.ndim == 3:
        return (size,)
    return _figures(size, figures_in(pixels, region, scale.spacing_mm), units)


def _ellipse_words(
    corner: Point, opposite: Point, pixels: NDArray[Any], scale: MeasureScale, units: str
) -> tuple[str, ...]:
    width, height = abs(opposite[0] - corner[0]), abs(opposite[1] - corner[1])
    if scale.spacing_mm is None:
        width, height = round(width), round(height)
    size = _size(width, height, scale)
    if pixels.ndim == 3:
        return (size,)
    return _figures(size, ellipse_figures(pixels, corner, opposite, scale.spacing_mm), units)


def _size(width: float, height: float, scale: MeasureScale) -> str:
    if scale.spacing_mm is None:
        return f"{width} × {height} {scale.unit}"
    return f"{width * scale.spacing_mm[1]:.1f} × {height * scale.spacing_mm[0]:.1f} {scale.unit}"


def _figures(size: str, figures: RegionFigures, units: str) -> tuple[str, ...]:
    area = "" if figures.area_mm2 is None else f"   {figures.area_mm2 / 100:.2f} cm²"
    if math.isnan(figures.mean):
        return (size + area,)
    return (
        size + area,
        f"mean {figures.mean:.1f} ± {figures.deviation:.1f} {units}".rstrip(),
        f"{figures.least:.4g} to {figures.most:.4g} {units}".rstrip(),
    )
