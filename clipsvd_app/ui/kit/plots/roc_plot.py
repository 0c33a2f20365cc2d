"""Sensitivity against false alarms, one class against the rest, after adaptation and before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.ui.kit.plots.plot_widget import PlotWidget, Rows, Spot, line_height, sized, write
from clipsvd_app.ui.kit.plots.unit_axes import UnitAxes, draw_diagonal, draw_unit_axes, unit_axes
from clipsvd_app.ui.look.class_colours import class_colour, class_style, paint_class_mark

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.curves import Roc, RocPair
    from clipsvd_app.ui.look.theme import Palette

_SPOT_PX = 10.0


class RocPlot(PlotWidget):
    """One class is drawn twice, adapted (solid) and zero-shot (dashed); all classes only as adapted."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._pairs: tuple[RocPair, ...] = ()
        self._chosen: int | None = None
        self.setAccessibleName("ROC curves")
        self.setMinimumSize(280, 260)

    def set_curves(self, names: tuple[str, ...], pairs: tuple[RocPair, ...]) -> None:
        """Take the curves of a run, one pair a class that has them."""
        self._names, self._pairs = names, pairs
        self.choose(self._chosen if self._chosen in self.classes() else None)

    def classes(self) -> tuple[int, ...]:
        """Return the positions of the classes that have a curve."""
        return tuple(pair.adapted.class_position for pair in self._pairs)

    def choose(self, position: int | None) -> None:
        """Show one class with its curve before adaptation, or all."""
        self._chosen = position
        self.say("; ".join(self._sentence(pair) for pair in self._shown()))

    def sizeHint(self) -> QSize:
        return QSize(420, 340)

    def data_rows(self) -> Rows:
        header = ("class", "model", "threshold", "false_positive_rate", "sensitivity")
        return (
            header,
            *(
                (
                    self._names[curve.class_position],
                    model,
                    repr(p.threshold),
                    repr(p.false_positive_rate),
                    repr(p.sensitivity),
                )
                for pair in self._shown()
                for model, curve in (("adapted", pair.adapted), ("zero_shot", pair.zero_shot))
                for p in curve.points
            ),
        )

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        if not self._pairs:
            return ()
        painter.setFont(sized(self.font(), 0.92))
        em = line_height(painter.font())
        axes = unit_axes(area, em)
        draw_unit_axes(painter, axes, palette, "False alarms among the others, %", "Found, %")
        draw_diagonal(painter, axes, palette)
        spots: list[Spot] = []
        for pair in self._shown():
            if self._chosen is not None:
                _draw_curve(painter, axes, pair.zero_shot, palette.color("text_muted"), dashed=True)
                spots += self._spots_of(axes, pair.zero_shot, "zero-shot")
            _draw_curve(painter, axes, pair.adapted, class_colour(pair.adapted.class_position))
            spots += self._spots_of(axes, pair.adapted, "adapted")
        self._draw_legend(painter, axes.frame, palette)
        return tuple(spots)

    def _shown(self) -> tuple[RocPair, ...]:
        return tuple(p for p in self._pairs if self._chosen in (None, p.adapted.class_position))

    def _draw_legend(self, painter: QPainter, frame: QRectF, palette: Palette) -> None:
        em = line_height(painter.font())
        entries = self._legend()
        top = frame.bottom() - em * (1.35 * len(entries) + 0.5)
        for row, (position, text) in enumerate(entries):
            line = QRectF(
                frame.center().x() - em, top + em * 1.35 * row, frame.width() / 2 + em * 0.6, em * 1.25
            )
            mark = QRectF(line.x(), line.y(), em * 1.15, em * 1.15)
            if position is None:
                painter.setPen(QPen(palette.color("text_muted"), 2, Qt.PenStyle.DashLine))
                painter.drawLine(
                    QPointF(mark.x(), mark.center().y()), QPointF(mark.right(), mark.center().y())
                )
            else:
                paint_class_mark(painter, mark, class_style(position))
            write(painter, line.adjusted(em * 1.5, 0, 0, 0), text, palette.color("text"))

    def _legend(self) -> list[tuple[int | None, str]]:
        """Return class position (None: before adaptation) and text of each line."""
        if self._chosen is None:
            return [
                (p.adapted.class_position, f"{self._names[p.adapted.class_position]} {p.adapted.area:.2f}")
                for p in self._pairs
            ]
        (pair,) = self._shown()
        return [
            (self._chosen, f"adapted {pair.adapted.area:.2f}"),
            (None, f"zero-shot {pair.zero_shot.area:.2f}"),
        ]

    def _spots_of(self, axes: UnitAxes, curve: Roc, model: str) -> list[Spot]:
        name = self._names[curve.class_position]
        return [
            Spot(
                QRectF(place.x() - _SPOT_PX / 2, place.y() - _SPOT_PX / 2, _SPOT_PX, _SPOT_PX),
                f"“{name}” from {percent(point.threshold)} on, {model}: {percent(point.sensitivity)} found, "
                f"{percent(point.false_positive_rate)} of the others are false alarms",
            )
            for point in curve.points[1:]
            for place in (axes.at(point.false_positive_rate, point.sensitivity),)
        ]

    def _sentence(self, pair: RocPair) -> str:
        return (
            f"{self._names[pair.adapted.class_position]}: area {pair.adapted.area:.2f} adapted, "
            f"{pair.zero_shot.area:.2f} zero-shot"
        )


def _draw_curve(
    painter: QPainter, axes: UnitAxes, curve: Roc, colour: QColor, *, dashed: bool = False
) -> None:
    pen = QPen(colour, 1.6 if dashed else 2.2)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if dashed:
        pen.setDashPattern([4, 3])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(QPolygonF([axes.at(p.false_positive_rate, p.sensitivity) for p in curve.points]))
