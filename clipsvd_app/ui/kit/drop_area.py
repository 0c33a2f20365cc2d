"""A place that says what may be dropped on it, with a button for those who do not drag."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from clipsvd_app.ui.kit.drops import dropped_paths
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import GAP, button, label
from clipsvd_app.ui.look.inks import palette_in_force


class DropArea(QWidget):
    """Emits ``paths_dropped(list of paths)`` for local files, ``pressed()`` for its button."""

    paths_dropped = Signal(object)
    pressed = Signal()

    def __init__(self, headline: str, sentence: str, action: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)
        self.setAccessibleName(headline)
        self._hovered = False
        self._button = button(action)
        self._button.clicked.connect(self.pressed)
        column = vertical(self, GAP, margins=GAP * 2)
        column.addStretch(1)
        for widget in (label(headline, "headline"), label(sentence, "muted")):
            widget.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(widget)
        column.addWidget(self._button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self.setMinimumHeight(160)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_paths(event.mimeData()):
            event.acceptProposedAction()
            self._hover(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._hover(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._hover(False)
        event.acceptProposedAction()
        self.paths_dropped.emit(dropped_paths(event.mimeData()))

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = palette_in_force()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(palette.color("accent_soft" if self._hovered else "panel"))
        role = "accent" if self._hovered else "border_strong"
        painter.setPen(QPen(palette.color(role), 1.5, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
        painter.end()

    def _hover(self, hovered: bool) -> None:
        self._hovered = hovered
        self.update()
