"""Inline notices: what happened, what to do, at most one button; never a modal dialog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from clipsvd_app.ui import icons
from clipsvd_app.ui.theme import Palette, Theme, set_kind

if TYPE_CHECKING:
    from clipsvd_app.errors import UserError
    from clipsvd_app.jobs import Failed

START_ENGINE, OPEN_PREFIX = "engine.start", "open:"  # a path follows
GONE_CODE = "engine_gone"
NoticeKind = Literal["info", "success", "warning", "error"]
PASSING_MS = 6000
_ICONS: dict[NoticeKind, str] = {"info": "info", "success": "check", "warning": "warning", "error": "warning"}


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. A later notice with the same ``key`` takes the place of the earlier one.

    ``action`` is the id given back when its button, named ``action_text``, is pressed.
    """

    kind: NoticeKind
    message: str
    remedy: str = ""
    action: str = ""
    action_text: str = ""
    key: str = ""

    @property
    def passes(self) -> bool:
        """Whether it may go by itself: nothing is wrong and nothing is asked."""
        return self.kind in ("info", "success") and not self.action


def notice_of(error: UserError) -> Notice:
    """Return the notice that tells of an error."""
    return Notice("error", error.message, error.remedy, key=error.code)


def failure_notice(failed: Failed, key: str = "") -> Notice:
    """Return the notice that tells why a job failed; one without an engine offers to start it."""
    if failed.code == GONE_CODE:
        return Notice("error", failed.message, failed.remedy, START_ENGINE, "Start the engine", GONE_CODE)
    return Notice("error", failed.message, failed.remedy, key=key or failed.code)


class NoticeBar(QFrame):
    """Shows the oldest waiting notice; hidden when there is none.

    Signals: ``action_requested(str)`` the action id of a pressed button, ``shown(Notice)``.
    """

    action_requested = Signal(str)
    shown = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self._waiting: list[Notice] = []
        self._theme = theme
        self._build()
        self._timer = QTimer(self, singleShot=True, interval=PASSING_MS)
        self._timer.timeout.connect(self.dismiss_current)
        theme.changed.connect(self._tint)
        self.hide()

    @property
    def current(self) -> Notice | None:
        """The notice on show."""
        return self._waiting[0] if self._waiting else None

    def show_notice(self, notice: Notice) -> None:
        """Add a notice, or renew the one with the same key; passing ones give way at once."""
        kept = [n for n in self._waiting if not n.passes and not _same(n, notice)]
        replaced = next((i for i, n in enumerate(self._waiting) if not n.passes and _same(n, notice)), None)
        kept.insert(len(kept) if replaced is None else min(replaced, len(kept)), notice)
        self._waiting = kept
        self._refresh()

    def dismiss(self, key: str) -> None:
        """Take back the notices with this key: what they told of is mended."""
        self._waiting = [n for n in self._waiting if n.key != key]
        self._refresh()

    def dismiss_current(self) -> None:
        """Close the notice on show; the next one appears."""
        self._waiting = self._waiting[1:]
        self._refresh()

    def _build(self) -> None:
        self._icon = QLabel()
        self._text = QLabel(wordWrap=True)
        self._text.setObjectName("notice_text")
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._more = QLabel()
        set_kind(self._more, "small")
        self._action = QPushButton()
        self._action.clicked.connect(self._act)
        self._close = QToolButton()
        self._close.setText("✕")
        self._close.setToolTip("Close")
        self._close.setAccessibleName("Close notice")
        self._close.clicked.connect(self.dismiss_current)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 8, 8)
        row.setSpacing(12)
        row.addWidget(self._icon)
        row.addWidget(self._text, 1)
        for widget in (self._more, self._action, self._close):
            row.addWidget(widget)

    def _refresh(self) -> None:
        notice = self.current
        self._timer.stop()
        self.setVisible(notice is not None)
        if notice is None:
            return
        self._text.setText(_as_html(notice))
        self.setAccessibleName(f"{notice.message} {notice.remedy}".strip())
        self._action.setVisible(bool(notice.action))
        self._action.setText(notice.action_text)
        waiting = len(self._waiting) - 1
        self._more.setVisible(waiting > 0)
        self._more.setText(f"{waiting} more")
        set_kind(self, notice.kind)
        self._tint(self._theme.palette)
        if notice.passes:
            self._timer.start()
        self.shown.emit(notice)

    def _tint(self, palette: Palette) -> None:
        if self.current is not None:
            kind = self.current.kind
            ratio = self.devicePixelRatioF()
            self._icon.setPixmap(icons.pixmap(_ICONS[kind], palette.color(kind), 18, ratio))

    def _act(self) -> None:
        notice = self.current
        if notice is not None:
            self.dismiss_current()
            self.action_requested.emit(notice.action)


def _same(one: Notice, other: Notice) -> bool:
    return one == other or bool(one.key and one.key == other.key)


def _as_html(notice: Notice) -> str:
    message, remedy = (_escaped(part) for part in (notice.message, notice.remedy))
    return f"<b>{message}</b> {remedy}".strip()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
