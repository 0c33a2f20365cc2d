"""Cases as dots on a map of their features: like lies beside like, and a click opens the case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.ui.kit.plots.plot_widget import (
    PlotWidget,
    Rows,
    Spot,
    line_height,
    sized,
    text_width,
    write,
)
from clipsvd_app.ui.look.class_colours import class_colour, class_style, paint_class_mark, shape_path

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.ui.look.theme import Palette

_DOT_PX = 11.0
_DIRECTIONS: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


@dataclass(frozen=True, slots=True)
class MapDot:
    """One case: its place in the units of the projection, its label (None: not labelled), what it says.

    ``wrong`` marks a case that the model contradicts, ``training`` one that it learnt from.
    """

    image_id: int
    x: float
    y: float
    label: int | None
    sentence: str
    wrong: bool = False
    training: bool = False


class CaseMap(PlotWidget):
    """Colour and shape are the label; a ring is an error, a hollow dot a training image.

    Arrow keys move to the nearest dot in that direction, Enter or a click opens it.
    """

    case_opened = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._dots: tuple[MapDot, ...] = ()
        self._current: int | None = None
        self.setAccessibleName("Map of the cases")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(320, 260)

    def set_dots(self, names: tuple[str, ...], dots: tuple[MapDot, ...]) -> None:
        """Show dots; training images are drawn first, so that errors lie on top."""
        self._names = names
        self._dots = tuple(sorted(dots, key=lambda dot: (not dot.training, dot.wrong)))
        self.setCursor(Qt.CursorShape.PointingHandCursor if dots else Qt.CursorShape.ArrowCursor)
        wrong = sum(dot.wrong for dot in dots)
        self.say(f"{counted(len(dots), 'case')}, {wrong} of them told wrong.")

    def set_current(self, image_id: int | None) -> None:
        """Mark a case."""
        self._current = image_id
        self.update()

    @property
    def current(self) -> int | None:
        """The case that is marked."""
        return self._current

    def sizeHint(self) -> QSize:
        return QSize(640, 460)

    def data_rows(self) -> Rows:
        header = ("image", "x", "y", "label", "wrong", "training")
        return (
            header,
            *(
                (
                    str(dot.image_id),
                    repr(dot.x),
                    repr(dot.y),
                    "" if dot.label is None else self._names[dot.label],
                    str(int(dot.wrong)),
                    str(int(dot.training)),
                )
                for dot in self._dots
            ),
        )

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        if not self._dots:
            return ()
        painter.setFont(sized(self.font(), 0.92))
        em = line_height(painter.font())
        self._draw_legend(
            painter, QRectF(area.x() + em * 0.4, area.y(), area.width() - em, em * 1.5), palette
        )
        field = area.adjusted(_DOT_PX, em * 2.0 + _DOT_PX, -_DOT_PX, -_DOT_PX)
        places = self._places(field)
        for dot in self._dots:
            _draw_dot(painter, places[dot.image_id], dot, palette, chosen=dot.image_id == self._current)
        half = _DOT_PX * 0.7
        return tuple(
            Spot(QRectF(p.x() - half, p.y() - half, 2 * half, 2 * half), dot.sentence, dot.image_id)
            for dot in self._dots
            for p in (places[dot.image_id],)
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        spot = self.spot_at(event.position())
        if spot is not None and event.button() == Qt.MouseButton.LeftButton:
            self._open(spot.key)
        else:
            super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._dots and event.key() in _DIRECTIONS:
            self.set_current(self._neighbour(_DIRECTIONS[event.key()]))
        elif self._current is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(self._current)
        else:
            super().keyPressEvent(event)

    def _open(self, image_id: object) -> None:
        assert isinstance(image_id, int)
        self.set_current(image_id)
        self.case_opened.emit(image_id)

    def _neighbour(self, direction: tuple[int, int]) -> int:
        """Return the nearest dot in a direction; what lies aside of it counts as farther."""
        places = self._places(QRectF(self.rect()))
        here = places.get(self._current or 0)
        if here is None:
            return self._dots[0].image_id

        def far(image_id: int) -> float:
            step = places[image_id] - here
            along = step.x() * direction[0] + step.y() * direction[1]
            aside = abs(step.x() * direction[1]) + abs(step.y() * direction[0])
            return along + 2 * aside if along > 0 else float("inf")

        nearest = min(places, key=far)
        return nearest if far(nearest) < float("inf") else (self._current or nearest)

    def _places(self, field: QRectF) -> dict[int, QPointF]:
        xs, ys = [dot.x for dot in self._dots], [dot.y for dot in self._dots]
        left, top = min(xs), max(ys)
        width, height = (max(xs) - left) or 1.0, (top - min(ys)) or 1.0
        return {
            dot.image_id: QPointF(
                field.x() + field.width() * (dot.x - left) / width,
                field.y() + field.height() * (top - dot.y) / height,
            )
            for dot in self._dots
        }

    def _draw_legend(self, painter: QPainter, line: QRectF, palette: Palette) -> None:
        em = line_height(painter.font())
        x = line.x()
        for position, name in enumerate(self._names):
            needed = em * 1.6 + text_width(painter.font(), (name,)) + em
            if x + needed > line.right() - em * 9:
                break
            paint_class_mark(painter, QRectF(x, line.y(), em * 1.2, em * 1.2), class_style(position))
            write(painter, QRectF(x + em * 1.6, line.y(), needed, em * 1.2), name, palette.color("text"))
            x += needed
        centre = QPointF(x + em * 0.6, line.y() + em * 0.6)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(palette.color("error"), 2))
        painter.drawEllipse(centre, em * 0.55, em * 0.55)
        ring = QRectF(x + em * 1.5, line.y(), em * 9, em * 1.2)
        write(painter, ring, "told wrong", palette.color("text_muted"))


def _draw_dot(painter: QPainter, place: QPointF, dot: MapDot, palette: Palette, *, chosen: bool) -> None:
    area = QRectF(place.x() - _DOT_PX / 2, place.y() - _DOT_PX / 2, _DOT_PX, _DOT_PX)
    colour = palette.color("text_faint") if dot.label is None else class_colour(dot.label)
    shape = shape_path("circle" if dot.label is None else class_style(dot.label).shape, area)
    hollow = dot.training or dot.label is None
    painter.setPen(QPen(colour if hollow else palette.color("panel"), 1.4 if hollow else 0.8))
    painter.setBrush(QColor(0, 0, 0, 0) if hollow else colour)
    painter.drawPath(shape)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if dot.wrong:
        painter.setPen(QPen(palette.color("error"), 2))
        painter.drawEllipse(place, _DOT_PX * 0.85, _DOT_PX * 0.85)
    if chosen:
        painter.setPen(QPen(palette.color("text"), 2))
        painter.drawEllipse(place, _DOT_PX * 1.25, _DOT_PX * 1.25)
