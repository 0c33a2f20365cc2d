"""Which key asks for what in the viewer and the film strip."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeySequence

from clipsvd_app.ui.viewer.commands import COMMANDS

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

_PORTABLE = QKeySequence.SequenceFormat.PortableText
ARROWS: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


@dataclass(frozen=True, slots=True)
class KeyCommand:
    """What a key asks for: a command of the table, or ``label``, ``clear`` (a label) and ``preset``.

    ``number`` is a class or preset from 0, or what the table says.
    """

    kind: str
    number: int = 0


def key_command(event: QKeyEvent) -> KeyCommand | None:
    """Return what a key asks for in the viewer."""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if modifiers == Qt.KeyboardModifier.AltModifier and 0 <= event.key() - Qt.Key.Key_1 < 9:
        return KeyCommand("preset", event.key() - Qt.Key.Key_1)
    found = _by_key().get(_name(modifiers, event.key()))
    if found is None and modifiers == Qt.KeyboardModifier.ShiftModifier and not event.text().isalpha():
        found = _by_key().get(_name(Qt.KeyboardModifier.NoModifier, event.key()))  # plus is often shifted
    return label_command(event) or found


def label_command(event: QKeyEvent) -> KeyCommand | None:
    """Return the labelling that a digit, 0 or Delete asks for."""
    if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
        return None
    if event.key() in (Qt.Key.Key_0, Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
        return KeyCommand("clear")
    number = event.key() - Qt.Key.Key_1
    return KeyCommand("label", number) if 0 <= number < 9 else None


def _name(modifiers: Qt.KeyboardModifier, key: int) -> str:
    plain = Qt.Key.Key_Return if key == Qt.Key.Key_Enter else Qt.Key(key)
    return QKeySequence(QKeyCombination(modifiers, plain)).toString(_PORTABLE)


@cache
def _by_key() -> dict[str, KeyCommand]:
    return {command.key: KeyCommand(command.id, command.number) for command in COMMANDS}
