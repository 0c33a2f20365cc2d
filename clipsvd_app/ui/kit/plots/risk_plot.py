"""What it buys to leave the least certain cases to a person: the error among those that are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.ui.kit.plots.plot_widget import PlotWidget, Rows, Spot, line_height, sized
from clipsvd_app.ui.kit.plots.unit_axes import draw_unit_axes, unit_axes

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.evaluation import CoveragePoint
    from clipsvd_app.ui.look.theme import Palette

_TOPS = (0.1, 0.2, 0.4, 0.6, 1.0)


class RiskPlot(PlotWidget):
    """The share of wrong answers against the share of cases that the model answers at all."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: tuple[CoveragePoint, ...] = ()
        self.setAccessibleName("Errors among the surest answers")
        self.setMinimumSize(280, 220)

    def set_points(self, points: tuple[CoveragePoint, ...]) -> None:
        """Show a curve."""
        self._points = tuple(sorted(points, key=lambda point: point.coverage))
        self.say("; ".join(_sentence(point) for point in self._points[:: max(1, len(self._points) // 5)]))

    def sizeHint(self) -> QSize:
        return QSize(420, 300)

    def data_rows(self) -> Rows:
        return (("coverage", "risk"), *((repr(p.coverage), repr(p.risk)) for p in self._points))

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        if not self._points:
            return ()
        painter.setFont(sized(self.font(), 0.92))
        worst = max(point.risk for point in self._points)
        top = next(each for each in _TOPS if worst <= each)
        axes = unit_axes(area, line_height(painter.font()), top=top)
        draw_unit_axes(painter, axes, palette, "Answered, the surest first, %", "Wrong among them, %")
        accent = palette.color("accent")
        painter.setPen(QPen(accent, 2.2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF([axes.at(point.coverage, point.risk) for point in self._points]))
        end = self._points[-1]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(accent)
        painter.drawEllipse(axes.at(end.coverage, end.risk), 4, 4)
        width = max(3.0, axes.frame.width() / len(self._points))
        return tuple(
            Spot(
                QRectF(axes.at(p.coverage, 0).x() - width / 2, axes.frame.y(), width, axes.frame.height()),
                _sentence(p),
            )
            for p in self._points
        )


def _sentence(point: CoveragePoint) -> str:
    return f"Of the surest {percent(point.coverage)}, {percent(point.risk)} are wrong"
