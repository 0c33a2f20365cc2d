"""The marks of a figure as items of a pyqtgraph view, in the inks of a palette."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QTransform
from PySide6.QtWidgets import QGraphicsItem, QGraphicsRectItem

from clipsvd_app.figures.figure import Bars, Cells, Curve, Dots, Mark, Panel, Rule
from clipsvd_app.ui.look.class_colours import class_colour, class_style, shape_path
from clipsvd_app.ui.look.inks import heat, ink_on

if TYPE_CHECKING:
    from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

    from clipsvd_app.figures.figure import Ink, Spot
    from clipsvd_app.ui.look.theme import Palette

_WIDTHS = {"solid": 2.2, "dashed": 1.6, "thin": 1.0}
_DOT_PX = 11.0


def items_of(mark: Mark, panel: Panel, palette: Palette) -> list[QGraphicsItem]:
    """Return what draws a mark, the lowest first."""
    match mark:
        case Curve():
            return _curve(mark, palette)
        case Bars():
            return [_bar(bar.area, colour_of(bar.ink, palette), hollow=bar.hollow) for bar in mark.bars]
        case Cells():
            return [CellsItem(mark, palette)]
        case Dots():
            return _dots(mark, palette)
        case Rule():
            return [_rule(mark, panel, palette)]


def colour_of(ink: Ink, palette: Palette) -> QColor:
    """Return the colour of an ink in a palette."""
    kind, _, number = ink.partition(" ")
    if not number:
        return palette.color(ink)
    if kind == "class":
        return class_colour(int(number))
    return QColor(palette.series[int(number) % len(palette.series)])


def pen_of(curve: Curve | Rule, palette: Palette) -> QPen:
    """Return the pen of a line."""
    if isinstance(curve, Rule):
        return _pen(colour_of(curve.ink, palette), 1.2, dashed=True)
    return _pen(colour_of(curve.ink, palette), _WIDTHS.get(curve.line, 1.6), dashed=curve.line == "dashed")


def symbol_of(ink: Ink) -> QPainterPath:
    """Return the shape of a class, or a circle, around the origin and one unit wide."""
    kind, _, number = ink.partition(" ")
    shape = class_style(int(number)).shape if kind == "class" else "circle"
    return QTransform.fromScale(0.01, 0.01).map(shape_path(shape, QRectF(-50, -50, 100, 100)))


def ring(spot: Spot, home: QRectF, palette: Palette) -> QGraphicsItem:
    """Return what marks a spot: a frame around its cell or row, a ring around a point."""
    pen = _pen(palette.color("text"), 2.0)
    if spot.area is None or math.isinf(spot.area[2]):
        look = {"size": _DOT_PX * 1.7, "symbol": "o", "brush": None, "pen": pen}
        point: QGraphicsItem = pg.ScatterPlotItem([spot.x], [spot.y], **look)
        return point
    left, right = max(spot.area[0], home.left()), min(spot.area[1], home.right())
    low, high = max(spot.area[2], home.top()), min(spot.area[3], home.bottom())
    item = QGraphicsRectItem(QRectF(left, low, right - left, high - low))
    item.setPen(pen)
    return item


def _curve(curve: Curve, palette: Palette) -> list[QGraphicsItem]:
    pen, colour = pen_of(curve, palette), colour_of(curve.ink, palette)
    xs, ys = [spot.x for spot in curve.spots], [spot.y for spot in curve.spots]
    items: list[QGraphicsItem] = []
    known = [spot for spot in curve.spots if not math.isnan(spot.low)]
    if known:
        along = [end for spot in known for end in (spot.low, spot.high)]
        aside = [value for spot in known for value in [spot.y if curve.across else spot.x] * 2]
        ends = (along, aside) if curve.across else (aside, along)
        items.append(pg.PlotCurveItem(*ends, pen=_pen(colour, 1.6), connect="pairs", antialias=True))
    if curve.line != "none":
        items.append(pg.PlotCurveItem(xs, ys, pen=pen, connect="finite", antialias=True))
    if curve.dots:
        edge = _pen(palette.color("panel"), 1.2)
        items.append(pg.ScatterPlotItem(xs, ys, size=9, symbol="o", pen=edge, brush=colour))
    return items


def _bar(area: tuple[float, float, float, float], colour: QColor, *, hollow: bool) -> QGraphicsItem:
    left, right, low, high = area
    item = QGraphicsRectItem(QRectF(left, low, right - left, high - low))
    item.setPen(_pen(colour, 1.0))
    item.setBrush(Qt.BrushStyle.NoBrush if hollow else colour)
    return item


def _dots(dots: Dots, palette: Palette) -> list[QGraphicsItem]:
    xs, ys = [spot.x for spot in dots.spots], [spot.y for spot in dots.spots]
    colour = colour_of(dots.ink, palette)
    edge = _pen(colour, 1.4) if dots.hollow else _pen(palette.color("panel"), 0.8)
    look = {"symbol": symbol_of(dots.ink), "brush": None if dots.hollow else colour, "pen": edge}
    items = [pg.ScatterPlotItem(xs, ys, size=_DOT_PX, **look)]
    if dots.ringed:
        pen = _pen(palette.color("error"), 2.0)
        items.append(pg.ScatterPlotItem(xs, ys, size=_DOT_PX * 1.7, symbol="o", brush=None, pen=pen))
    return items


def _rule(rule: Rule, panel: Panel, palette: Palette) -> QGraphicsItem:
    across, up = (panel.x.low, panel.x.high), (panel.y.low, panel.y.high)
    if rule.at is not None:
        at = (rule.at, rule.at)
        across, up = (at, rule.between or up) if rule.upright else (rule.between or across, at)
    pen = pen_of(rule, palette)
    line: QGraphicsItem = pg.PlotCurveItem(list(across), list(up), pen=pen, antialias=True)
    return line


def _pen(colour: QColor, width: float, *, dashed: bool = False) -> QPen:
    pen = QPen(colour, width)
    pen.setCosmetic(True)
    if dashed:
        pen.setDashPattern([4, 3])
    return pen


class CellsItem(pg.GraphicsObject):  # type: ignore[misc]
    """Squares with their texts, which keep their size whatever the zoom."""

    def __init__(self, cells: Cells, palette: Palette) -> None:
        super().__init__()
        self._cells, self._palette = cells.cells, palette

    def boundingRect(self) -> QRectF:
        columns, rows = [cell.column for cell in self._cells], [cell.row for cell in self._cells]
        size = max(columns) - min(columns) + 1, max(rows) - min(rows) + 1
        return QRectF(min(columns) - 0.5, min(rows) - 0.5, *size)

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None) -> None:
        to_pixels = painter.transform()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for cell in self._cells:
            area = to_pixels.mapRect(QRectF(cell.column - 0.5, cell.row - 0.5, 1, 1)).adjusted(1, 1, -1, -1)
            ground = heat(self._palette, 0.06 + 0.9 * cell.share)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ground)
            painter.drawRoundedRect(area, 2, 2)
            painter.setPen(ink_on(ground))
            if cell.text:
                lines = painter.fontMetrics().height() * (1 + cell.text.count("\n"))
                fits = lines < area.height()
                shown = cell.text if fits else cell.text.partition("\n")[0]
                painter.drawText(area, Qt.AlignmentFlag.AlignCenter, shown)
            if cell.marked:
                painter.setBrush(ink_on(ground))
                painter.drawEllipse(area.center(), 2.0, 2.0)
