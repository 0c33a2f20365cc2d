"""The small handle in the viewer's corner that the shown image is dragged away by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

if TYPE_CHECKING:
    from clipsvd_app.ui.look.theme import Theme

SIZE = QSize(92, 28)


class DragHandle(QWidget):
    """``drag_requested()`` once the pointer has pulled it away."""

    drag_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._ghost = QPixmap()
        self._pressed_at: QPointF | None = None
        self.setFixedSize(SIZE)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setToolTip("Drag onto a class (or Alt and drag the image)")

    @property
    def ghost(self) -> QPixmap:
        """What hangs under the pointer."""
        return self._ghost

    def set_image(self, image_id: int) -> None:
        """Belong to another image; its thumbnail may follow."""
        self._ghost = QPixmap()
        self.setAccessibleName(f"Drag image {image_id}")

    def set_ghost(self, ghost: QPixmap) -> None:
        """Set what hangs under the pointer."""
        self._ghost = ghost

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed_at = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed_at = None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed_at is None:
            return
        if (event.position() - self._pressed_at).manhattanLength() >= QApplication.startDragDistance():
            self._pressed_at = None
            self.drag_requested.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(255, 255, 255, 50), 1))
        painter.setBrush(QColor(30, 33, 37, 210))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(255, 255, 255, 130))
        for column in range(2):
            for row in range(3):
                painter.drawEllipse(QPointF(12 + 5 * column, 9 + 5 * row), 1.3, 1.3)
        painter.setPen(QColor(self._theme.palette.viewer_text))
        painter.drawText(self.rect().adjusted(26, 0, -6, 0), Qt.AlignmentFlag.AlignVCenter, "to a class")
