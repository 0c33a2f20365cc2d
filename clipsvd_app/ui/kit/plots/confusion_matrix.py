"""Who was taken for what: counts and row shares; a cell opens its cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPen

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.ui.kit.plots.plot_widget import (
    PlotWidget,
    Rows,
    Spot,
    line_height,
    sized,
    text_width,
    write,
)
from clipsvd_app.ui.look.class_colours import class_style, paint_class_mark
from clipsvd_app.ui.look.inks import heat, ink_on

if TYPE_CHECKING:
    from PySide6.QtGui import QColor
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.ui.look.theme import Palette

_RIGHT = Qt.AlignmentFlag.AlignRight
_CENTRE = Qt.AlignmentFlag.AlignHCenter
Cell = tuple[int, int]
_MOVES: dict[int, Cell] = {
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
}


class ConfusionMatrix(PlotWidget):
    """Rows are the labels, columns the predictions; arrow keys move, Enter or a click opens a cell."""

    cell_clicked = Signal(int, int)
    """Row and column: the label's class position and the predicted one, from 0."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._counts: tuple[tuple[int, ...], ...] = ()
        self._chosen: Cell | None = None
        self._clickable = True
        self.setAccessibleName("Confusion matrix")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(260, 220)

    def set_matrix(
        self, names: tuple[str, ...], counts: tuple[tuple[int, ...], ...], *, clickable: bool = True
    ) -> None:
        """Show ``counts[true][predicted]``; a matrix without cases behind it is not clickable."""
        assert [len(row) for row in counts] == [len(names)] * len(names)
        self._names, self._counts, self._clickable, self._chosen = names, counts, clickable, None
        cursor = Qt.CursorShape.PointingHandCursor if clickable else Qt.CursorShape.ArrowCursor
        self.setCursor(cursor)
        self.say("; ".join(self._sentence(t, p) for t, p in self._cells() if counts[t][p]))

    def set_chosen(self, cell: Cell | None) -> None:
        """Mark a cell as the one whose cases are shown."""
        self._chosen = cell
        self.update()

    def sizeHint(self) -> QSize:
        em = line_height(self.font())
        side = em * 4.6 * max(2, len(self._names))
        return QSize(round(side + em * 9), round(side * 0.72 + em * 4))

    def data_rows(self) -> Rows:
        header = ("true", *self._names)
        rows = zip(self._names, self._counts, strict=True)
        return (header, *((name, *(str(n) for n in counts)) for name, counts in rows))

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        if not self._names:
            return ()
        painter.setFont(sized(self.font(), 0.92))
        em = line_height(painter.font())
        left = min(area.width() * 0.4, text_width(painter.font(), self._names) + em * 3.0)
        grid = area.adjusted(left, em * 3.4, -em * 0.5, -em * 0.4)
        self._draw_names(painter, grid, left, palette)
        return tuple(self._draw_cell(painter, grid, cell, palette) for cell in self._cells())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        spot = self.spot_at(event.position())
        if spot is not None and self._clickable and event.button() == Qt.MouseButton.LeftButton:
            self._open(spot.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._names or not self._clickable:
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._open(self._chosen or (0, 0))
        elif event.key() in _MOVES:
            self._move(_MOVES[event.key()])
        else:
            super().keyPressEvent(event)

    def _open(self, key: object) -> None:
        assert isinstance(key, tuple)
        self.set_chosen((key[0], key[1]))
        self.cell_clicked.emit(key[0], key[1])

    def _move(self, step: Cell) -> None:
        last = len(self._names) - 1
        row, column = self._chosen or (0, 0)
        if self._chosen is not None:
            row, column = min(last, max(0, row + step[0])), min(last, max(0, column + step[1]))
        self.set_chosen((row, column))

    def _cells(self) -> list[Cell]:
        positions = range(len(self._names))
        return [(true, predicted) for true in positions for predicted in positions]

    def _cell_area(self, grid: QRectF, cell: Cell) -> QRectF:
        width, height = grid.width() / len(self._names), grid.height() / len(self._names)
        return QRectF(grid.x() + cell[1] * width, grid.y() + cell[0] * height, width, height)

    def _draw_cell(self, painter: QPainter, grid: QRectF, cell: Cell, palette: Palette) -> Spot:
        true, predicted = cell
        number = self._counts[true][predicted]
        share = _share(self._counts[true], predicted)
        area = self._cell_area(grid, cell).adjusted(1.5, 1.5, -1.5, -1.5)
        ground = heat(palette, 0.06 + 0.8 * share)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(area, 4, 4)
        if cell == self._chosen:
            painter.setPen(QPen(palette.color("text"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 4, 4)
        self._write_cell(painter, area, number, share, ink_on(ground))
        return Spot(area, self._sentence(true, predicted), cell)

    def _write_cell(self, painter: QPainter, area: QRectF, number: int, share: float, ink: QColor) -> None:
        painter.setFont(sized(self.font(), 1.2, bold=number > 0))
        em = line_height(painter.font())
        middle = area.center().y()
        roomy = area.height() > em * 2.3
        top = middle - em if roomy else middle - em / 2
        write(painter, QRectF(area.x(), top, area.width(), em), str(number), ink, _CENTRE)
        if roomy:
            painter.setFont(sized(self.font(), 0.88))
            below = QRectF(area.x(), middle, area.width(), em)
            write(painter, below, percent(share), ink, _CENTRE)

    def _draw_names(self, painter: QPainter, grid: QRectF, left: float, palette: Palette) -> None:
        em = line_height(painter.font())
        muted, text = palette.color("text_muted"), palette.color("text")
        heading = QRectF(grid.x(), grid.y() - em * 3.3, grid.width(), em)
        write(painter, heading, "Predicted", muted, _CENTRE)
        corner = QRectF(grid.x() - left, grid.y() - em * 1.7, left - em * 0.6, em)
        write(painter, corner, "Label", muted)
        widest = text_width(painter.font(), self._names) + em * 1.5
        fits = widest <= grid.width() / len(self._names) - 4
        for position, name in enumerate(self._names):
            column = self._cell_area(grid, (0, position))
            row = self._cell_area(grid, (position, 0))
            mark = em * 1.05
            y = grid.y() - em * 1.75
            needed = text_width(painter.font(), (name,)) + mark + em * 0.4
            start = column.center().x() - (needed if fits else mark) / 2
            paint_class_mark(painter, QRectF(start, y, mark, mark), class_style(position))
            if fits:
                write(painter, QRectF(start + mark + em * 0.3, y, needed, em), name, text)
            middle = row.center().y()
            paint_class_mark(
                painter, QRectF(grid.x() - left, middle - mark / 2, mark, mark), class_style(position)
            )
            side = QRectF(grid.x() - left + mark + em * 0.4, middle - em / 2, left - mark - em, em)
            write(painter, side, name, text)

    def _sentence(self, true: int, predicted: int) -> str:
        counts = self._counts[true]
        return (
            f"{counted(counts[predicted], 'image')} labelled “{self._names[true]}” "
            f"predicted “{self._names[predicted]}” ({percent(_share(counts, predicted))} of its row)"
        )


def _share(counts: tuple[int, ...], position: int) -> float:
    total = sum(counts)
    return counts[position] / total if total else 0.0
