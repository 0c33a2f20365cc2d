"""What the lines and shapes of a figure stand for, in as many lines of text as that takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent, QTransform
from PySide6.QtWidgets import QWidget

from clipsvd_app.figures.figure import Bars, Cells, Curve, Dots, Rule
from clipsvd_app.ui.kit.figures.figure_items import colour_of, pen_of, symbol_of
from clipsvd_app.ui.kit.plots.plot_widget import sized, write
from clipsvd_app.ui.look.inks import heat, palette_in_force

if TYPE_CHECKING:
    from clipsvd_app.figures.figure import Figure, Mark
    from clipsvd_app.ui.look.theme import Palette

_SAMPLE, _GAP = 20, 16


class Legend(QWidget):
    """The named marks of a figure; hidden where there are none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._marks: tuple[Mark, ...] = ()
        self.setFont(sized(self.font(), 0.9))
        self.hide()

    def set_figure(self, figure: Figure) -> None:
        """Show the names of a figure, each once."""
        named = {mark.name: mark for panel in figure.panels for mark in panel.marks if mark.name}
        self._marks = tuple(named.values())
        self.setToolTip("\n".join(named))
        self.setVisible(bool(named))
        self._take_height()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._take_height()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, palette = QPainter(self), palette_in_force()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for mark, area in self._places(self.width()):
            _draw_sample(painter, QRectF(area.x(), area.y(), _SAMPLE, area.height()), mark, palette)
            write(painter, area.adjusted(_SAMPLE + 6, 0, 0, 0), mark.name, palette.color("text_muted"))
        painter.end()

    def _take_height(self) -> None:
        self.setFixedHeight(
            math.ceil(max((area.bottom() for _, area in self._places(self.width())), default=0.0))
        )

    def _places(self, width: int) -> list[tuple[Mark, QRectF]]:
        """Return where each entry stands, line by line."""
        metrics, places = self.fontMetrics(), []
        x, y, height = 0.0, 0.0, metrics.height() * 1.25
        for mark in self._marks:
            needed = min(float(width), _SAMPLE + 8 + metrics.horizontalAdvance(mark.name))
            if x and x + needed > width:
                x, y = 0.0, y + height
            places.append((mark, QRectF(x, y, needed, height)))
            x += needed + _GAP
        return places


def _draw_sample(painter: QPainter, area: QRectF, mark: Mark, palette: Palette) -> None:
    middle = area.center()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    match mark:
        case Curve() | Rule():
            painter.setPen(pen_of(mark, palette))
            painter.drawLine(QPointF(area.left(), middle.y()), QPointF(area.right(), middle.y()))
        case Bars():
            colour = colour_of(mark.ink, palette)
            painter.setPen(colour)
            if not mark.bars[0].hollow:
                painter.setBrush(colour)
            painter.drawRect(QRectF(area.left() + 2, middle.y() - 3, area.width() - 4, 6))
        case Dots():
            symbol = symbol_of("text" if mark.ringed else mark.ink)
            shape = QTransform.fromTranslate(middle.x(), middle.y()).scale(11, 11).map(symbol)
            painter.setPen(colour_of("error" if mark.ringed else mark.ink, palette))
            if not (mark.hollow or mark.ringed):
                painter.setBrush(colour_of(mark.ink, palette))
            painter.drawPath(shape)
        case Cells():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(heat(palette, 1.0))
            painter.drawRect(QRectF(middle.x() - 5, middle.y() - 5, 10, 10))
