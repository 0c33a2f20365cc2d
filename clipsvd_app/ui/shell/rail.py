"""The left rail: the five numbered pages, and settings at the bottom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QToolButton, QVBoxLayout, QWidget

from clipsvd_app.ui import icons

if TYPE_CHECKING:
    from clipsvd_app.ui.theme import Palette, Theme

RAIL_WIDTH_PX = 88
BUTTON_SIZE = QSize(72, 62)
ICON_SIZE = QSize(22, 22)


class RailButton(QToolButton):
    """A page in the rail: icon, word, and its number in the corner."""

    def __init__(self, theme: Theme, title: str, icon_name: str, number: int | None) -> None:
        super().__init__()
        self.setText(title)
        self.setCheckable(True)
        self._theme = theme
        self._number = number
        self._icon_name = icon_name
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setFixedSize(BUTTON_SIZE)
        self.setIconSize(ICON_SIZE)
        self.setAccessibleName(f"{title} page")
        theme.changed.connect(self._tint)
        self._tint(theme.palette)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._number is None:
            return
        painter = QPainter(self)
        font = self.font()
        font.setPixelSize(10)
        painter.setFont(font)
        painter.setPen(self._theme.palette.color("accent" if self.isChecked() else "text_faint"))
        painter.drawText(QRectF(6, 5, 14, 12), Qt.AlignmentFlag.AlignLeft, str(self._number))

    def _tint(self, palette: Palette) -> None:
        self.setIcon(icons.icon(self._icon_name, palette))


class Rail(QFrame):
    """Chooses a page; ``page_chosen(str)`` carries its key."""

    page_chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("rail")
        self.setFixedWidth(RAIL_WIDTH_PX)
        self._theme = theme
        self._buttons: dict[str, RailButton] = {}
        self._group = QButtonGroup(self, exclusive=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 12, 8, 12)
        column.setSpacing(4)
        self._top, self._bottom = QVBoxLayout(), QVBoxLayout()
        self._top.setSpacing(4)
        column.addLayout(self._top)
        column.addStretch(1)
        column.addLayout(self._bottom)

    def add_page(self, key: str, title: str, icon_name: str, *, at_bottom: bool = False) -> None:
        """Add an entry; the ones at the top are numbered from 1."""
        number = None if at_bottom else self._top.count() + 1
        button = RailButton(self._theme, title, icon_name, number)
        button.clicked.connect(lambda: self.page_chosen.emit(key))
        self._buttons[key] = button
        self._group.addButton(button)
        (self._bottom if at_bottom else self._top).addWidget(button)

    def set_current(self, key: str) -> None:
        """Mark the page on show."""
        self._buttons[key].setChecked(True)

    def set_hint(self, key: str, hint: str) -> None:
        """Set the tool tip of an entry."""
        self._buttons[key].setToolTip(hint)
