"""Two axes from 0 to 100 %, as the curves of an evaluation share them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt

from clipsvd_app.ui.kit.plots.plot_widget import hairline, line_height, write

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter

    from clipsvd_app.ui.look.theme import Palette

_RIGHT = Qt.AlignmentFlag.AlignRight
_CENTRE = Qt.AlignmentFlag.AlignHCenter
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class UnitAxes:
    """Where fractions lie in the picture; ``top`` is the largest fraction of the vertical axis."""

    frame: QRectF
    top: float = 1.0

    def at(self, x: float, y: float) -> QPointF:
        """Return the place of a pair of fractions."""
        frame = self.frame
        return QPointF(
            frame.x() + frame.width() * x, frame.bottom() - frame.height() * min(1.0, y / self.top)
        )


def unit_axes(
    area: QRectF, em: float, *, square: bool = False, below: float = 0.0, top: float = 1.0
) -> UnitAxes:
    """Leave room for tick labels and titles; ``below`` em more are kept free under the frame."""
    frame = area.adjusted(em * 4.2, em * 0.8, -em * 1.2, -em * (2.7 + below))
    if square and frame.width() > frame.height() * 1.15:
        frame.setWidth(frame.height() * 1.15)
    return UnitAxes(frame, top)


def draw_unit_axes(
    painter: QPainter, axes: UnitAxes, palette: Palette, x_title: str, y_title: str, *, lower: float = 0.0
) -> None:
    """Draw grid, ticks in percent and titles; the horizontal titles move down by ``lower`` em."""
    em = line_height(painter.font())
    frame, muted = axes.frame, palette.color("text_muted")
    for share in _SHARES:
        painter.setPen(hairline(palette.color("border")))
        x = axes.at(share, 0).x()
        y = axes.at(0, share * axes.top).y()
        painter.drawLine(QPointF(x, frame.y()), QPointF(x, frame.bottom()))
        painter.drawLine(QPointF(frame.x(), y), QPointF(frame.right(), y))
        below = QRectF(x - em * 2, frame.bottom() + em * 0.25, em * 4, em)
        write(painter, below, f"{share * 100:.0f}", muted, _CENTRE)
        beside = QRectF(frame.x() - em * 2.7, y - em / 2, em * 2.4, em)
        write(painter, beside, f"{share * axes.top * 100:.0f}", muted, _RIGHT)
    title = QRectF(frame.x() - em * 4, frame.bottom() + em * (1.45 + lower), frame.width() + em * 8, em)
    write(painter, title, x_title, muted, _CENTRE)
    painter.save()
    painter.translate(frame.x() - em * 3.3, frame.center().y())
    painter.rotate(-90)
    height = frame.height() + em * 3
    write(painter, QRectF(-height / 2, -em / 2, height, em), y_title, muted, _CENTRE)
    painter.restore()


def draw_diagonal(painter: QPainter, axes: UnitAxes, palette: Palette) -> None:
    """Draw the dashed line of equal shares."""
    painter.setPen(hairline(palette.color("text_faint"), dashed=True))
    painter.drawLine(axes.at(0, 0), axes.at(1, 1))
