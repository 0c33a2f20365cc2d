"""Where in the model the adaptation moved weights: layers against kinds of matrix, for both towers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QLinearGradient, QMouseEvent, QPainter, QPen

from clipsvd_app.ui.plots.inks import heat
from clipsvd_app.ui.plots.numbers import change_percent
from clipsvd_app.ui.plots.plot_widget import PlotWidget, Rows, Spot, line_height, sized, write

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.explanation import MatrixChange, Tower
    from clipsvd_app.ui.theme import Palette

KINDS = ("q", "k", "v", "o", "fc1", "fc2")
KIND_TITLES = {
    "q": "query",
    "k": "key",
    "v": "value",
    "o": "attention output",
    "fc1": "MLP in",
    "fc2": "MLP out",
}
TOWER_TITLES: dict[Tower, str] = {"image": "Image tower", "text": "Text tower"}
_STEPS: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_RIGHT = Qt.AlignmentFlag.AlignRight
_CENTRE = Qt.AlignmentFlag.AlignHCenter


class LayersPicture(PlotWidget):
    """A square a matrix, stronger with its relative change; a click or the arrow keys choose one."""

    matrix_clicked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._matrices: tuple[MatrixChange, ...] = ()
        self._chosen = ""
        self.setAccessibleName("Relative change of the weight matrices")
        self.setMinimumSize(320, 150)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_matrices(self, matrices: tuple[MatrixChange, ...]) -> None:
        """Show the changes; towers and layers are read from them."""
        self._matrices, self._chosen = matrices, ""
        self.setMinimumHeight(self.sizeHint().height())
        self.say(self._description())

    def set_chosen(self, name: str) -> None:
        """Mark one matrix."""
        self._chosen = name
        self.update()

    def sizeHint(self) -> QSize:
        em = line_height(self.font())
        return QSize(560, round(em * (1.35 * len(KINDS) + 4.8)))

    def data_rows(self) -> Rows:
        header = ("matrix", "tower", "layer", "kind", "relative_change")
        return (
            header,
            *((m.name, m.tower, str(m.layer), m.kind, repr(m.relative_change)) for m in self._matrices),
        )

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        towers = self._towers()
        if not towers:
            return ()
        painter.setFont(sized(self.font(), 0.9))
        em = line_height(painter.font())
        gap = em * 1.2
        labels = em * 7.4
        each = (area.width() - labels - gap * (len(towers) - 1)) / len(towers)
        spots: list[Spot] = []
        for position, tower in enumerate(towers):
            x = area.x() + labels + position * (each + gap)
            band = QRectF(x, area.y(), each, area.height() - em * 2.2)
            spots += self._draw_tower(painter, band, tower, palette)
        self._draw_kinds(painter, QRectF(area.x(), area.y(), labels, area.height() - em * 2.2), palette)
        self._draw_scale(painter, QRectF(area.x(), area.bottom() - em * 1.5, area.width(), em * 1.3), palette)
        return tuple(spots)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        spot = self.spot_at(event.position())
        if spot is not None:
            self.set_chosen(str(spot.key))
            self.matrix_clicked.emit(str(spot.key))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _STEPS.get(event.key())
        if step is None or not self._matrices:
            super().keyPressEvent(event)
            return
        self.set_chosen(self._neighbour(*step))
        self.matrix_clicked.emit(self._chosen)

    def _neighbour(self, layers: int, kinds: int) -> str:
        """Return the matrix a step away from the chosen one; the towers stand side by side."""
        order = tuple(TOWER_TITLES)
        columns = sorted({(order.index(m.tower), m.layer) for m in self._matrices})
        names: dict[tuple[int, int, str], str] = {
            (order.index(m.tower), m.layer, m.kind): m.name for m in self._matrices
        }
        here = next((m for m in self._matrices if m.name == self._chosen), None)
        if here is None:
            return self._matrices[0].name
        column = columns.index((order.index(here.tower), here.layer)) + layers
        row = KINDS.index(here.kind) + kinds
        if not (0 <= column < len(columns) and 0 <= row < len(KINDS)):
            return here.name
        return names.get((*columns[column], KINDS[row]), here.name)

    def _towers(self) -> tuple[Tower, ...]:
        present = {matrix.tower for matrix in self._matrices}
        return tuple(tower for tower in TOWER_TITLES if tower in present)

    def _largest(self) -> float:
        return max((matrix.relative_change for matrix in self._matrices), default=0.0)

    def _draw_tower(self, painter: QPainter, band: QRectF, tower: Tower, palette: Palette) -> list[Spot]:
        em = line_height(painter.font())
        matrices = [matrix for matrix in self._matrices if matrix.tower == tower]
        layers = max(matrix.layer for matrix in matrices) + 1
        grid = band.adjusted(0, em * 1.4, 0, -em * 1.2)
        write(
            painter, QRectF(band.x(), band.y(), band.width(), em), TOWER_TITLES[tower], palette.color("text")
        )
        width, height = grid.width() / layers, grid.height() / len(KINDS)
        muted = palette.color("text_muted")
        for layer in range(layers):
            label = QRectF(grid.x() + layer * width, grid.bottom(), width, em * 1.1)
            write(painter, label, str(layer + 1), muted, _CENTRE)
        return [
            self._draw_matrix(painter, _cell(grid, width, height, matrix), matrix, palette)
            for matrix in matrices
        ]

    def _draw_kinds(self, painter: QPainter, strip: QRectF, palette: Palette) -> None:
        em = line_height(painter.font())
        grid = strip.adjusted(0, em * 1.4, -em * 0.5, -em * 1.2)
        height = grid.height() / len(KINDS)
        muted = palette.color("text_muted")
        for row, kind in enumerate(KINDS):
            label = QRectF(grid.x(), grid.y() + row * height, grid.width(), height)
            write(painter, label, KIND_TITLES[kind], muted, _RIGHT)
        write(painter, QRectF(grid.x(), grid.bottom(), grid.width(), em * 1.1), "layer", muted, _RIGHT)

    def _draw_matrix(self, painter: QPainter, area: QRectF, matrix: MatrixChange, palette: Palette) -> Spot:
        largest = self._largest()
        share = matrix.relative_change / largest if largest else 0.0
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(heat(palette, 0.08 + 0.92 * share))
        painter.drawRoundedRect(area, 2, 2)
        if matrix.name == self._chosen:
            painter.setPen(QPen(palette.color("text"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area, 2, 2)
        return Spot(area, matrix_sentence(matrix), matrix.name)

    def _draw_scale(self, painter: QPainter, strip: QRectF, palette: Palette) -> None:
        em = line_height(painter.font())
        muted = palette.color("text_muted")
        bar = QRectF(strip.x() + em * 7.4, strip.center().y() - em * 0.3, em * 8, em * 0.6)
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
        write(painter, top, f"{change_percent(self._largest())} relative change of the matrix", muted)

    def _description(self) -> str:
        if not self._matrices:
            return "No run is chosen."
        top = sorted(self._matrices, key=lambda matrix: -matrix.relative_change)[:3]
        return "Changed most: " + "; ".join(matrix_sentence(matrix) for matrix in top)


def matrix_sentence(matrix: MatrixChange) -> str:
    """Say which matrix it is and how much it changed."""
    return (
        f"{TOWER_TITLES[matrix.tower]}, layer {matrix.layer + 1}, {KIND_TITLES[matrix.kind]}: "
        f"changed by {change_percent(matrix.relative_change)}"
    )


def _cell(grid: QRectF, width: float, height: float, matrix: MatrixChange) -> QRectF:
    x = grid.x() + matrix.layer * width
    y = grid.y() + KINDS.index(matrix.kind) * height
    return QRectF(x, y, width, height).adjusted(1, 1, -1, -1)
