"""What a reader drew on an image: a few points, in pixels of the image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Point = tuple[float, float]
MeasureKind = Literal["distance", "angle", "region", "ellipse"]
POINTS_NEEDED: dict[MeasureKind, int] = {"distance": 2, "angle": 3, "region": 2, "ellipse": 2}


@dataclass(frozen=True, slots=True)
class Measure:
    """A finished measure, or one under way when it has fewer points than it needs.

    points: (column, row), the middle of the first pixel at (0.5, 0.5); an angle's vertex stands second; a
    region and an ellipse are given by opposite corners of their box.
    """

    kind: MeasureKind
    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        assert 1 <= len(self.points) <= POINTS_NEEDED[self.kind]
        assert all(math.isfinite(number) for point in self.points for number in point)

    @property
    def whole(self) -> bool:
        """Whether all its points are set."""
        return len(self.points) == POINTS_NEEDED[self.kind]
