"""How often the model is right when it says so: stated probability against the share that is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import percent, percent_with_interval
from clipsvd_app.ui.kit.plots.plot_widget import PlotWidget, Rows, Spot, line_height, sized, write
from clipsvd_app.ui.kit.plots.unit_axes import UnitAxes, draw_diagonal, draw_unit_axes, unit_axes
from clipsvd_app.ui.look.inks import mixed

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.evaluation import ReliabilityBin
    from clipsvd_app.ui.look.theme import Palette

_CENTRE = Qt.AlignmentFlag.AlignHCenter
_COUNTS_EM = 2.6


class ReliabilityPlot(PlotWidget):
    """A dot a bin with its interval, the number of images below; on the dashed line words match deeds."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bins: tuple[ReliabilityBin, ...] = ()
        self.setAccessibleName("Reliability")
        self.setMinimumSize(280, 260)

    def set_bins(self, bins: tuple[ReliabilityBin, ...]) -> None:
        """Show bins in the order of their probability."""
        self._bins = bins
        self.say("; ".join(_sentence(each) for each in bins))

    def sizeHint(self) -> QSize:
        return QSize(420, 320)

    def data_rows(self) -> Rows:
        header = ("low", "high", "images", "mean_probability", "right", "interval_low", "interval_high")
        return (header, *(_row(each) for each in self._bins))

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        if not self._bins:
            return ()
        painter.setFont(sized(self.font(), 0.92))
        em = line_height(painter.font())
        axes = unit_axes(area, em, below=_COUNTS_EM)
        titles = ("Probability that the model states, %", "Right, %")
        draw_unit_axes(painter, axes, palette, *titles, lower=_COUNTS_EM)
        draw_diagonal(painter, axes, palette)
        most = max(each.images for each in self._bins)
        for each in self._bins:
            _draw_count(painter, axes, each, most, palette)
        return tuple(self._draw_bin(painter, axes, each, palette) for each in self._bins)

    def _draw_bin(self, painter: QPainter, axes: UnitAxes, each: ReliabilityBin, palette: Palette) -> Spot:
        dot = axes.at(each.confidence, each.accuracy)
        accent = palette.color("accent")
        painter.setPen(QPen(accent, 2))
        painter.drawLine(
            axes.at(each.confidence, each.interval.low), axes.at(each.confidence, each.interval.high)
        )
        for end in (each.interval.low, each.interval.high):
            tip = axes.at(each.confidence, end)
            painter.drawLine(tip - QPointF(4, 0), tip + QPointF(4, 0))
        painter.setPen(QPen(palette.color("panel"), 1.5))
        painter.setBrush(accent)
        painter.drawEllipse(dot, 5.5, 5.5)
        left, right = axes.at(each.low, 0).x(), axes.at(each.high, 0).x()
        return Spot(QRectF(left, axes.frame.y(), right - left, axes.frame.height()), _sentence(each))


def _draw_count(painter: QPainter, axes: UnitAxes, each: ReliabilityBin, most: int, palette: Palette) -> None:
    em = line_height(painter.font())
    left, right = axes.at(each.low, 0).x() + 1, axes.at(each.high, 0).x() - 1
    base = axes.frame.bottom() + em * 3.9
    height = em * 1.2 * each.images / most
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(mixed(palette.color("panel"), palette.color("text_muted"), 0.45))
    painter.drawRect(QRectF(left, base - height, right - left, height))
    above = QRectF(left - em, base - height - em, right - left + em * 2, em)
    write(painter, above, f"{each.images}", palette.color("text_muted"), _CENTRE)


def _sentence(each: ReliabilityBin) -> str:
    return (
        f"Where it states {percent(each.low)} to {percent(each.high)} ({counted(each.images, 'image')}), "
        f"it is right in {percent_with_interval(each.accuracy, each.interval)}"
    )


def _row(each: ReliabilityBin) -> tuple[str, ...]:
    numbers = (each.confidence, each.accuracy, each.interval.low, each.interval.high)
    return (repr(each.low), repr(each.high), str(each.images), *(repr(number) for number in numbers))
