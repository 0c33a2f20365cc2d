"""The sheet of keys: laid over the window, closed by Escape or a click."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from clipsvd_app.ui.shell.actions import ACTIONS, LABEL_KEYS, MOUSE_KEYS, VIEWER_KEYS, KeyHelp
from clipsvd_app.ui.theme import set_kind

VEIL_ALPHA = 150
MARGIN_PX = 12


class KeySheet(QWidget):
    """All keys in three columns, made from the same tables as the menus."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._covered = parent
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        card = QFrame()
        set_kind(card, "card")
        columns = QHBoxLayout(card)
        columns.setContentsMargins(28, 20, 28, 20)
        columns.setSpacing(32)
        for sections in _columns():
            columns.addLayout(_column(sections))
        centred = QGridLayout(self)
        self._card = card
        self._scroll = QScrollArea()
        self._scroll.setWidget(card)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.viewport().setAutoFillBackground(False)
        centred.addWidget(self._scroll, 0, 0, Qt.AlignmentFlag.AlignCenter)
        self.hide()

    def open(self) -> None:
        """Cover the parent and take the keyboard."""
        self.setGeometry(self._covered.rect())
        self.show()
        self.raise_()
        self.setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the card its size, or what room there is to scroll it in."""
        super().resizeEvent(event)
        room = self.size() - QSize(2 * MARGIN_PX, 2 * MARGIN_PX)
        self._scroll.setFixedSize(self._card.sizeHint().boundedTo(room))

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), QColor(0, 0, 0, VEIL_ALPHA))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_F1):
            self.hide()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.hide()


Section = tuple[str, tuple[KeyHelp, ...]]


def _columns() -> tuple[tuple[Section, ...], ...]:
    window = tuple(KeyHelp(_shown(spec.shortcut), spec.text.rstrip("…")) for spec in ACTIONS if spec.shortcut)
    return (
        (("Window", window),),
        (("Viewer", VIEWER_KEYS),),
        (("Labelling", LABEL_KEYS), ("Mouse in the viewer", MOUSE_KEYS)),
    )


def _shown(shortcut: str) -> str:
    return QKeySequence(shortcut).toString(QKeySequence.SequenceFormat.NativeText).replace("+", " + ")


def _column(sections: tuple[Section, ...]) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(10)
    for title, keys in sections:
        heading = QLabel(title)
        set_kind(heading, "headline")
        column.addWidget(heading)
        column.addLayout(_lines(keys))
        column.addSpacing(8)
    column.addStretch(1)
    return column


def _lines(keys: tuple[KeyHelp, ...]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(4)
    grid.setColumnStretch(1, 1)
    for row, entry in enumerate(keys):
        chip, text = QLabel(entry.keys), QLabel(entry.text)
        set_kind(chip, "chip")
        grid.addWidget(chip, row, 0, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(text, row, 1)
    return grid
