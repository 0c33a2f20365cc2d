"""What more labels bought so far: balanced accuracy against images per class."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from clipsvd_app.domain.results.evaluation import METHOD_TITLES, LearningPoint, MethodName
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.ui.kit.plots.plot_widget import (
    PlotWidget,
    Rows,
    Spot,
    hairline,
    line_height,
    sized,
    write,
)
from clipsvd_app.ui.kit.plots.unit_axes import UnitAxes

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.ui.look.theme import Palette

_RIGHT = Qt.AlignmentFlag.AlignRight
_CENTRE = Qt.AlignmentFlag.AlignHCenter


class LearningPlot(PlotWidget):
    """A line a method over shots (each step doubles them); whiskers are the range over draws."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: tuple[LearningPoint, ...] = ()
        self._classes = 0
        self.setAccessibleName("Learning curve")
        self.setMinimumSize(300, 220)

    def set_points(self, points: tuple[LearningPoint, ...], classes: int) -> None:
        """Show the curves; the dashed line is what guessing among ``classes`` gets."""
        self._points, self._classes = points, classes
        self.say("; ".join(_sentence(point) for point in points))

    def sizeHint(self) -> QSize:
        return QSize(520, 270)

    def data_rows(self) -> Rows:
        header = ("method", "shots", "balanced_accuracy", "low", "high", "draws")
        return (
            header,
            *(
                (p.method, str(p.shots), repr(p.balanced_accuracy), repr(p.low), repr(p.high), str(p.draws))
                for p in self._points
            ),
        )

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        if not self._points:
            return ()
        painter.setFont(sized(self.font(), 0.92))
        em = line_height(painter.font())
        methods = tuple(dict.fromkeys(point.method for point in self._points))
        axes = UnitAxes(area.adjusted(em * 3.0, em * (0.6 + 1.3 * len(methods)), -em * 1.2, -em * 2.6))
        self._draw_axes(painter, axes, palette)
        spots: list[Spot] = []
        for row, method in enumerate(methods):
            colour = palette.color("accent") if method == "clip_svd" else QColor(palette.series[1 + row])
            line = QRectF(axes.frame.x(), area.y() + em * 1.3 * row, axes.frame.width(), em * 1.2)
            _draw_key(painter, line, METHOD_TITLES[method], colour, palette)
            spots += self._draw_method(painter, axes, method, colour, row, palette)
        return tuple(spots)

    def _draw_axes(self, painter: QPainter, axes: UnitAxes, palette: Palette) -> None:
        em = line_height(painter.font())
        muted, frame = palette.color("text_muted"), axes.frame
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            y = axes.at(0, share).y()
            painter.setPen(hairline(palette.color("border")))
            painter.drawLine(QPointF(frame.x(), y), QPointF(frame.right(), y))
            write(
                painter,
                QRectF(frame.x() - em * 2.8, y - em / 2, em * 2.4, em),
                f"{share * 100:.0f}",
                muted,
                _RIGHT,
            )
        if self._classes:
            y = axes.at(0, 1 / self._classes).y()
            painter.setPen(hairline(palette.color("text_faint"), dashed=True))
            painter.drawLine(QPointF(frame.x(), y), QPointF(frame.right(), y))
        for shots in sorted({point.shots for point in self._points}):
            below = QRectF(
                axes.at(self._across(shots), 0).x() - em * 2, frame.bottom() + em * 0.2, em * 4, em
            )
            write(painter, below, str(shots), muted, _CENTRE)
        title = QRectF(frame.x() - em * 3, frame.bottom() + em * 1.35, frame.width() + em * 4, em)
        write(painter, title, "Images of each class; balanced accuracy in %", muted, _CENTRE)

    def _draw_method(
        self,
        painter: QPainter,
        axes: UnitAxes,
        method: MethodName,
        colour: QColor,
        row: int,
        palette: Palette,
    ) -> list[Spot]:
        nudge = QPointF((row - 0.5) * 5, 0)  # so that whiskers of two methods do not cover each other
        own = sorted((p for p in self._points if p.method == method), key=lambda p: p.shots)
        places = [axes.at(self._across(p.shots), p.balanced_accuracy) + nudge for p in own]
        painter.setPen(QPen(colour, 2.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(places))
        spots = []
        for point, place in zip(own, places, strict=True):
            painter.setPen(QPen(colour, 1.4))
            low, high = axes.at(0, point.low).y(), axes.at(0, point.high).y()
            painter.drawLine(QPointF(place.x(), low), QPointF(place.x(), high))
            painter.setPen(QPen(palette.color("panel"), 1.5))
            painter.setBrush(colour)
            painter.drawEllipse(place, 4.5, 4.5)
            spots.append(Spot(QRectF(place.x() - 7, high - 4, 14, low - high + 8), _sentence(point)))
        return spots

    def _across(self, shots: int) -> float:
        """Return the share of the width at which a number of shots stands; each doubling is one step."""
        known = [math.log2(point.shots) for point in self._points]
        low, high = min(known), max(known)
        return 0.05 + 0.9 * ((math.log2(shots) - low) / (high - low) if high > low else 0.5)


def _draw_key(painter: QPainter, line: QRectF, title: str, colour: QColor, palette: Palette) -> None:
    em = line_height(painter.font())
    painter.setPen(QPen(colour, 2.2))
    middle = line.center().y()
    painter.drawLine(QPointF(line.x(), middle), QPointF(line.x() + em * 1.6, middle))
    write(painter, line.adjusted(em * 2.2, 0, 0, 0), title, palette.color("text"))


def _sentence(point: LearningPoint) -> str:
    return (
        f"{METHOD_TITLES[point.method]} with {counted(point.shots, 'image')} of each class: "
        f"{percent(point.balanced_accuracy)} ({percent(point.low)} to {percent(point.high)} over "
        f"{counted(point.draws, 'draw')})"
    )
