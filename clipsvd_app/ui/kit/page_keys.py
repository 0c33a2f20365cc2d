"""Letters, digits and signs mean to a page what its keys say, wherever on it the focus is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

TYPED_INTO = (QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox)
_HELD = (
    Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.KeypadModifier
)


def is_typing() -> bool:
    """Say whether the focus is in a field that letters go into."""
    focused = QApplication.focusWidget()
    return isinstance(focused, TYPED_INTO) or (isinstance(focused, QComboBox) and focused.isEditable())


class PageKeys(QObject):
    """Hands to the page what its choosers and lists would search their own items for."""

    def __init__(self, page: QWidget) -> None:
        super().__init__(page)
        self._page = page
        for searching in _searching(page):
            searching.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return False
        pops_up = isinstance(watched, QWidget) and watched.window() is not self._page.window()
        if pops_up or event.modifiers() & ~_HELD or not _is_written(event.text()):
            return False
        self._page.keyPressEvent(event)
        return True


def _is_written(text: str) -> bool:
    """Say whether a key writes a sign that is seen."""
    return bool(text.strip()) and text.isprintable()


def _searching(page: QWidget) -> Iterable[QWidget]:
    yield from (chooser for chooser in page.findChildren(QComboBox) if not chooser.isEditable())
    yield from page.findChildren(QAbstractItemView)
