"""The filter of the pool: one button with a menu that stays open while entries are ticked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtWidgets import QLineEdit, QMenu, QToolButton, QWidget, QWidgetAction

from clipsvd_app.ui.label.state import FilterState
from clipsvd_app.ui.look.plain_text import literal

if TYPE_CHECKING:
    from PySide6.QtGui import QAction, QKeyEvent, QMouseEvent

TYPING_PAUSE_MS = 250
LONGEST_WORDS = 18


class FilterButton(QToolButton):
    """Signal: ``filter_changed(frozenset of keys, part of a file name)``."""

    filter_changed = Signal(object, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setAccessibleName("Filter of the pool")
        self._state = FilterState()
        self._entries: dict[str, QAction] = {}
        self._menu = _StayingMenu(self)
        self._name = QLineEdit()
        self._name.setPlaceholderText("File name contains")
        self._name.setAccessibleName("File name contains")
        self._name.setClearButtonEnabled(True)
        holder = QWidgetAction(self)
        holder.setDefaultWidget(self._name)
        self._rule = self._menu.addSeparator()
        self._menu.addAction(holder)
        self._clear = self._menu.addAction("Show all")
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_PAUSE_MS)
        self._typing.timeout.connect(self._tell)
        self._name.textEdited.connect(lambda _text: self._typing.start())
        self._name.returnPressed.connect(self._take_name)
        self._clear.triggered.connect(lambda: self.filter_changed.emit(frozenset(), ""))
        self._menu.ticked.connect(self._tell)
        self.setMenu(self._menu)
        self.set_state(self._state)

    @property
    def entries(self) -> dict[str, QAction]:
        """The entries of the menu by their key."""
        return dict(self._entries)

    def set_state(self, state: FilterState) -> None:
        """Show what can be chosen and what is; a name being typed is left alone."""
        self._state = state
        if list(self._entries) != [entry.key for entry in state.entries]:
            self._make_entries(state)
        for entry in state.entries:
            action = self._entries[entry.key]
            action.setText(f"{literal(entry.words)}\t{entry.count:,}")
            action.setChecked(entry.key in state.chosen)
        if not self._typing.isActive() and self._name.text().strip() != state.name:
            with QSignalBlocker(self._name):
                self._name.setText(state.name)
        self._clear.setEnabled(bool(state.words))
        self.setText(literal(_short(state)))
        self.setToolTip(f"Only {state.words}" if state.words else "Filter the pool")

    def _make_entries(self, state: FilterState) -> None:
        for action in self._entries.values():
            self._menu.removeAction(action)
            action.deleteLater()
        self._entries = {}
        for entry in state.entries:
            action = self._entries[entry.key] = self._menu.addAction("")
            action.setCheckable(True)
            self._menu.insertAction(self._rule, action)

    def _take_name(self) -> None:
        self._tell()
        self._menu.close()

    def _tell(self) -> None:
        self._typing.stop()
        chosen = frozenset(key for key, action in self._entries.items() if action.isChecked())
        self.filter_changed.emit(chosen, self._name.text().strip())


def _short(state: FilterState) -> str:
    if not state.words:
        return "Filter"
    return f"Filter: {state.words}" if len(state.words) <= LONGEST_WORDS else f"Filter: {state.parts}"


class _StayingMenu(QMenu):
    """Stays open while its entries are ticked, so that several take one visit; ``ticked()``."""

    ticked = Signal()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if not self._tick(self.actionAt(event.position().toPoint())):
            super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ticking = event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if not (ticking and self._tick(self.activeAction())):
            super().keyPressEvent(event)

    def _tick(self, action: QAction | None) -> bool:
        if action is None or not action.isCheckable() or not action.isEnabled():
            return False
        action.setChecked(not action.isChecked())
        self.ticked.emit()
        return True
