"""Drawing measures in a pane: points of the viewport become points of the picture; whole ones are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, Signal

from clipsvd_app.domain.measures import POINTS_NEEDED, Measure, MeasureKind
from clipsvd_app.ui.viewer.tools.drawing import Drawing, begun

if TYPE_CHECKING:
    from clipsvd_app.domain.measures import Point
    from clipsvd_app.ui.viewer.canvas import Canvas

Measures = dict[str, tuple[Measure, ...]]
CLICK_PX = 4.0


class DrawingHand(QObject):
    """Draws on the picture named by ``key``; ``measures`` by picture are shared with the other panes.

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

    def press(self, at: QPointF) -> None:
        """Begin a measure where the pointer goes down, or carry its loose end there."""
        if self.drawing is None and self.kind is not None:
            self.drawing = begun(self.kind, self._point(at))
        self.move(at)

    def move(self, at: QPointF) -> None:
        """Carry the loose end of a measure along."""
        if self.drawing is not None:
            self.drawing = self.drawing.moved(self._point(at))
            self.moved.emit()

    def release(self, at: QPointF) -> None:
        """Set a point where the pointer comes up, away from the point before."""
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
        """Drop the measure under way; returns whether there was one."""
        drawn, self.drawing = self.drawing is not None, None
        self.moved.emit()
        return drawn

    def clear(self, *, only_newest: bool = False) -> None:
        """Take away what was drawn on this picture, or the newest of it."""
        self._measures[self.key] = self.measures[:-1] if only_newest else ()
        self.cancel()
        self.kept.emit()

    def adopt(self, measures: tuple[Measure, ...]) -> None:
        """Show what is kept with this picture."""
        self._measures[self.key] = measures

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

    def _besides_region(self) -> tuple[Measure, ...]:
        return tuple(measure for measure in self.measures if measure.kind != "region")

    def _point(self, at: QPointF) -> Point:
        point = self._canvas.to_image(at)
        return point.x(), point.y()
