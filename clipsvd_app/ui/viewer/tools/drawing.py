"""Setting the points of a measure one by one, by dragging, clicking or key. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace

from clipsvd_app.domain.measures import POINTS_NEEDED, Measure, MeasureKind, Point


@dataclass(frozen=True, slots=True)
class Drawing:
    """A measure under way: the points set so far, and the loose one that follows the pointer.

    The first point is set where the pointer goes down. Every other one is set where it comes up away
    from the point before: so a line can be dragged, or clicked at both ends.
    """

    kind: MeasureKind
    fixed: tuple[Point, ...]
    loose: Point

    @property
    def measure(self) -> Measure:
        """The measure as it would be with the loose point."""
        return Measure(self.kind, (*self.fixed, self.loose))

    def moved(self, to: Point) -> Drawing:
        """Carry the loose point along."""
        return replace(self, loose=to)

    def fixed_here(self) -> Drawing | Measure:
        """Set the loose point; the last one makes the measure whole."""
        fixed = (*self.fixed, self.loose)
        if len(fixed) == POINTS_NEEDED[self.kind]:
            return Measure(self.kind, fixed)
        return replace(self, fixed=fixed)


def begun(kind: MeasureKind, at: Point) -> Drawing:
    """Return a drawing whose first point is set."""
    return Drawing(kind, (at,), at)
