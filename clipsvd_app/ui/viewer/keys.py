"""Which key asks for what in the viewer and the film strip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

Kind = Literal["label", "clear", "preset", "scroll", "step", "invert", "fit", "reset", "play"]
PAGE_OF_SLICES = 10
ALL_SLICES = 1_000_000


@dataclass(frozen=True, slots=True)
class KeyCommand:
    """What a key asks for; ``number`` is a class or preset from 0, or places to move."""

    kind: Kind
    number: int = 0


_PLAIN: dict[int, KeyCommand] = {
    Qt.Key.Key_I: KeyCommand("invert"),
    Qt.Key.Key_F: KeyCommand("fit"),
    Qt.Key.Key_R: KeyCommand("reset"),
    Qt.Key.Key_Space: KeyCommand("play"),
    Qt.Key.Key_Up: KeyCommand("scroll", -1),
    Qt.Key.Key_Down: KeyCommand("scroll", 1),
    Qt.Key.Key_PageUp: KeyCommand("scroll", -PAGE_OF_SLICES),
    Qt.Key.Key_PageDown: KeyCommand("scroll", PAGE_OF_SLICES),
    Qt.Key.Key_Home: KeyCommand("scroll", -ALL_SLICES),
    Qt.Key.Key_End: KeyCommand("scroll", ALL_SLICES),
    Qt.Key.Key_Left: KeyCommand("step", -1),
    Qt.Key.Key_Right: KeyCommand("step", 1),
}


def key_command(event: QKeyEvent) -> KeyCommand | None:
    """Return what a key asks for in the viewer."""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if modifiers == Qt.KeyboardModifier.AltModifier:
        number = event.key() - Qt.Key.Key_1
        return KeyCommand("preset", number) if 0 <= number < 9 else None
    if modifiers:
        return None
    return label_command(event) or _PLAIN.get(event.key())


def label_command(event: QKeyEvent) -> KeyCommand | None:
    """Return the labelling that a digit, 0 or Delete asks for."""
    if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
        return None
    if event.key() in (Qt.Key.Key_0, Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
        return KeyCommand("clear")
    number = event.key() - Qt.Key.Key_1
    return KeyCommand("label", number) if 0 <= number < 9 else None
