"""Layers of both towers as columns, something of each layer as rows, stronger with its relative change."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QLinearGradient, QMouseEvent, QPainter, QPen

from clipsvd_app.domain.results.explanation import Tower
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.ui.kit.plots.plot_widget import PlotWidget, Spot, line_height, sized, write
from clipsvd_app.ui.look.inks import heat, ink_on

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.ui.look.theme import Palette

TOWER_TITLES: dict[Tower, str] = {"image": "Image tower", "text": "Text tower"}
_STEPS: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_RIGHT = Qt.AlignmentFlag.AlignRight
_CENTRE = Qt.AlignmentFlag.AlignHCenter
_LABELS_EM, _ROW_EM = 7.4, 1.35


@dataclass(frozen=True, slots=True)
class GridCell:
    """A square: where it stands, how much it changed, what it says; ``marked`` ones carry a dot."""

    key: Hashable
    tower: Tower
    layer: int
    row: int
    change: float
    sentence: str
    marked: bool = False


class TowerGrid(PlotWidget):
    """Squares of which a click or the arrow keys choose one. ``cell_chosen`` carries its key."""

    cell_chosen = Signal(object)

    def __init__(self, of_what: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._of_what = of_what
        self._cells: tuple[GridCell, ...] = ()
        self._rows: tuple[str, ...] = ()
        self._chosen: Hashable = None
        self.setMinimumSize(320, 150)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_cells(self, cells: tuple[GridCell, ...], rows: tuple[str, ...]) -> None:
        """Show squares; towers and layers are read from them."""
        self._cells, self._rows, self._chosen = cells, rows, None
        self.setMinimumHeight(self.sizeHint().height())
        self.say(self._description())

    def set_chosen(self, key: Hashable) -> None:
        """Mark one square; None marks none."""
        self._chosen = key
        self.update()

    def sizeHint(self) -> QSize:
        em = line_height(self.font())
        return QSize(560, round(em * (_ROW_EM * max(1, len(self._rows)) + 4.8)))

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        towers = self._towers()
        if not towers:
            return ()
        painter.setFont(sized(self.font(), 0.9))
        em = line_height(painter.font())
        gap, labels = em * 1.2, em * _LABELS_EM
        each = (area.width() - labels - gap * (len(towers) - 1)) / len(towers)
        spots: list[Spot] = []
        for position, tower in enumerate(towers):
            x = area.x() + labels + position * (each + gap)
            band = QRectF(x, area.y(), each, area.height() - em * 2.2)
            spots += self._draw_tower(painter, band, tower, palette)
        self._draw_rows(painter, QRectF(area.x(), area.y(), labels, area.height() - em * 2.2), palette)
        self._draw_scale(painter, QRectF(area.x(), area.bottom() - em * 1.5, area.width(), em * 1.3), palette)
        return tuple(spots)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        spot = self.spot_at(event.position())
        if spot is not None:
            self._choose(spot.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _STEPS.get(event.key())
        if step is None or not self._cells:
            super().keyPressEvent(event)
            return
        self._choose(self._neighbour(*step))

    def _choose(self, key: Hashable) -> None:
        self.set_chosen(key)
        self.cell_chosen.emit(key)

    def _neighbour(self, layers: int, rows: int) -> Hashable:
        """Return the key a step away from the chosen one; the towers stand side by side."""
        order = tuple(TOWER_TITLES)
        columns = sorted({(order.index(cell.tower), cell.layer) for cell in self._cells})
        keys: dict[tuple[int, int, int], Hashable] = {
            (order.index(cell.tower), cell.layer, cell.row): cell.key for cell in self._cells
        }
        here = next((cell for cell in self._cells if cell.key == self._chosen), None)
        if here is None:
            return self._cells[0].key
        column = columns.index((order.index(here.tower), here.layer)) + layers
        if not 0 <= column < len(columns):
            return here.key
        return keys.get((*columns[column], here.row + rows), here.key)

    def _towers(self) -> tuple[Tower, ...]:
        present = {cell.tower for cell in self._cells}
        return tuple(tower for tower in TOWER_TITLES if tower in present)

    def _largest(self) -> float:
        return max((cell.change for cell in self._cells), default=0.0)

    def _draw_tower(self, painter: QPainter, band: QRectF, tower: Tower, palette: Palette) -> list[Spot]:
        em = line_height(painter.font())
        cells = [cell for cell in self._cells if cell.tower == tower]
        layers = max(cell.layer for cell in cells) + 1
        grid = band.adjusted(0, em * 1.4, 0, -em * 1.2)
        title = QRectF(band.x(), band.y(), band.width(), em)
        write(painter, title, TOWER_TITLES[tower], palette.color("text"))
        width, height = grid.width() / layers, grid.height() / len(self._rows)
        muted = palette.color("text_muted")
        for layer in range(layers):
            label = QRectF(grid.x() + layer * width, grid.bottom(), width, em * 1.1)
            write(painter, label, str(layer + 1), muted, _CENTRE)
        return [self._draw_cell(painter, _place(grid, width, height, cell), cell, palette) for cell in cells]

    def _draw_rows(self, painter: QPainter, strip: QRectF, palette: Palette) -> None:
        em = line_height(painter.font())
        grid = strip.adjusted(0, em * 1.4, -em * 0.5, -em * 1.2)
        height = grid.height() / len(self._rows)
        muted = palette.color("text_muted")
        for row, title in enumerate(self._rows):
            label = QRectF(grid.x(), grid.y() + row * height, grid.width(), height)
            write(painter, label, title, muted, _RIGHT)
        write(painter, QRectF(grid.x(), grid.bottom(), grid.width(), em * 1.1), "layer", muted, _RIGHT)

    def _draw_cell(self, painter: QPainter, area: QRectF, cell: GridCell, palette: Palette) -> Spot:
        largest = self._largest()
        share = cell.change / largest if largest else 0.0
        ground = heat(palette, 0.08 + 0.92 * share)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(area, 2, 2)
        if cell.marked:
            painter.setBrush(ink_on(ground))
            painter.drawEllipse(area.center(), 2.5, 2.5)
        if cell.key == self._chosen:
            painter.setPen(QPen(palette.color("text"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area, 2, 2)
        return Spot(area, cell.sentence, cell.key)

    def _draw_scale(self, painter: QPainter, strip: QRectF, palette: Palette) -> None:
        em = line_height(painter.font())
        muted = palette.color("text_muted")
        bar = QRectF(strip.x() + em * _LABELS_EM, strip.center().y() - em * 0.3, em * 6, em * 0.6)
        ramp = QLinearGradient(bar.topLeft(), bar.topRight())
        ramp.setColorAt(0, heat(palette, 0.08))
        ramp.setColorAt(1, heat(palette, 1.0))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ramp)
        painter.drawRoundedRect(bar, 2, 2)
        write(painter, QRectF(strip.x(), strip.y(), em * 7.0, strip.height()), "0 %", muted, _RIGHT)
        top = QRectF(
            bar.right() + em * 0.4, strip.y(), strip.right() - bar.right() - em * 0.4, strip.height()
        )
        dots = "; a dot: described in words" if any(cell.marked for cell in self._cells) else ""
        write(painter, top, f"{percent(self._largest())} change of the {self._of_what}{dots}", muted)

    def _description(self) -> str:
        if not self._cells:
            return "No run is chosen."
        top = sorted(self._cells, key=lambda cell: -cell.change)[:3]
        return "Changed most: " + "; ".join(cell.sentence for cell in top)


def _place(grid: QRectF, width: float, height: float, cell: GridCell) -> QRectF:
    x, y = grid.x() + cell.layer * width, grid.y() + cell.row * height
    return QRectF(x, y, width, height).adjusted(1, 1, -1, -1)
