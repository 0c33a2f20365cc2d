"""Messages over the page: what is under way, and what happened, the newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QWidget,
)

from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.look.theme import set_kind
from clipsvd_app.ui.session.notices import Waiting
from clipsvd_app.ui.shell.message_card import MessageCard

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from clipsvd_app.ui.look.theme import Theme
    from clipsvd_app.ui.session.notices import Notice

WIDTH_PX, MARGIN_PX, GAP_PX = 560, 12, 6
PASSING_MS, READING_MS = 5000, 45  # and so much for each letter
AGAIN_MS = 1500


class Messages(QWidget):
    """Lies over its parent and takes no more of it than the cards displayed; hidden when there is none.

    What passes goes by itself, but not from under the pointer or the keyboard. F6 comes here (``enter``),
    Escape dismisses, and the focus goes back to where it was.

    Signals: ``action_requested(str)`` the action id of a pressed button, ``shown(Notice)``.
    """

    action_requested = Signal(str)
    shown = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._waiting = Waiting()
        self._cards: dict[Notice | str, MessageCard] = {}
        self._area, self._side = QRect(), Qt.AlignmentFlag.AlignHCenter
        self._all_shown = False
        self._came_from: QWidget | None = None
        self.setAccessibleName("Messages")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._build()
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._pass)
        self.hide()

    @property
    def current(self) -> Notice | None:
        """The newest message."""
        return next(iter(self._waiting.messages), None)

    @property
    def cards(self) -> tuple[MessageCard, ...]:
        """The cards displayed, from the top."""
        return tuple(self._cards[_identity(notice)] for notice in self._on_show())

    @property
    def has_focus(self) -> bool:
        """Whether the keyboard is here."""
        focused = QApplication.focusWidget()
        return focused is not None and self.isAncestorOf(focused)

    def show_notice(self, notice: Notice) -> None:
        """Add a notice, or renew the one with the same key."""
        self._waiting.add(notice)
        if notice.passes:
            self._timer.start(PASSING_MS + READING_MS * len(notice.message + notice.remedy))
        self._refresh()
        if notice.progress is None:
            alert = QAccessibleEvent(self._cards[_identity(notice)], QAccessible.Event.Alert)
            QAccessible.updateAccessibility(alert)
            self.shown.emit(notice)

    def settle(self, key: str) -> None:
        """Take back the notices with this key: what they told of is over."""
        if self._waiting.settle(key):
            self._refresh()

    def arrive(self, page: str) -> None:
        """Take away good news that led to this page."""
        self._waiting.arrive(page)
        self._refresh()

    def leave_project(self) -> None:
        """Take away what told of a project that is no longer open."""
        self._waiting.leave_project()
        self._refresh()

    def dismiss_current(self) -> None:
        """Close the newest message; the one before it appears."""
        if self.current is not None:
            self._close(self.current)

    def dismiss_all(self) -> None:
        """Close every message; what is under way stays."""
        self._waiting.dismiss_all()
        self._refresh()

    def enter(self) -> bool:
        """Give the keyboard to the newest message; False when there is none."""
        if not self.cards:
            return False
        focused = QApplication.focusWidget()
        if focused is not None and not self.isAncestorOf(focused):
            self._came_from = focused
        self._focus_card()
        return True

    def lie_over(self, area: QRect, side: Qt.AlignmentFlag) -> None:
        """Lie at the bottom of an area of the parent, in its middle or at its right."""
        self._area, self._side = area, side
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
            return
        card = next((card for card in self.cards if card.has_focus), None)
        if card is not None and card.notice.progress is None:
            self._close(card.notice)
        else:
            self.dismiss_current()

    def _build(self) -> None:
        content = QWidget()
        content.setObjectName("content")
        self._column = vertical(content, GAP_PX)
        self._more, self._none = QPushButton(), QPushButton("Dismiss all")
        self._more.clicked.connect(self._fold)
        self._none.clicked.connect(self.dismiss_all)
        self._foot = QFrame()
        self._foot.setObjectName("notice_foot")
        row = QHBoxLayout(self._foot)
        row.setContentsMargins(8, 2, 8, 2)
        row.addWidget(self._more)
        row.addStretch(1)
        row.addWidget(self._none)
        for button in (self._more, self._none):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            set_kind(button, "quiet")
        self._column.addWidget(self._foot)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.viewport().setAutoFillBackground(False)
        self._scroll.setWidget(content)
        whole = vertical(self)
        whole.addWidget(self._scroll)

    def _on_show(self) -> tuple[Notice, ...]:
        messages = self._waiting.messages
        return (*self._waiting.running, *(messages if self._all_shown else messages[:1]))

    def _refresh(self) -> None:
        had_focus = self.has_focus
        self._all_shown = self._all_shown and len(self._waiting.messages) > 1
        notices = self._on_show()
        gone = [self._cards.pop(key) for key in self._cards.keys() - {_identity(n) for n in notices}]
        for place, notice in enumerate(notices):
            self._place(place, notice)
        self._show_foot(len(self._waiting.messages) - 1)
        if had_focus:
            self._keep_focus()
        for card in gone:  # after the focus has left it, or Qt would send that to a neighbour
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.setVisible(bool(notices))
        self._fit()

    def _place(self, place: int, notice: Notice) -> None:
        card = self._cards.get(_identity(notice))
        if card is None:
            card = self._cards[_identity(notice)] = MessageCard(self._theme, notice)
            card.acted.connect(self._act)
            card.closed.connect(self._close)
        elif card.notice != notice:
            card.set_notice(notice)
        if self._column.indexOf(card) != place:
            self._column.insertWidget(place, card)
        card.show()

    def _show_foot(self, others: int) -> None:
        self._foot.setVisible(others > 0)
        self._more.setText("Show newest only" if self._all_shown else f"{others:,} more")
        self._none.setVisible(self._all_shown)

    def _fold(self) -> None:
        self._all_shown = not self._all_shown
        self._refresh()

    def _act(self, notice: Notice) -> None:
        self._close(notice)
        self.action_requested.emit(notice.action)

    def _close(self, notice: Notice) -> None:
        if notice.progress is None:  # what is cancelled says itself that it is over
            self._waiting.dismiss(notice)
            self._refresh()

    def _pass(self) -> None:
        """Let what passes go, unless somebody reads it."""
        if self.underMouse() or self.has_focus:
            self._timer.start(AGAIN_MS)
            return
        for notice in self._waiting.messages:
            if notice.passes:
                self._waiting.dismiss(notice)
        self._refresh()

    def _focus_card(self) -> None:
        for card in (*(c for c in self.cards if c.notice.progress is None), *self.cards):
            for button in (card.close_button, card.button):
                if not button.isHidden():
                    button.setFocus(Qt.FocusReason.OtherFocusReason)
                    return

    def _keep_focus(self) -> None:
        """Where the card with the focus is gone: go to the next, or back to where the focus came from."""
        if any(card.has_focus for card in self.cards) or self._more.hasFocus() or self._none.hasFocus():
            return
        if self.cards:
            self._focus_card()
        elif self._came_from is not None and shiboken6.isValid(self._came_from):
            self._came_from.setFocus(Qt.FocusReason.OtherFocusReason)

    def _fit(self) -> None:
        """Take as much height as the cards need and there is, and the width that their words need."""
        if self.isHidden() or self._area.isEmpty():
            return
        room = self._area.adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
        self._column.activate()
        width = max(min(WIDTH_PX, room.width()), self._column.minimumSize().width())
        needed = self._column.totalHeightForWidth(width)
        if needed > room.height():
            width += self._scroll.verticalScrollBar().sizeHint().width()
        size = QSize(width, min(needed, room.height()))
        place = QRect(room.topLeft(), size)
        place.moveBottom(room.bottom())
        if self._side == Qt.AlignmentFlag.AlignRight:
            place.moveRight(room.right())
        else:
            place.moveLeft(room.center().x() - width // 2)
        parent = self.parentWidget()
        assert parent is not None
        place.moveLeft(max(0, min(place.left(), parent.width() - width)))
        self.setGeometry(place)
        self.raise_()


def _identity(notice: Notice) -> Notice | str:
    return notice.key or notice
