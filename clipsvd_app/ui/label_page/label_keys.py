"""Keys of the Label page that mean the same in pool, tree, viewer and bins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import Qt

from clipsvd_app.ui.viewer.keys import label_command

if TYPE_CHECKING:
    from PySide6.QtCore import SignalInstance
    from PySide6.QtGui import QKeyEvent

    from clipsvd_app.domain.study import Mark

_MARKS: dict[int, Mark] = {Qt.Key.Key_U: "uncertain", Qt.Key.Key_X: "excluded"}


def mark_key(event: QKeyEvent) -> Mark | None:
    """Return the mark that U or X asks for."""
    return None if event.modifiers() else _MARKS.get(event.key())


class Selecting(Protocol):
    """A list of images that asks for labels and marks of the selected ones."""

    mark_requested: SignalInstance
    label_requested: SignalInstance
    clear_requested: SignalInstance

    @property
    def selected_ids(self) -> tuple[int, ...]:
        """Return the selected images."""
        ...


def take_key(event: QKeyEvent, chosen: Selecting) -> None:
    """Accept a labelling key, and ask for what it means where images are selected."""
    command, mark = label_command(event), mark_key(event)
    event.setAccepted(command is not None or mark is not None)
    ids = chosen.selected_ids
    if not ids:
        return
    if mark is not None:
        chosen.mark_requested.emit(ids, mark)
    elif command is not None and command.kind == "label":
        chosen.label_requested.emit(ids, command.number)
    elif command is not None:
        chosen.clear_requested.emit(ids)
