"""Qt's undo stack over the project's changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QUndoCommand

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipsvd_app.project.changes import Change


class ChangeCommand(QUndoCommand):
    """A change that is done already. Undo and redo apply its inverse, which gives the next inverse.

    ``apply`` returns None when it could not be done; it tells the user itself, because an error
    cannot pass through Qt's stack.
    """

    def __init__(self, title: str, inverse: Change, apply: Callable[[Change], Change | None]) -> None:
        super().__init__(title)
        self._next: Change = inverse
        self._apply = apply
        self._done_before_push = True

    def redo(self) -> None:
        if self._done_before_push:
            self._done_before_push = False
        else:
            self._step()

    def undo(self) -> None:
        self._step()

    def _step(self) -> None:
        inverse = self._apply(self._next)
        if inverse is None:
            self.setObsolete(True)
        else:
            self._next = inverse
