"""Loss and batch accuracy against the step, while a run trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

from clipsvd_app.figures.learning import training_figure
from clipsvd_app.ui.kit.figures.figure_view import FigureView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.run import StepMetrics
    from clipsvd_app.figures.figure import Rows

# Ten steps a second may come, and a curve of 2,000 steps takes a tenth of a second to draw.
_REDRAW_MS = 300


class TrainingCurves(FigureView):
    """Grows by a step at a time; a section that was zoomed to stays where it is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Loss and accuracy in training", parent)
        self._points: list[StepMetrics] = []
        self._total_steps = 0
        self._due = QTimer(self, singleShot=True, interval=_REDRAW_MS)
        self._due.timeout.connect(self._show)
        self.setMinimumWidth(280)
        self._show()

    def start(self, total_steps: int) -> None:
        """Empty the figure and set the length of the step axis."""
        self._points, self._total_steps = [], total_steps
        self._show()

    def add_point(self, point: StepMetrics) -> None:
        """Append one step; a step that does not come after the last one starts a new curve."""
        if self._points and point.step <= self._points[-1].step:
            self._points = []
        self._points.append(point)
        if not self._due.isActive():
            self._due.start()

    def set_points(self, points: Iterable[StepMetrics]) -> None:
        """Show a finished curve."""
        self._points = list(points)
        self._total_steps = self._points[-1].step if self._points else 0
        self._show()

    def data_rows(self) -> Rows:
        if self._due.isActive():
            self._show()
        return super().data_rows()

    def _show(self) -> None:
        self._due.stop()
        self.set_figure(training_figure(self._points, self._total_steps), keep_zoom=len(self._points) > 1)
