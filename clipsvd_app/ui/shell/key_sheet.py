"""The sheet of keys: laid over the window, closed by Escape or a click."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QWidget

from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.look.theme import set_kind
from clipsvd_app.ui.shell.actions import (
    ACTIONS,
    APPLY_KEYS,
    INSPECT_KEYS,
    LABEL_KEYS,
    MESSAGE_KEYS,
    MOUSE_KEYS,
    VIEWER_KEYS,
    KeyHelp,
)

VEIL_ALPHA = 150
MARGIN_PX = 12
CARD_MARGIN_PX = 24
BETWEEN_COLUMNS_PX = 28
MOST_COLUMNS = 3
_CLOSING = (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_F1)
_SCROLLING = {
    Qt.Key.Key_Up: -40,
    Qt.Key.Key_Down: 40,
    Qt.Key.Key_PageUp: -400,
    Qt.Key.Key_PageDown: 400,
}

Section = tuple[str, tuple[KeyHelp, ...]]


class KeySheet(QWidget):
    """All keys, made from the same tables as the menus, in as many columns as the window has room for."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._covered = parent
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._card = QFrame()
        set_kind(self._card, "card")
        self._columns = QHBoxLayout(self._card)
        self._columns.setContentsMargins(CARD_MARGIN_PX, 18, CARD_MARGIN_PX, 18)
        self._columns.setSpacing(BETWEEN_COLUMNS_PX)
        self._sections = [_section(title, keys, self._card) for title, keys in _titled()]
        self._shown_columns = 0
        centred = QGridLayout(self)
        self._scroll = QScrollArea()
        self._scroll.setWidget(self._card)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.viewport().setAutoFillBackground(False)
        centred.addWidget(self._scroll, 0, 0, Qt.AlignmentFlag.AlignCenter)
        self.hide()

    @property
    def columns(self) -> int:
        """How many columns there is room for."""
        return self._shown_columns

    def open(self) -> None:
        """Cover the parent and take the keyboard."""
        self.setGeometry(self._covered.rect())
        self.show()
        self.raise_()
        self.setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the card its size, or what room there is to scroll down in."""
        super().resizeEvent(event)
        room = self.size() - QSize(2 * MARGIN_PX, 2 * MARGIN_PX)
        self._fit(room)
        wanted, bar = self._card.sizeHint(), self._scroll.verticalScrollBar().sizeHint().width()
        if wanted.height() > room.height():
            wanted += QSize(bar, 0)
        self._card.resize(self._card.sizeHint())
        self._scroll.setFixedSize(wanted.boundedTo(room))

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), QColor(0, 0, 0, VEIL_ALPHA))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _CLOSING:
            self.hide()
        elif (step := _SCROLLING.get(Qt.Key(event.key()))) is not None:
            bar = self._scroll.verticalScrollBar()
            bar.setValue(bar.value() + step)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.hide()

    def _fit(self, room: QSize) -> None:
        """Take as many columns as are no wider than the room."""
        bar = self._scroll.verticalScrollBar().sizeHint().width()
        for columns in range(MOST_COLUMNS, 0, -1):
            self._arrange(columns)
            if self._card.sizeHint().width() + bar <= room.width():
                return

    def _arrange(self, columns: int) -> None:
        if columns == self._shown_columns:
            return
        self._shown_columns = columns
        while (item := self._columns.takeAt(0)) is not None:
            if (column := item.layout()) is not None:
                while column.takeAt(0) is not None:
                    pass
                column.deleteLater()
        heights = [section.sizeHint().height() for section in self._sections]
        start = 0
        for end in spread(heights, columns):
            column = vertical(spacing=14)
            for section in self._sections[start:end]:
                column.addWidget(section)
            column.addStretch(1)
            self._columns.addLayout(column)
            start = end
        self._columns.activate()


def spread(heights: list[int], columns: int) -> list[int]:
    """Return where each column ends, so that the tallest is as short as it can be."""
    tallest = min(height for height in _sums(heights) if len(_filled(heights, height)) <= columns)
    return _filled(heights, tallest)


def _sums(heights: list[int]) -> list[int]:
    """Return every height that a column may come to."""
    return sorted(
        sum(heights[start:end])
        for start in range(len(heights))
        for end in range(start + 1, len(heights) + 1)
        if sum(heights[start:end]) >= max(heights)
    )


def _filled(heights: list[int], tallest: int) -> list[int]:
    ends, height = [], 0
    for place, part in enumerate(heights):
        if height + part > tallest and height:
            ends.append(place)
            height = 0
        height += part
    return [*ends, len(heights)]


def _titled() -> tuple[Section, ...]:
    window = tuple(KeyHelp(_shown(spec.shortcut), spec.text.rstrip("…")) for spec in ACTIONS if spec.shortcut)
    others = (
        ("Mouse in the viewer", MOUSE_KEYS),
        ("Labelling", LABEL_KEYS),
        ("Inspecting", INSPECT_KEYS),
        ("Applying", APPLY_KEYS),
    )
    return (("Window", window + MESSAGE_KEYS), *VIEWER_KEYS, *others)


def _shown(shortcut: str) -> str:
    return QKeySequence(shortcut).toString(QKeySequence.SequenceFormat.NativeText).replace("+", " + ")


def _section(title: str, keys: tuple[KeyHelp, ...], parent: QWidget) -> QWidget:
    section = QWidget(parent)
    column = vertical(section, 8)
    heading = QLabel(title)
    set_kind(heading, "headline")
    column.addWidget(heading)
    column.addLayout(_lines(keys))
    return section


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
