"""A name that is text until one edits it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QLineEdit, QWidget

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QPaintEvent

PADDING_PX = 5  # as of a field being typed in


class NameField(QLineEdit):
    """``renamed(str)`` after Enter or leaving the field with another name; Escape keeps the old one."""

    renamed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bin_name")
        self._name = ""
        self.editingFinished.connect(self._finish)
        self._rest()

    @property
    def is_edited(self) -> bool:
        """Whether the name is being typed."""
        return not self.isReadOnly()

    def set_name(self, name: str) -> None:
        """Show a name; what is being typed stays."""
        self._name = name
        if not self.is_edited:
            self.setText(name)
            self.setCursorPosition(0)

    def edit(self) -> None:
        """Let the name be typed."""
        self.setReadOnly(False)
        self._be_seen(editing=True)
        self.setFocus()
        self.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.is_edited:
            self.setText(self._name)
            self._finish()
        else:
            super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()  # the class below would take it for a label

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.is_edited:
            super().paintEvent(event)
            return
        room = self.rect().adjusted(PADDING_PX, 0, -PADDING_PX, 0)
        fitted = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter = QPainter(self)
        painter.setPen(self.palette().text().color())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), fitted)

    def _finish(self) -> None:
        if not self.is_edited:
            return
        typed = " ".join(self.text().split())
        self._rest()
        self.setText(self._name)
        if typed and typed != self._name:
            self.renamed.emit(typed)

    def _rest(self) -> None:
        class_bin = self.parentWidget()
        if self.hasFocus() and class_bin is not None:
            class_bin.setFocus()
        self.setReadOnly(True)
        self.deselect()
        self._be_seen(editing=False)

    def _be_seen(self, *, editing: bool) -> None:
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if editing else Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, not editing)
        self.setProperty("editing", editing)
        self.style().unpolish(self)
        self.style().polish(self)
