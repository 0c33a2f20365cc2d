"""Files dropped on the window: which paths, and the veil that shows where they will go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from PySide6.QtCore import QMimeData

    from clipsvd_app.ui.look.theme import Theme


VEIL_ALPHA = 110  # the classes stay readable: files can be dropped on them too
ADD, CREATE = "Drop to add to the project", "Drop to create a project"


def dropped_paths(mime: QMimeData) -> list[str]:
    """Return the local files and folders of a drag, in its order; web addresses are left out."""
    return [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]


class DropVeil(QWidget):
    """Covers the window while files hover over it; lets every event through."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._covered = parent
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.invitation = CREATE
        self.hide()

    def cover(self) -> None:
        """Show it over the whole parent."""
        self.setGeometry(self._covered.rect())
        self.show()
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = self._theme.palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(palette.window)
        veil.setAlpha(VEIL_ALPHA)
        painter.fillRect(self.rect(), veil)
        painter.setPen(QPen(palette.color("accent"), 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(8, 8, -8, -8), 12, 12)
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 1.3)
        painter.setFont(font)
        plate = QRectF(0, 0, painter.fontMetrics().horizontalAdvance(self.invitation) + 64, 56)
        plate.moveCenter(QRectF(self.rect()).center())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.color("accent"))
        painter.drawRoundedRect(plate, 10, 10)
        painter.setPen(palette.color("on_accent"))
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, self.invitation)
