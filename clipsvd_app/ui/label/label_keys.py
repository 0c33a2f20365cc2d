"""Keys of the Label page that mean the same wherever its focus is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from clipsvd_app.ui.viewer.keys import label_command

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from clipsvd_app.domain.project_values import Mark
    from clipsvd_app.ui.viewer.keys import LabelCommand

MOVING_KEYS = frozenset(
    {
        Qt.Key.Key_Left,
        Qt.Key.Key_Right,
        Qt.Key.Key_Up,
        Qt.Key.Key_Down,
        Qt.Key.Key_PageUp,
        Qt.Key.Key_PageDown,
        Qt.Key.Key_Home,
        Qt.Key.Key_End,
        Qt.Key.Key_Return,
        Qt.Key.Key_Enter,
    }
)
"""What lists and trees of the page keep for themselves."""
_MARKS: dict[int, Mark] = {Qt.Key.Key_U: "uncertain", Qt.Key.Key_X: "excluded"}


def mark_key(event: QKeyEvent) -> Mark | None:
    """Return the mark that U or X asks for."""
    return None if event.modifiers() else _MARKS.get(event.key())


def label_key(event: QKeyEvent) -> tuple[LabelCommand | None, bool]:
    """Return the labelling that a key asks for, and whether Shift asks to stay at the image."""
    stays = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
    return label_command(event), stays
