"""The control of a map as curves: the margin while more and more of the image is hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from clipsvd_app.ui.kit.plots.plot_widget import (
    PlotWidget,
    Rows,
    Spot,
    hairline,
    line_height,
    sized,
    write,
)
from clipsvd_app.ui.kit.plots.ticks import round_ticks, tick_text

if TYPE_CHECKING:
    from PySide6.QtGui import QColor
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.explanation import CaseMap, DeletionCurve
    from clipsvd_app.ui.look.theme import Palette

_CENTRE = Qt.AlignmentFlag.AlignHCenter
_RIGHT = Qt.AlignmentFlag.AlignRight


class DeletionPlot(PlotWidget):
    """The map's order as a thick line, random orders thin, from the centre outwards dashed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._map: CaseMap | None = None
        self.setAccessibleName("Deletion curve")
        self.setMinimumSize(260, 200)

    def set_map(self, found: CaseMap | None) -> None:
        """Show a map's curves."""
        self._map = found
        self.say("" if found is None else "; ".join(self._sentences()))

    def sizeHint(self) -> QSize:
        return QSize(360, 240)

    def data_rows(self) -> Rows:
        return (
            ("order", "share_hidden", "margin"),
            *(
                (name, repr(share), repr(margin))
                for name, curve in self._curves()
                for share, margin in zip(curve.shares, curve.margins, strict=True)
            ),
        )

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        if self._map is None:
            return ()
        painter.setFont(sized(self.font(), 0.88))
        em = line_height(painter.font())
        frame = area.adjusted(em * 3.6, em * 0.6, -em * 0.8, -em * 4.6)
        margins = [margin for _, curve in self._curves() for margin in curve.margins]
        low, high = min(margins), max(margins)
        pad = (high - low) * 0.06 or 0.5
        low, high = low - pad, high + pad

        def at(share: float, margin: float) -> QPointF:
            return QPointF(
                frame.x() + frame.width() * share,
                frame.bottom() - frame.height() * (margin - low) / (high - low),
            )

        _draw_axes(painter, frame, (low, high), palette)
        for name, curve in reversed(self._curves()):
            painter.setPen(_pen(name, palette))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            points = [at(s, m) for s, m in zip(curve.shares, curve.margins, strict=True)]
            painter.drawPolyline(QPolygonF(points))
        self._draw_key(painter, frame, palette)
        curve = self._map.deletion
        return tuple(
            Spot(
                QRectF(at(share, 0).x() - em, frame.y(), em * 2, frame.height()),
                f"{share * 100:.0f} % hidden: margin {margin:+.2f} in the map's order",
            )
            for share, margin in zip(curve.shares, curve.margins, strict=True)
        )

    def _curves(self) -> tuple[tuple[str, DeletionCurve], ...]:
        if self._map is None:
            return ()
        found = self._map
        random = ((f"random {number + 1}", curve) for number, curve in enumerate(found.random))
        return (("map", found.deletion), ("centre", found.centre), *random)

    def _sentences(self) -> list[str]:
        return [f"{name}: mean margin {curve.area:+.3f}" for name, curve in self._curves()]

    def _draw_key(self, painter: QPainter, frame: QRectF, palette: Palette) -> None:
        em = line_height(painter.font())
        y = frame.bottom() + em * 3.1
        x = frame.x() - em * 2.4
        for name, title in (
            ("map", "this map"),
            ("random 1", "random"),
            ("centre", "centre first"),
        ):
            painter.setPen(_pen(name, palette))
            painter.drawLine(QPointF(x, y + em * 0.55), QPointF(x + em * 1.4, y + em * 0.55))
            width = painter.fontMetrics().horizontalAdvance(title) + em * 0.4
            write(painter, QRectF(x + em * 1.7, y, width, em * 1.1), title, palette.color("text_muted"))
            x += em * 2.4 + width


def _draw_axes(painter: QPainter, frame: QRectF, span: tuple[float, float], palette: Palette) -> None:
    em = line_height(painter.font())
    muted: QColor = palette.color("text_muted")
    for tick in round_ticks(*span, about=4):
        y = frame.bottom() - frame.height() * (tick - span[0]) / (span[1] - span[0])
        painter.setPen(hairline(palette.color("border_strong" if tick == 0 else "border")))
        painter.drawLine(QPointF(frame.x(), y), QPointF(frame.right(), y))
        beside = QRectF(frame.x() - em * 3.6, y - em / 2, em * 3.3, em)
        write(painter, beside, tick_text(tick), muted, _RIGHT)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = frame.x() + frame.width() * share
        below = QRectF(x - em * 2, frame.bottom() + em * 0.2, em * 4, em)
        write(painter, below, f"{share * 100:.0f}", muted, _CENTRE)
    title = QRectF(frame.x() - em * 3, frame.bottom() + em * 1.4, frame.width() + em * 4, em * 1.2)
    write(painter, title, "Hidden of the image, % (upwards: the margin)", muted, _CENTRE)


def _pen(name: str, palette: Palette) -> QPen:
    if name == "map":
        return QPen(palette.color("accent"), 2.4)
    if name == "centre":
        return hairline(palette.color("warning"), dashed=True, width=1.6)
    colour = palette.color("text_faint")
    colour.setAlphaF(0.6)
    return hairline(colour)
