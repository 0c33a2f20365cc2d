"""The pointer over a picture says what the left button will do there."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QCursor, QPainter, QPixmap

from clipsvd_app.domain.measures import POINTS_NEEDED
from clipsvd_app.ui.look import icons

SIZE_PX = 24
ICON_PX = 20
_SHADOW = QColor("#08090a")
_INK = QColor("#f4f6f8")
_SHAPES = {"pan": Qt.CursorShape.OpenHandCursor, "scroll": Qt.CursorShape.SizeVerCursor}
_DRAWN = {"window": "window", "zoom": "zoom"}


def cursor_of(tool: str, *, holds: bool = False) -> QCursor:
    """Return the cursor of a tool; ``holds``: a measure lies under the pointer and can be moved."""
    if holds:
        return QCursor(Qt.CursorShape.SizeAllCursor)
    if tool in POINTS_NEEDED:
        return QCursor(Qt.CursorShape.CrossCursor)
    if tool in _DRAWN:
        return _drawn(_DRAWN[tool])
    return QCursor(_SHAPES.get(tool, Qt.CursorShape.ArrowCursor))


@cache
def _drawn(icon: str) -> QCursor:
    """Draw a light icon with a dark rim, so that it is seen on bone and on air."""
    ratio = icons.finest_ratio()
    picture = QPixmap(QSize(SIZE_PX, SIZE_PX) * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    area = QRect(0, 0, ICON_PX, ICON_PX).translated(2, 2)
    dark, light = (icons.pixmap(icon, colour, ICON_PX, ratio) for colour in (_SHADOW, _INK))
    for across, down in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        painter.drawPixmap(area.translated(across, down), dark)
    painter.drawPixmap(area, light)
    painter.end()
    middle = QPoint(SIZE_PX // 2, SIZE_PX // 2)
    return QCursor(picture, middle.x(), middle.y())
