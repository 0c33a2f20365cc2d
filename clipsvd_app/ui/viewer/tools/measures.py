"""What was drawn on a picture, and its figures in words. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from clipsvd_app.ui.viewer.tools.measuring import (
    Point,
    Region,
    Spacing,
    angle_deg,
    distance,
    figures_in,
    region_between,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

MeasureKind = Literal["distance", "angle", "region"]
POINTS_NEEDED: dict[MeasureKind, int] = {"distance": 2, "angle": 3, "region": 2}


@dataclass(frozen=True, slots=True)
class Measure:
    """A finished measure, or one under way when it has fewer points than it needs."""

    kind: MeasureKind
    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        assert 1 <= len(self.points) <= POINTS_NEEDED[self.kind]

    @property
    def whole(self) -> bool:
        """Whether all its points are set."""
        return len(self.points) == POINTS_NEEDED[self.kind]

    def region(self, pixels: NDArray[Any]) -> Region | None:
        """Return the pixels of a whole region within the picture."""
        if self.kind != "region" or not self.whole:
            return None
        corner, opposite = self.points
        return region_between(corner, opposite, pixels.shape[0], pixels.shape[1])


def words_for(measure: Measure, pixels: NDArray[Any], spacing_mm: Spacing, units: str) -> tuple[str, ...]:
    """Return the lines beside a measure; lengths are in pixels, and say so, without a spacing."""
    points = measure.points
    if measure.kind == "angle" and measure.whole:
        return (f"{angle_deg(points[0], points[1], points[2], spacing_mm):.1f}°",)
    if measure.kind != "region":
        return () if len(points) < 2 else _length(points[0], points[1], spacing_mm)
    region = measure.region(pixels)
    return () if region is None else _region_words(region, pixels, spacing_mm, units)


def _length(start: Point, end: Point, spacing_mm: Spacing) -> tuple[str, ...]:
    length = distance(start, end, spacing_mm)
    return (f"{length:.1f} mm" if spacing_mm else f"{length:.1f} px",)


def _region_words(region: Region, pixels: NDArray[Any], spacing_mm: Spacing, units: str) -> tuple[str, ...]:
    size = f"{region.width} × {region.height} px"
    if spacing_mm is not None:
        size = f"{region.width * spacing_mm[1]:.1f} × {region.height * spacing_mm[0]:.1f} mm"
    if pixels.ndim == 3:
        return (size,)
    figures = figures_in(pixels, region, spacing_mm)
    area = "" if figures.area_mm2 is None else f"   {figures.area_mm2 / 100:.2f} cm²"
    return (
        size + area,
        f"mean {figures.mean:.1f} ± {figures.deviation:.1f} {units}".rstrip(),
        f"{figures.least:.4g} to {figures.most:.4g} {units}".rstrip(),
    )
