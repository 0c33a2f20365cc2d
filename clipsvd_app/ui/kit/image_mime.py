"""Images on the move: the MIME type of image ids, and the drag that carries them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QDrag, QFont, QPainter, QPixmap

from clipsvd_app.ui.look.icons import finest_ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.ui.look.theme import Palette

IMAGE_IDS = "application/x-clipsvd-image-ids"
CLASS_ID = "application/x-clipsvd-class-id"
GHOST_PX = 96


def mime_of(image_ids: Sequence[int]) -> QMimeData:
    """Return the ids as drag data: a JSON list under :data:`IMAGE_IDS`."""
    mime = QMimeData()
    mime.setData(IMAGE_IDS, json.dumps([int(image_id) for image_id in image_ids]).encode())
    return mime


def image_ids_of(mime: QMimeData) -> tuple[int, ...]:
    """Return the ids of a drag, none when it carries no images.

    Another program may put anything under our name: what is no list of whole numbers carries none.
    """
    try:
        ids = json.loads(bytes(mime.data(IMAGE_IDS).data()))
    except ValueError:
        return ()
    whole = isinstance(ids, list) and all(type(image_id) is int for image_id in ids)
    return tuple(ids) if whole else ()


def has_images(mime: QMimeData) -> bool:
    """Whether a drag carries images of this program."""
    return bool(image_ids_of(mime))


def mime_of_class(class_id: int) -> QMimeData:
    """Return a class on its way to another place of the list."""
    mime = QMimeData()
    mime.setData(CLASS_ID, str(class_id).encode())
    return mime


def class_id_of(mime: QMimeData) -> int | None:
    """Return the class of a drag, None when it carries none."""
    text = bytes(mime.data(CLASS_ID).data())
    return int(text) if text.isdigit() else None


def drag_images(source: QWidget, image_ids: Sequence[int], ghost: QPixmap) -> None:
    """Drag images away from a widget until they are dropped somewhere."""
    drag = QDrag(source)
    drag.setMimeData(mime_of(image_ids))
    drag.setPixmap(ghost)
    drag.setHotSpot(QPoint(12, 12))
    drag.exec(Qt.DropAction.CopyAction)


def ghost_of(thumbnail: QImage | None, count: int, palette: Palette) -> QPixmap:
    """Return the picture under the pointer: the thumbnail and how many are carried."""
    ratio = finest_ratio()
    ghost = QPixmap(QSize(GHOST_PX, GHOST_PX) * ratio)
    ghost.setDevicePixelRatio(ratio)
    ghost.fill(palette.color("viewer"))
    painter = QPainter(ghost)
    painter.setOpacity(0.85)
    if thumbnail is not None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        fitted = thumbnail.size().scaled(GHOST_PX, GHOST_PX, Qt.AspectRatioMode.KeepAspectRatio)
        target = QRect(QPoint(), fitted)
        target.moveCenter(QPoint(GHOST_PX // 2, GHOST_PX // 2))
        painter.drawImage(target, thumbnail)
    painter.setOpacity(1.0)
    painter.setPen(palette.color("accent"))
    painter.drawRect(0, 0, GHOST_PX - 1, GHOST_PX - 1)
    if count > 1:
        _paint_count(painter, count, palette)
    painter.end()
    return ghost


def _paint_count(painter: QPainter, count: int, palette: Palette) -> None:
    font = QFont()
    font.setBold(True)
    painter.setFont(font)
    area = QRect(GHOST_PX - 38, GHOST_PX - 26, 34, 22)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(palette.color("accent"))
    painter.drawRoundedRect(area, 11, 11)
    painter.setPen(palette.color("on_accent"))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, str(count))
