"""One message: what happened, what to do, its button and its dismissal; or how far something is."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QLabel,
    QProgressBar,
    QPushButton,
    QToolButton,
)

from clipsvd_app.ui.kit.layouts import horizontal, vertical
from clipsvd_app.ui.look import icons
from clipsvd_app.ui.look.plain_text import literal
from clipsvd_app.ui.look.theme import set_kind

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.ui.look.theme import Palette, Theme
    from clipsvd_app.ui.session.notices import Notice, NoticeKind

ICON_PX = 18
ROOMY_PX = 440  # in less the button stands below the words
_ICONS: dict[NoticeKind, str] = {"info": "info", "success": "check", "warning": "warning", "error": "warning"}
_WORDS: dict[NoticeKind, str] = {"info": "Note", "success": "Done", "warning": "Warning", "error": "Error"}


class MessageCard(QFrame):
    """Shows one notice. Its buttons take the keyboard by Tab, never by a click: the focus stays at the work.

    Signals: ``acted(Notice)`` its button was pressed, ``closed(Notice)``.
    """

    acted = Signal(object)
    closed = Signal(object)

    def __init__(self, theme: Theme, notice: Notice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self._theme, self.notice = theme, notice
        self._icon = QLabel()
        self._text = QLabel(wordWrap=True)
        self._text.setObjectName("notice_text")
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.button = QPushButton()
        self.close_button = QToolButton()
        self.close_button.setText("✕")
        self._bar = QProgressBar()
        self._arrange()
        self.button.clicked.connect(lambda: self.acted.emit(self.notice))
        self.close_button.clicked.connect(lambda: self.closed.emit(self.notice))
        theme.changed.connect(self._tint)
        self.set_notice(notice)

    @property
    def has_focus(self) -> bool:
        """Whether the keyboard is here."""
        return self.button.hasFocus() or self.close_button.hasFocus()

    def set_notice(self, notice: Notice) -> None:
        """Say something else of the same thing."""
        self.notice = notice
        words = f"{notice.message} {notice.remedy}".strip()
        self._text.setText(f"<b>{escape(notice.message)}</b> {escape(notice.remedy)}".strip())
        self.setAccessibleName(f"{_WORDS[notice.kind]}: {words}")
        self.button.setVisible(bool(notice.action))
        self.button.setText(literal(notice.action_text))
        self.close_button.setToolTip("Dismiss (Escape)")
        self.close_button.setAccessibleName(f"Dismiss: {words}")
        self.close_button.setVisible(notice.progress is None)
        self._bar.setVisible(notice.progress is not None)
        if notice.progress is not None:
            done, total = notice.progress
            self._bar.setRange(0, total)
            self._bar.setValue(done)
        if self.property("kind") != notice.kind:
            set_kind(self, notice.kind)
        self._tint(self._theme.palette)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        ways = QBoxLayout.Direction
        self._words.setDirection(ways.LeftToRight if self.width() >= ROOMY_PX else ways.TopToBottom)

    def _arrange(self) -> None:
        for part in (self.button, self.close_button):
            part.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row = horizontal(spacing=12)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        self._words = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._words.setSpacing(8)
        self._words.addWidget(self._text, 1)
        self._words.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        row.addLayout(self._words, 1)
        row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        column = vertical(self, 8, margins=(14, 10, 8, 10))
        column.addLayout(row)
        column.addWidget(self._bar)

    def _tint(self, palette: Palette) -> None:
        kind = self.notice.kind
        ratio = self.devicePixelRatioF()
        self._icon.setPixmap(icons.pixmap(_ICONS[kind], palette.color(kind), ICON_PX, ratio))
