"""Taking hold of a measure that is drawn already: one of its points, or the whole by its line. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clipsvd_app.domain.measures import Measure, Point

if TYPE_CHECKING:
    from collections.abc import Sequence

REACH_PX = 7.0
"""How far from a point or line the pointer still takes hold of it, in pixels of the screen."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A measure as it stands on the screen. points: those it is given by; line: what is drawn, end to end."""

    points: tuple[Point, ...]
    line: tuple[Point, ...]
    closed: bool


@dataclass(frozen=True, slots=True)
class Grab:
    """What is held: the measure at ``index``, by one of its points or, where that is None, by its line."""

    index: int
    point: int | None


def grab_at(outlines: Sequence[Outline], at: Point) -> Grab | None:
    """Return what lies under the pointer: points before lines, and the newest measure first."""
    newest_first = list(enumerate(outlines))[::-1]
    for index, outline in newest_first:
        near = [(math.dist(point, at), place) for place, point in enumerate(outline.points)]
        if near and min(near)[0] <= REACH_PX:
            return Grab(index, min(near)[1])
    for index, outline in newest_first:
        ends = outline.line[1:] + outline.line[:1] if outline.closed else outline.line[1:]
        if any(_to_segment(at, *ends_of) <= REACH_PX for ends_of in zip(outline.line, ends, strict=False)):
            return Grab(index, None)
    return None


def moved(measure: Measure, point: int | None, start: Point, to: Point) -> Measure:
    """Return a measure carried from one place of the picture to another, one of its points or the whole."""
    across, down = to[0] - start[0], to[1] - start[1]
    carried = [
        (x + across, y + down) if point in (None, place) else (x, y)
        for place, (x, y) in enumerate(measure.points)
    ]
    return replace(measure, points=tuple(carried))


def _to_segment(at: Point, start: Point, end: Point) -> float:
    along, down = end[0] - start[0], end[1] - start[1]
    length = along * along + down * down
    share = 0.0 if not length else ((at[0] - start[0]) * along + (at[1] - start[1]) * down) / length
    share = min(1.0, max(0.0, share))
    return math.dist(at, (start[0] + share * along, start[1] + share * down))
