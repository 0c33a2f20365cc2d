"""Where in the model the adaptation moved weights: layers against kinds of matrix, for both towers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QLinearGradient, QMouseEvent, QPainter, QPen

from clipsvd_app.ui.plots.inks import heat
from clipsvd_app.ui.plots.numbers import change_percent
from clipsvd_app.ui.plots.plot_widget import PlotWidget, Rows, Spot, line_height, sized, write

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results import MatrixChange, Tower
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
_RIGHT = Qt.AlignmentFlag.AlignRight
_CENTRE = Qt.AlignmentFlag.AlignHCenter


class LayersPicture(PlotWidget):
    """One square a matrix, darker to brighter with its relative change; a click names the matrix."""

    matrix_clicked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._matrices: tuple[MatrixChange, ...] = ()
        self._chosen = ""
        self.setAccessibleName("Relative change of the weight matrices")
        self.setMinimumSize(320, 190)

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
        return QSize(560, round(em * (max(1, len(self._towers())) * (1.25 * len(KINDS) + 3.0) + 2.6)))

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
        each = (area.height() - em * 2.4) / len(towers)
        spots: list[Spot] = []
        for position, tower in enumerate(towers):
            band = QRectF(area.x(), area.y() + position * each, area.width(), each - em * 0.4)
            spots += self._draw_tower(painter, band, tower, palette)
        self._draw_scale(painter, QRectF(area.x(), area.bottom() - em * 1.5, area.width(), em * 1.3), palette)
        return tuple(spots)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        spot = self.spot_at(event.position())
        if spot is not None:
            self.set_chosen(str(spot.key))
            self.matrix_clicked.emit(str(spot.key))

    def _towers(self) -> tuple[Tower, ...]:
        present = {matrix.tower for matrix in self._matrices}
        return tuple(tower for tower in TOWER_TITLES if tower in present)

    def _largest(self) -> float:
        return max((matrix.relative_change for matrix in self._matrices), default=0.0)

    def _draw_tower(self, painter: QPainter, band: QRectF, tower: Tower, palette: Palette) -> list[Spot]:
        em = line_height(painter.font())
        matrices = [matrix for matrix in self._matrices if matrix.tower == tower]
        layers = max(matrix.layer for matrix in matrices) + 1
        grid = band.adjusted(em * 7.4, em * 1.3, -em * 0.3, -em * 1.2)
        write(
            painter, QRectF(band.x(), band.y(), band.width(), em), TOWER_TITLES[tower], palette.color("text")
        )
        width, height = grid.width() / layers, grid.height() / len(KINDS)
        muted = palette.color("text_muted")
        for row, kind in enumerate(KINDS):
            label = QRectF(band.x(), grid.y() + row * height, em * 7.0, height)
            write(painter, label, KIND_TITLES[kind], muted, _RIGHT)
        for layer in range(layers):
            label = QRectF(grid.x() + layer * width, grid.bottom(), width, em * 1.1)
            write(painter, label, str(layer + 1), muted, _CENTRE)
        name = QRectF(band.x(), grid.bottom(), em * 7.0, em * 1.1)
        write(painter, name, "layer", muted, _RIGHT)
        return [
            self._draw_matrix(painter, _cell(grid, width, height, matrix), matrix, palette)
            for matrix in matrices
        ]

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
