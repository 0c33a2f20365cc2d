"""Painting what is drawn over a picture: measures, the region that training sees, the planes that cross."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainterPath, QPen, QPolygonF

from clipsvd_app.domain.measures import MeasureKind

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter

MEASURE_INK = QColor("#ffd166")
TRAINING_INK = QColor("#6fd3a8")
CROSS_INK = QColor(124, 155, 255, 170)
SHADOW = QColor(0, 0, 0, 190)
PLATE = QColor(8, 9, 10, 170)
CLOSED: tuple[MeasureKind, ...] = ("region", "ellipse")
HANDLE_INK = QColor("#ffffff")
POINT_PX = 3.0
HANDLE_PX = 4.0
GAP_PX = 10.0
LINE_PX = 15.0


@dataclass(frozen=True, slots=True)
class Shape:
    """A measure in viewport coordinates, a region or an ellipse as its outline.

    cursor: the loose end. handles: the points it can be moved by, of the measure that is marked.
    """

    kind: MeasureKind
    points: tuple[QPointF, ...]
    lines: tuple[str, ...] = ()
    cursor: QPointF | None = None
    handles: tuple[QPointF, ...] = ()


def paint_shapes(painter: QPainter, shapes: tuple[Shape, ...], room: QRectF) -> None:
    """Draw measures, and over them their figures, within the room and none over another."""
    for shape in shapes:
        _paint_shape(painter, shape)
    plates: list[QRectF] = []
    for shape in sorted(shapes, key=lambda shape: -len(shape.lines)):  # large ones find no other place
        if shape.lines:
            plates.append(_free_plate(_plate(painter, shape, room), plates, room))
            _paint_words(painter, plates[-1], shape.lines)


def _paint_shape(painter: QPainter, shape: Shape) -> None:
    outline = QPolygonF(shape.points)
    for pen in (QPen(SHADOW, 3.5), QPen(MEASURE_INK, 1.5)):
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if shape.kind in CLOSED:
            painter.drawPolygon(outline)
        else:
            painter.drawPolyline(outline)
    if shape.kind not in CLOSED:
        painter.setBrush(MEASURE_INK)
        for point in shape.points:
            painter.drawEllipse(point, POINT_PX, POINT_PX)
    for handle in shape.handles:
        painter.setPen(QPen(SHADOW, 1.0))
        painter.setBrush(HANDLE_INK)
        painter.drawRect(QRectF(handle.x() - HANDLE_PX, handle.y() - HANDLE_PX, 2 * HANDLE_PX, 2 * HANDLE_PX))
    if shape.cursor is not None:
        _paint_cursor(painter, shape.cursor)


def paint_training_region(painter: QPainter, corners: tuple[QPointF, ...], room: QRectF) -> None:
    """Dim what training does not see, and frame what it does."""
    inside = QPainterPath()
    inside.addPolygon(QPolygonF(corners))
    inside.closeSubpath()
    everything = QPainterPath()
    everything.addRect(room)
    painter.fillPath(everything.subtracted(inside), QColor(8, 9, 10, 120))
    painter.setPen(QPen(TRAINING_INK, 1.25, Qt.PenStyle.DashLine))
    painter.drawPath(inside)


def paint_cross(painter: QPainter, at: QPointF, room: QRectF) -> None:
    """Draw where two other planes cut this one, open in the middle."""
    painter.setPen(QPen(CROSS_INK, 1.0))
    for start, end in (
        (QPointF(room.left(), at.y()), QPointF(at.x() - GAP_PX, at.y())),
        (QPointF(at.x() + GAP_PX, at.y()), QPointF(room.right(), at.y())),
        (QPointF(at.x(), room.top()), QPointF(at.x(), at.y() - GAP_PX)),
        (QPointF(at.x(), at.y() + GAP_PX), QPointF(at.x(), room.bottom())),
    ):
        painter.drawLine(start, end)


def _paint_cursor(painter: QPainter, at: QPointF) -> None:
    painter.setPen(QPen(MEASURE_INK, 1.0))
    for x, y in ((GAP_PX, 0.0), (0.0, GAP_PX)):
        painter.drawLine(at - QPointF(x, y), at + QPointF(x, y))


def _anchor(shape: Shape) -> QPointF:
    """Return the middle of the words' left side: right of an end, or below a region."""
    if shape.kind not in CLOSED:
        return shape.points[1 if shape.kind == "angle" else -1] + QPointF(GAP_PX, 0)
    box = QPolygonF(shape.points).boundingRect()
    return QPointF(box.left() - 1, box.bottom() + GAP_PX + LINE_PX / 2 * len(shape.lines))


def _plate(painter: QPainter, shape: Shape, room: QRectF) -> QRectF:
    """Return where the figures of a measure would stand by themselves."""
    at, text = _anchor(shape), "\n".join(shape.lines)
    size = QFontMetricsF(painter.font()).boundingRect(QRectF(0, 0, 400, 400), 0, text).size()
    plate = QRectF(at.x(), at.y() - size.height() / 2 - 3, size.width() + 12, size.height() + 6)
    plate.moveRight(min(plate.right(), room.right() - 2))
    plate.moveTop(min(max(plate.top(), room.top() + 2), room.bottom() - plate.height() - 2))
    return plate


def _free_plate(plate: QRectF, taken: list[QRectF], room: QRectF) -> QRectF:
    """Move a plate up or down, as little as it takes, to where no other one stands; else leave it."""
    edges = [edge for other in taken for edge in (other.bottom() + 2, other.top() - plate.height() - 2)]
    for top in sorted((plate.top(), *edges), key=lambda edge: abs(edge - plate.top())):
        moved = QRectF(plate.left(), top, plate.width(), plate.height())
        if room.contains(moved) and not any(moved.intersects(other) for other in taken):
            return moved
    return plate


def _paint_words(painter: QPainter, plate: QRectF, lines: tuple[str, ...]) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(PLATE)
    painter.drawRoundedRect(plate, 4, 4)
    painter.setPen(MEASURE_INK)
    painter.drawText(plate.adjusted(6, 3, -6, -3), 0, "\n".join(lines))
