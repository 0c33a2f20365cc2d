"""The newest images of a class as a few small pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

if TYPE_CHECKING:
    from clipsvd_app.ui.look.theme import Theme

SIDE_PX = 36
GAP_PX = 4
SHOWN_AT_MOST = 12


class MiniThumbs(QWidget):
    """One line of pictures, as many as fit; the rest is counted."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._ids: tuple[int, ...] = ()
        self._pictures: dict[int, QPixmap] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def set_images(self, image_ids: tuple[int, ...]) -> list[int]:
        """Show these images, newest first; returns those whose picture is not here yet."""
        self._ids = image_ids
        shown = image_ids[:SHOWN_AT_MOST]
        self._pictures = {image_id: p for image_id, p in self._pictures.items() if image_id in shown}
        self.setVisible(bool(image_ids))
        self.update()
        return [image_id for image_id in shown if image_id not in self._pictures]

    def set_thumbnail(self, image_id: int, picture: QImage) -> None:
        """Take a picture if it is one of those shown."""
        if image_id in self._ids[:SHOWN_AT_MOST]:
            side = round(SIDE_PX * self.devicePixelRatioF())
            fill, smooth = (
                Qt.AspectRatioMode.KeepAspectRatioByExpanding,
                Qt.TransformationMode.SmoothTransformation,
            )
            self._pictures[image_id] = QPixmap.fromImage(picture.scaled(side, side, fill, smooth))
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(4 * (SIDE_PX + GAP_PX), SIDE_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        room = max(1, (self.width() + GAP_PX) // (SIDE_PX + GAP_PX))
        pictures = self._ids[: room if len(self._ids) <= room else room - 1]
        for place, image_id in enumerate(pictures):
            area = QRectF(place * (SIDE_PX + GAP_PX), 0, SIDE_PX, SIDE_PX)
            painter.fillRect(area, self._theme.palette.color("viewer"))
            picture = self._pictures.get(image_id)
            if picture is not None:
                painter.drawPixmap(area, picture, _middle_square(picture))
        if rest := len(self._ids) - len(pictures):
            area = QRectF(len(pictures) * (SIDE_PX + GAP_PX), 0, SIDE_PX, SIDE_PX)
            painter.setPen(self._theme.palette.color("text_muted"))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, f"+{rest}")


def _middle_square(picture: QPixmap) -> QRectF:
    side = min(picture.width(), picture.height())
    return QRectF((picture.width() - side) / 2, (picture.height() - side) / 2, side, side)
