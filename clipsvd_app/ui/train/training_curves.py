"""Loss and batch accuracy against the step, while a run trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.figures.learning import training_figure
from clipsvd_app.ui.kit.figures.figure_view import FigureView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.run import StepMetrics


class TrainingCurves(FigureView):
    """Grows by a step at a time; a section that was zoomed to stays where it is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Loss and accuracy in training", parent)
        self._points: list[StepMetrics] = []
        self._total_steps = 0
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
        self._show()

    def set_points(self, points: Iterable[StepMetrics]) -> None:
        """Show a finished curve."""
        self._points = list(points)
        self._total_steps = self._points[-1].step if self._points else 0
        self._show()

    def _show(self) -> None:
        self.set_figure(training_figure(self._points, self._total_steps), keep_zoom=len(self._points) > 1)
