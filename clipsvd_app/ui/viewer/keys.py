"""Which key asks for what in the viewer and the film strip."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeySequence

from clipsvd_app.ui.viewer.commands import COMMANDS, MENU_COMMANDS, Command

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

_PORTABLE = QKeySequence.SequenceFormat.PortableText
_LINUX_SCAN_CODE_OF_1 = 10
_MAC_DIGITS = (18, 19, 20, 21, 23, 22, 26, 28, 25)  # kVK_ANSI_1 to kVK_ANSI_9
ARROWS: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


@dataclass(frozen=True, slots=True)
class LabelCommand:
    """What a key asks for: a ``label`` of the class with this number from 0, or to ``clear`` it."""

    kind: Literal["label", "clear"]
    number: int = 0


def key_command(event: QKeyEvent) -> Command | None:
    """Return what a key asks for in the viewer."""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    found = _by_key().get(_name(modifiers, event.key()))
    if found is None and modifiers == Qt.KeyboardModifier.ShiftModifier and not event.text().isalpha():
        found = _by_key().get(_name(Qt.KeyboardModifier.NoModifier, event.key()))  # plus is often shifted
    return found


def label_command(event: QKeyEvent) -> LabelCommand | None:
    """Return the labelling that a digit, with or without Shift, 0 or Delete asks for."""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if modifiers not in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier):
        return None
    if not modifiers and event.key() in (Qt.Key.Key_0, Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
        return LabelCommand("clear")
    number = event.key() - Qt.Key.Key_1
    if modifiers and not 0 <= number < 9:
        number = _shifted_digit(event)
    return LabelCommand("label", number) if 0 <= number < 9 else None


def _shifted_digit(event: QKeyEvent) -> int:
    """Return which digit, from 0, was pressed with Shift: Qt names the sign that the layout puts there."""
    scan, virtual = event.nativeScanCode(), event.nativeVirtualKey()
    if sys.platform == "darwin":
        return _MAC_DIGITS.index(virtual) if virtual in _MAC_DIGITS else -1
    if sys.platform == "win32":
        return virtual - ord("1")
    return scan - _LINUX_SCAN_CODE_OF_1 if scan else -1


def _name(modifiers: Qt.KeyboardModifier, key: int) -> str:
    plain = Qt.Key.Key_Return if key == Qt.Key.Key_Enter else Qt.Key(key)
    return QKeySequence(QKeyCombination(modifiers, plain)).toString(_PORTABLE)


@cache
def _by_key() -> dict[str, Command]:
    return {command.key: command for command in (*COMMANDS, *MENU_COMMANDS) if command.key}
