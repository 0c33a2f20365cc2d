"""Drawing measures in a pane and moving them: points of the viewport become points of the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, Signal

from clipsvd_app.domain.measures import POINTS_NEEDED, Measure, MeasureKind
from clipsvd_app.ui.viewer.tools.drawing import Drawing, begun
from clipsvd_app.ui.viewer.tools.grabbing import Grab, Outline, grab_at, moved
from clipsvd_app.ui.viewer.tools.measures import outline_of

if TYPE_CHECKING:
    from clipsvd_app.domain.measures import Point
    from clipsvd_app.ui.viewer.pane.canvas import Canvas

Measures = dict[str, tuple[Measure, ...]]
CLICK_PX = 4.0


class DrawingHand(QObject):
    """Draws on the picture named by ``key``; ``measures`` by picture are shared with the other panes.

    ``selected`` is the place of the measure that was taken hold of last, which Delete takes away.

    Signals: ``moved()`` the measure under way has changed, ``kept()`` what is drawn on the picture has.
    """

    moved = Signal()
    kept = Signal()

    def __init__(self, canvas: Canvas, measures: Measures) -> None:
        super().__init__(canvas)
        self._canvas, self._measures = canvas, measures
        self.kind: MeasureKind | None = None
        self.drawing: Drawing | None = None
        self.key = ""
        self.selected: int | None = None
        self._grab: Grab | None = None
        self._grabbed_at: Point = (0.0, 0.0)
        self._grabbed: Measure | None = None

    @property
    def is_moving(self) -> bool:
        """Whether a measure is held."""
        return self._grab is not None

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What was drawn on this picture."""
        return self._measures.get(self.key, ())

    def set_tool(self, tool: str) -> None:
        """Draw another kind of measure, or none."""
        self.kind = next((kind for kind in POINTS_NEEDED if kind == tool), None)
        self.cancel()

    def turn_to(self, key: str) -> None:
        """Draw on another picture; a measure under way does not come along."""
        if key != self.key:
            self.key, self.drawing = key, None
            self.select(None)

    def select(self, index: int | None) -> None:
        """Mark a measure of this picture, or none."""
        self.selected = index if index is not None and index < len(self.measures) else None
        self._grab = self._grabbed = None
        self.moved.emit()

    def under(self, at: QPointF) -> Grab | None:
        """Return the measure that a press would take hold of."""
        if self.drawing is not None or not self.measures:
            return None
        return grab_at([self._outline(measure) for measure in self.measures], (at.x(), at.y()))

    def grab(self, at: QPointF) -> bool:
        """Take hold of the measure under the pointer; returns whether there is one."""
        found = self.under(at)
        self.select(None if found is None else found.index)
        if found is not None:
            self._grab, self._grabbed_at = found, self._point(at)
            self._grabbed = self.measures[found.index]
        return found is not None

    def press(self, at: QPointF) -> None:
        """Begin a measure where the pointer goes down, or carry its loose end there."""
        if self.drawing is None and self.kind is not None:
            self.drawing = begun(self.kind, self._point(at))
        self.move(at)

    def move(self, at: QPointF) -> None:
        """Carry the loose end of a measure along, or the one that is held."""
        if self._grab is not None and self._grabbed is not None:
            self._put(
                self._grab.index, moved(self._grabbed, self._grab.point, self._grabbed_at, self._point(at))
            )
        elif self.drawing is not None:
            self.drawing = self.drawing.moved(self._point(at))
            self.moved.emit()

    def release(self, at: QPointF) -> None:
        """Set a point where the pointer comes up, away from the point before, or let go of what is held."""
        if self._grab is not None:
            changed = self.measures[self._grab.index] != self._grabbed
            self._grab = self._grabbed = None
            if changed:
                self.kept.emit()
            return
        if self.drawing is None:
            return
        before = self._canvas.to_viewport(QPointF(*self.drawing.fixed[-1]))
        if (at - before).manhattanLength() >= CLICK_PX:
            self._fix(self.drawing.moved(self._point(at)))

    def key_point(self) -> None:
        """Set a point by key; the first one stands in the middle of what is seen."""
        if self.drawing is not None and self.drawing.loose != self.drawing.fixed[-1]:
            self._fix(self.drawing)
        elif self.drawing is None and self.kind is not None:
            self.drawing = begun(self.kind, self._point(QPointF(self._canvas.viewport.rect().center())))
        self.moved.emit()

    def step(self, columns: int, rows: int) -> None:
        """Move the loose end of a measure by whole pixels of the picture."""
        if self.drawing is not None:
            x, y = self.drawing.loose
            self.drawing = self.drawing.moved((x + columns, y + rows))
            self.moved.emit()

    def cancel(self) -> bool:
        """Drop the measure under way, put back what is held, else unmark; returns whether there was any."""
        if self._grab is not None and self._grabbed is not None:
            self._put(self._grab.index, self._grabbed)
        drawn = self.drawing is not None or self.selected is not None
        self.drawing = None
        self.select(None)
        return drawn

    def delete_selected(self) -> bool:
        """Take away the marked measure; returns whether one was."""
        gone = self.selected
        if gone is None:
            return False
        self._measures[self.key] = (*self.measures[:gone], *self.measures[gone + 1 :])
        self.select(None)
        self.kept.emit()
        return True

    def clear(self, *, only_newest: bool = False) -> None:
        """Take away what was drawn on this picture, or the newest of it."""
        self._measures[self.key] = self.measures[:-1] if only_newest else ()
        self.cancel()
        self.kept.emit()

    def adopt(self, measures: tuple[Measure, ...]) -> None:
        """Show what is kept with this picture."""
        if measures != self.measures:
            self._measures[self.key] = measures
            self.select(None)

    def give_region(self) -> None:
        """Take away the region because training has it now; no one is told."""
        self.adopt(self._besides_region())

    def _fix(self, drawing: Drawing) -> None:
        result = drawing.fixed_here()
        if isinstance(result, Drawing):
            self.drawing = result
        else:
            self.drawing = None
            one_region = result.kind == "region"  # one at a time: it is what training may be given
            self._measures[self.key] = (*(self._besides_region() if one_region else self.measures), result)
            self.kept.emit()
        self.moved.emit()

    def _put(self, index: int, measure: Measure) -> None:
        before = self.measures
        self._measures[self.key] = (*before[:index], measure, *before[index + 1 :])
        self.moved.emit()

    def _outline(self, measure: Measure) -> Outline:
        line, closed = outline_of(measure)
        points, drawn = (
            tuple((place.x(), place.y()) for place in (self._canvas.to_viewport(QPointF(*p)) for p in many))
            for many in (measure.points, line)
        )
        return Outline(points, drawn, closed)

    def _besides_region(self) -> tuple[Measure, ...]:
        return tuple(measure for measure in self.measures if measure.kind != "region")

    def _point(self, at: QPointF) -> Point:
        point = self._canvas.to_image(at)
        return point.x(), point.y()
