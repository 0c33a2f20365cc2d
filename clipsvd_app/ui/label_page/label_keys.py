"""Keys of the Label page that mean the same in pool, tree, viewer and bins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from clipsvd_app.domain.study import Mark

_MARKS: dict[int, Mark] = {Qt.Key.Key_U: "uncertain", Qt.Key.Key_X: "excluded"}


def mark_key(event: QKeyEvent) -> Mark | None:
    """Return the mark that U or X asks for."""
    return None if event.modifiers() else _MARKS.get(event.key())
