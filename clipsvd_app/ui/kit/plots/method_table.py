"""Methods side by side: balanced accuracy with its interval on one axis, and what each cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen

from clipsvd_app.domain.results.evaluation import METHOD_TITLES
from clipsvd_app.domain.words.numbers import duration, percent, percent_with_interval
from clipsvd_app.figures.methods import method_said, methods_figure
from clipsvd_app.services.report.plots import plotted
from clipsvd_app.ui.kit.plots.plot_widget import (
    PlotWidget,
    Spot,
    hairline,
    line_height,
    sized,
    text_width,
    write,
)

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.evaluation import MethodScore
    from clipsvd_app.figures.figure import Rows
    from clipsvd_app.ui.look.theme import Palette

_RIGHT = Qt.AlignmentFlag.AlignRight
_CENTRE = Qt.AlignmentFlag.AlignHCenter
_ROW_EM = 2.3
_AXIS_EM = 11.0
_COLUMNS = (("Accuracy", 5.0), ("AUROC", 4.2), ("Parameters", 7.6), ("Time", 5.6))


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the columns of one row stand."""

    name: QRectF
    axis: QRectF
    value: QRectF
    cells: tuple[QRectF, ...]


class MethodTable(PlotWidget):
    """A row a method; the dashed line is what guessing gets.

    Every row shares one axis from 0 to 100 %, so overlap of the intervals is seen at a glance.
    """

    forms: ClassVar[tuple[str, ...]] = ("svg", "pdf", "png")

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._methods: tuple[MethodScore, ...] = ()
        self._titles: tuple[str, ...] = ()
        self._classes = 0
        self.setAccessibleName("Methods compared")
        self.setMinimumWidth(400)

    def set_methods(self, methods: tuple[MethodScore, ...], titles: tuple[str, ...] = ()) -> None:
        """Show methods scored on the same images; ``titles`` name the rows where methods repeat."""
        assert not titles or len(titles) == len(methods)
        self._methods = methods
        self._titles = titles or tuple(METHOD_TITLES[score.method] for score in methods)
        self._classes = len(methods[0].classes) if methods else 0
        self.setMinimumHeight(self.sizeHint().height())
        self.say("; ".join(self._sentence(row) for row in range(len(methods))))

    def sizeHint(self) -> QSize:
        em = line_height(self.font())
        return QSize(760, round(em * (1.9 + _ROW_EM * max(1, len(self._methods)) + 2.5)))

    def data_rows(self) -> Rows:
        return methods_figure(self._methods, self._titles).table

    def picture(self, form: str) -> bytes:
        return plotted(methods_figure(self._methods, self._titles), form)

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        if not self._methods:
            return ()
        em = line_height(self.font())
        first = area.y() + em * 1.9
        bottom = first + em * _ROW_EM * len(self._methods)
        layout = self._layout(area, first, em)
        self._draw_header(painter, layout, QRectF(area.x(), area.y(), area.width(), em * 1.8), palette)
        self._draw_axis(painter, layout.axis, first, bottom, palette)
        spots = []
        for row in range(len(self._methods)):
            drop = em * _ROW_EM * row
            self._draw_row(painter, row, _dropped(layout, drop), palette)
            spots.append(
                Spot(
                    QRectF(area.x(), first + drop, area.width(), em * _ROW_EM),
                    method_said(self._titles[row], self._methods[row]),
                    row,
                )
            )
        return tuple(spots)

    def _layout(self, area: QRectF, top: float, em: float) -> _Layout:
        height = em * _ROW_EM
        right = area.right() - em * 0.4
        wide = area.width() > em * 48
        wanted = text_width(sized(self.font(), bold=True), self._titles) + em * 0.6
        value_width = (
            text_width(sized(self.font(), bold=True), [_value(score) for score in self._methods]) + em * 0.4
        )
        columns = _COLUMNS[: _fitting_columns((area.width() - wanted - value_width) / em)]
        cells: list[QRectF] = []
        for _, width_em in reversed(columns):
            width = width_em * em * (1.0 if wide else 0.8)
            right -= width
            cells.insert(0, QRectF(right, top, width, height))
        value = QRectF(right - value_width, top, value_width, height)
        name = QRectF(area.x() + em * 0.4, top, min(wanted, (value.x() - area.x()) * 0.58), height)
        axis = QRectF(name.right() + em, top, value.x() - name.right() - em * 2.0, height)
        return _Layout(name, axis, value, tuple(cells))

    def _draw_header(self, painter: QPainter, layout: _Layout, strip: QRectF, palette: Palette) -> None:
        painter.setFont(sized(self.font(), 0.88))
        muted = palette.color("text_muted")
        write(painter, _on(strip, layout.name), "Method", muted)
        title = QRectF(layout.axis.x(), strip.y(), layout.value.right() - layout.axis.x(), strip.height())
        write(painter, title, "Balanced accuracy, 95 % CI", muted)
        for (name, _), cell in zip(_COLUMNS, layout.cells, strict=False):
            write(painter, _on(strip, cell), name, muted, _RIGHT)
        painter.setPen(hairline(palette.color("border_strong")))
        painter.drawLine(strip.bottomLeft(), strip.bottomRight())

    def _draw_axis(
        self, painter: QPainter, axis: QRectF, top: float, bottom: float, palette: Palette
    ) -> None:
        painter.setFont(sized(self.font(), 0.85))
        em = line_height(painter.font())
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            x = axis.x() + axis.width() * share
            painter.setPen(hairline(palette.color("border")))
            painter.drawLine(QPointF(x, top), QPointF(x, bottom))
            label = QRectF(x - em * 2, bottom + em * 0.2, em * 4, em)
            write(painter, label, f"{share * 100:.0f}", palette.color("text_muted"), _CENTRE)
        if self._classes > 1:
            x = axis.x() + axis.width() / self._classes
            painter.setPen(hairline(palette.color("warning"), dashed=True, width=1.3))
            painter.drawLine(QPointF(x, top), QPointF(x, bottom + em * 0.1))
            label = QRectF(x - em * 6, bottom + em * 1.25, em * 12, em)
            note = f"chance {percent(1 / self._classes)}"
            write(painter, label, note, palette.color("warning"), _CENTRE)

    def _draw_row(self, painter: QPainter, row: int, layout: _Layout, palette: Palette) -> None:
        score = self._methods[row]
        ours = score.method == "clip_svd"
        colour = palette.color("accent" if ours else "text_muted")
        painter.setFont(sized(self.font(), bold=ours))
        write(painter, layout.name, self._titles[row], palette.color("text"))
        self._draw_whisker(
            painter, layout.axis, score, palette, colour_role="accent" if ours else "text_muted"
        )
        write(
            painter,
            layout.value,
            _value(score),
            colour if ours else palette.color("text"),
            _RIGHT,
        )
        painter.setFont(self.font())
        for text, cell in zip(_cell_texts(score), layout.cells, strict=False):
            write(painter, cell, text, palette.color("text"), _RIGHT)
        if row + 1 < len(self._methods):
            painter.setPen(hairline(palette.color("border")))
            right = (layout.cells[-1] if layout.cells else layout.value).right()
            line = layout.name.bottom()
            painter.drawLine(QPointF(layout.name.x(), line), QPointF(right, line))

    def _draw_whisker(
        self, painter: QPainter, axis: QRectF, score: MethodScore, palette: Palette, *, colour_role: str
    ) -> None:
        y = axis.center().y()
        low, dot, high = (
            axis.x() + axis.width() * share
            for share in (score.interval.low, score.balanced_accuracy, score.interval.high)
        )
        colour = palette.color(colour_role)
        painter.setPen(QPen(colour, 2.0))
        painter.drawLine(QPointF(low, y), QPointF(high, y))
        for end in (low, high):
            painter.drawLine(QPointF(end, y - 4), QPointF(end, y + 4))
        painter.setPen(QPen(palette.color("panel"), 1.5))
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(dot, y), 5.5, 5.5)

    def _sentence(self, row: int) -> str:
        score = self._methods[row]
        return f"{self._titles[row]}: balanced accuracy {_value(score)}"


def _fitting_columns(width_em: float) -> int:
    """Count the columns on the right that fit beside the axis; the tooltip has them all."""
    spare = width_em - _AXIS_EM
    fitting = 0
    for _, needed in _COLUMNS:
        spare -= needed * 0.8
        if spare < 0:
            break
        fitting += 1
    return fitting


def _value(score: MethodScore) -> str:
    return percent_with_interval(score.balanced_accuracy, score.interval)


def _cell_texts(score: MethodScore) -> tuple[str, str, str, str]:
    auroc = "–" if score.macro_auroc is None else f"{score.macro_auroc:.2f}"
    trained = f"{score.trainable_parameters:,}" if score.trainable_parameters else "none"
    return percent(score.accuracy), auroc, trained, duration(score.seconds)


def _on(strip: QRectF, column: QRectF) -> QRectF:
    return QRectF(column.x(), strip.y(), column.width(), strip.height())


def _dropped(layout: _Layout, drop: float) -> _Layout:
    return _Layout(
        layout.name.translated(0, drop),
        layout.axis.translated(0, drop),
        layout.value.translated(0, drop),
        tuple(cell.translated(0, drop) for cell in layout.cells),
    )
