"""Where the keyboard is left: never, by itself, on what removes, overwrites or starts work over.

Qt gives the focus of a control that is hidden or disabled to the next in the chain, and that of a closed
dialog or menu back to what had it. So Space, pressed once more after a job, could undo a label or retrain.
"""

from __future__ import annotations

from typing import Protocol, TypeVar, runtime_checkable

import shiboken6
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QWidget

W = TypeVar("W", bound=QAbstractButton)
_PROPERTY = "destructive"
_CHOSEN = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
    Qt.FocusReason.MouseFocusReason,
)
"""How a user goes to a control on purpose."""


@runtime_checkable
class HasHome(Protocol):
    """A window with a place where the keyboard does no harm."""

    def go_home(self) -> None:
        """Give the focus to that place."""


def destructive(control: W) -> W:
    """Mark a button that removes, overwrites or starts work over, and return it.

    It keeps the focus only while a user goes to it, and gives it up once it was pressed.
    """
    control.setProperty(_PROPERTY, True)
    control.installEventFilter(_Guard(control))
    control.clicked.connect(lambda: _leave_soon(control))
    return control


def is_destructive(widget: QWidget | None) -> bool:
    """Whether a control was marked so."""
    return widget is not None and bool(widget.property(_PROPERTY))


def is_harmless(widget: QWidget | None) -> bool:
    """Whether a control can have the keyboard, and no key does harm there by itself."""
    return widget is not None and widget.isVisible() and widget.isEnabled() and not is_destructive(widget)


class FocusKeeper(QObject):
    """Brings the focus home when the control that had it is gone, hidden or disabled."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._moving = False
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._on_changed)

    def _on_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        if new is None:
            QTimer.singleShot(0, self, self._fill)
        elif not self._moving and old is not None and _has_fallen(old) and new.window() is self.parent():
            self._moving = True  # on its way home the focus may pass what is hidden
            _go_up(old, new)
            self._moving = False

    def _fill(self) -> None:
        """Let no key be lost in a window that nothing in it listens to."""
        active = QApplication.activeWindow()
        if active is not None and QApplication.focusWidget() is None and isinstance(active, HasHome):
            active.go_home()


class _Guard(QObject):
    """Sends the focus away that comes to a destructive control unasked."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QFocusEvent) and event.gotFocus() and event.reason() not in _CHOSEN:
            _leave_soon(watched)
        return False


def _leave_soon(control: QObject) -> None:
    def leave() -> None:
        if shiboken6.isValid(control) and isinstance(control, QWidget):
            window = control.window()
            if window.focusWidget() is control:
                _go_home(control)

    QTimer.singleShot(0, leave)


def _go_home(widget: QWidget) -> None:
    window = widget.window()
    if isinstance(window, HasHome):
        window.go_home()
    elif isinstance(window, QDialog) and is_destructive(widget):
        window.setFocus()


def _go_up(old: QWidget, new: QWidget) -> None:
    """Go to what the lost control was part of, such as a list, else home."""
    part = old.parentWidget() if shiboken6.isValid(old) else None
    while part is not None and not part.isWindow():
        if part.isVisible() and part.isEnabled() and part.focusPolicy() & Qt.FocusPolicy.TabFocus:
            part.setFocus()
            return
        part = part.parentWidget()
    _go_home(new)


def _has_fallen(old: QWidget) -> bool:
    return not shiboken6.isValid(old) or not old.isVisible() or not old.isEnabled()
