"""Nine class styles that never rely on colour alone: each has a number and a shape of its own.

The hues are spread after Okabe and Ito's colour-blind-safe set, shifted so that each keeps a contrast of
at least 2 to 1 with the panels of both themes. From the tenth class on they start again; the number goes on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPainterPath, QPixmap, QPolygonF

Shape = Literal[
    "circle", "square", "triangle", "diamond", "hexagon", "pentagon", "shield", "octagon", "triangle_down"
]


@dataclass(frozen=True, slots=True)
class ClassStyle:
    """How class number ``number`` (from 1) looks everywhere."""

    number: int
    colour: str
    shape: Shape
    ink: str = "#0d0f12"  # the number written on the shape


_STYLES: tuple[tuple[str, Shape, str], ...] = (
    ("#e69f00", "circle", "#0d0f12"),
    ("#3fa9e6", "square", "#0d0f12"),
    ("#1fa37c", "diamond", "#0d0f12"),
    ("#cf73a6", "hexagon", "#0d0f12"),
    ("#d9601a", "triangle", "#0d0f12"),
    ("#b5a30a", "pentagon", "#0d0f12"),
    ("#5b7fe0", "shield", "#0d0f12"),
    ("#9a7bd0", "octagon", "#0d0f12"),
    ("#8b959f", "triangle_down", "#0d0f12"),
)


def class_style(position: int) -> ClassStyle:
    """Return the style of the class at a position from 0."""
    colour, shape, ink = _STYLES[position % len(_STYLES)]
    return ClassStyle(position + 1, colour, shape, ink)


def class_colour(position: int) -> QColor:
    """Return the colour of the class at a position from 0."""
    return QColor(class_style(position).colour)


def paint_class_mark(painter: QPainter, rect: QRectF, style: ClassStyle, *, hollow: bool = False) -> None:
    """Draw shape and number into ``rect``; ``hollow`` means predicted, filled means labelled."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = QColor(style.colour)
    pen = painter.pen()
    pen.setColor(colour if hollow else QColor(0, 0, 0, 110))
    pen.setWidthF(1.6 if hollow else 1.0)
    painter.setPen(pen)
    painter.setBrush(QColor(10, 12, 14, 200) if hollow else colour)
    painter.drawPath(shape_path(style.shape, rect.adjusted(1, 1, -1, -1)))
    font = QFont(painter.font())
    font.setBold(True)
    font.setPixelSize(max(7, round(rect.height() * 0.52)))
    painter.setFont(font)
    painter.setPen(colour if hollow else QColor(style.ink))
    painter.drawText(rect.translated(0, _number_drop(style.shape, rect)), _CENTRE, str(style.number))
    painter.restore()


def class_icon(position: int, size: int = 18) -> QIcon:
    """Return the mark of the class at a position from 0 as an icon."""
    ratio = 3
    pixmap = QPixmap(size * ratio, size * ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    pixmap.setDevicePixelRatio(ratio)
    painter = QPainter(pixmap)
    paint_class_mark(painter, QRectF(0, 0, size, size), class_style(position))
    painter.end()
    return QIcon(pixmap)


def shape_path(shape: Shape, rect: QRectF) -> QPainterPath:
    """Return the outline of a shape that fills ``rect``; plots use it for their symbols."""
    path = QPainterPath()
    if shape == "circle":
        path.addEllipse(rect)
    elif shape == "square":
        path.addRoundedRect(rect.adjusted(1, 1, -1, -1), 2, 2)
    elif shape == "shield":
        path.addPolygon(_scaled(((0.04, 0.05), (0.96, 0.05), (0.96, 0.6), (0.5, 1.0), (0.04, 0.6)), rect))
        path.closeSubpath()
    else:
        sides, turn = _POLYGONS[shape]
        path.addPolygon(_regular(sides, turn, rect))
        path.closeSubpath()
    return path


_CENTRE = Qt.AlignmentFlag.AlignCenter
_POLYGONS: dict[str, tuple[int, float]] = {
    "triangle": (3, -90.0),
    "triangle_down": (3, 90.0),
    "diamond": (4, -90.0),
    "pentagon": (5, -90.0),
    "hexagon": (6, 0.0),
    "octagon": (8, 22.5),
}


def _regular(sides: int, turn_degrees: float, rect: QRectF) -> QPolygonF:
    angles = [math.radians(turn_degrees + 360.0 * i / sides) for i in range(sides)]
    stretch = 1.12 if sides == 3 else 1.0
    centre = rect.center() + QPointF(0, _number_drop("triangle", rect) * (sides == 3) * -math.sin(angles[0]))
    return QPolygonF(
        [
            centre
            + QPointF(math.cos(a) * rect.width() / 2 * stretch, math.sin(a) * rect.height() / 2 * stretch)
            for a in angles
        ]
    )


def _scaled(points: tuple[tuple[float, float], ...], rect: QRectF) -> QPolygonF:
    return QPolygonF([QPointF(rect.x() + x * rect.width(), rect.y() + y * rect.height()) for x, y in points])


def _number_drop(shape: str, rect: QRectF) -> float:
    """Return how far the number sits below the middle, so that it rests in the shape's mass."""
    return {"triangle": 0.09, "triangle_down": -0.09, "shield": -0.05}.get(shape, 0.0) * rect.height()
