"""What the adapted model and the base model think of one image, class by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt

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
from clipsvd_app.ui.look.class_colours import class_colour, class_style, paint_class_mark

if TYPE_CHECKING:
    from PySide6.QtGui import QColor, QPainter
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.ui.look.theme import Palette

_RIGHT = Qt.AlignmentFlag.AlignRight
_ROW_EM = 2.0


class ProbabilityBars(PlotWidget):
    """Two bars a class: the thick one after adaptation, the thin grey one before (zero-shot)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._adapted: tuple[float, ...] = ()
        self._zero_shot: tuple[float, ...] = ()
        self._label: int | None = None
        self._title = "adapted"
        self.setAccessibleName("Class probabilities")
        self.setMinimumWidth(240)

    def set_probabilities(
        self,
        names: tuple[str, ...],
        adapted: tuple[float, ...],
        zero_shot: tuple[float, ...],
        label: int | None = None,
        *,
        calibrated: bool = False,
    ) -> None:
        """Show fractions in class order; ``label`` is the class that a person gave."""
        assert len(names) == len(adapted) == len(zero_shot)
        self._title = "calibrated" if calibrated else "adapted"
        self._names, self._adapted, self._zero_shot, self._label = names, adapted, zero_shot, label
        self.setMinimumHeight(self.sizeHint().height())
        self.say("; ".join(self._sentence(position) for position in range(len(names))))

    def sizeHint(self) -> QSize:
        em = line_height(self.font())
        return QSize(320, round(em * (1.6 + _ROW_EM * max(1, len(self._names)))))

    def data_rows(self) -> Rows:
        columns = zip(self._names, self._adapted, self._zero_shot, strict=True)
        return (("class", self._title, "zero_shot"), *((name, repr(a), repr(z)) for name, a, z in columns))

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        if not self._names:
            return ()
        em = line_height(self.font())
        longest = text_width(sized(self.font(), bold=True), [self._shown(p) for p in range(len(self._names))])
        names = min(area.width() * 0.5, longest + em * 2.2)
        bars = area.adjusted(names, 0, -em * 7.2, 0)
        self._draw_header(painter, area, em, palette)
        spots = []
        for position in range(len(self._names)):
            row = QRectF(area.x(), area.y() + em * (1.5 + _ROW_EM * position), area.width(), em * _ROW_EM)
            self._draw_row(painter, row, bars, position, palette)
            spots.append(Spot(row, self._sentence(position), position))
        return tuple(spots)

    def _draw_header(self, painter: QPainter, area: QRectF, em: float, palette: Palette) -> None:
        painter.setFont(sized(self.font(), 0.85))
        muted = palette.color("text_muted")
        right = area.right()
        write(painter, QRectF(right - em * 4, area.y(), em * 4, em), "zero-shot", muted, _RIGHT)
        write(painter, QRectF(right - em * 9.4, area.y(), em * 5.2, em), self._title, muted, _RIGHT)

    def _draw_row(
        self, painter: QPainter, row: QRectF, bars: QRectF, position: int, palette: Palette
    ) -> None:
        em = line_height(self.font())
        middle = row.center().y()
        mark = em * 1.15
        paint_class_mark(painter, QRectF(row.x(), middle - mark / 2, mark, mark), class_style(position))
        first = self._adapted[position] == max(self._adapted)
        painter.setFont(sized(self.font(), bold=first))
        name = QRectF(row.x() + mark + em * 0.4, row.y(), bars.x() - row.x() - mark - em * 0.9, row.height())
        write(painter, name, self._shown(position), palette.color("text"))
        thick = QRectF(bars.x(), middle - em * 0.42, bars.width(), em * 0.52)
        thin = QRectF(bars.x(), middle + em * 0.22, bars.width(), em * 0.24)
        _draw_bar(painter, thick, self._adapted[position], class_colour(position), palette)
        _draw_bar(painter, thin, self._zero_shot[position], palette.color("text_faint"), palette)
        numbers = QRectF(row.right() - em * 7.4, row.y(), em * 3.2, row.height())
        write(painter, numbers, percent(self._adapted[position]), palette.color("text"), _RIGHT)
        painter.setFont(self.font())
        before = QRectF(row.right() - em * 3.1, row.y(), em * 3.1, row.height())
        write(painter, before, percent(self._zero_shot[position]), palette.color("text_muted"), _RIGHT)

    def _shown(self, position: int) -> str:
        return self._names[position] + (" ✓" if position == self._label else "")

    def _sentence(self, position: int) -> str:
        given = ", the label given" if position == self._label else ""
        return (
            f"{self._names[position]}: {percent(self._adapted[position])} {self._title}, "
            f"{percent(self._zero_shot[position])} zero-shot{given}"
        )


def paint_probability_strip(
    painter: QPainter, area: QRectF, probabilities: tuple[float, ...], gap: QColor
) -> None:
    """Draw probabilities as one bar of class-coloured parts, for table cells; ``gap`` parts them."""
    painter.setPen(Qt.PenStyle.NoPen)
    x = area.x()
    for position, share in enumerate(probabilities):
        width = area.width() * share
        if width >= 1:
            painter.setBrush(class_colour(position))
            painter.drawRect(QRectF(x, area.y(), width, area.height()))
            painter.setBrush(gap)
            painter.drawRect(QRectF(x + width - 1, area.y(), 1, area.height()))
        x += width


def _draw_bar(painter: QPainter, groove: QRectF, share: float, colour: QColor, palette: Palette) -> None:
    radius = groove.height() / 2
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(palette.color("border"))
    painter.drawRoundedRect(groove, radius, radius)
    painter.setBrush(colour)
    width = max(groove.height(), groove.width() * share) if share > 0 else 0.0
    painter.drawRoundedRect(QRectF(groove.x(), groove.y(), width, groove.height()), radius, radius)
