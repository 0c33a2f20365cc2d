"""Menus and actions made from the action table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu

from clipsvd_app.ui.look import icons
from clipsvd_app.ui.look.plain_text import literal
from clipsvd_app.ui.shell.actions import ACTIONS, ActionSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QMenuBar, QWidget

    from clipsvd_app.ui.look.theme import Palette, Theme

RECENT_AFTER = "file.open"


class Actions(QObject):
    """One QAction for each row of the table; ``triggered(str)`` carries the id.

    ``recent_requested(str)`` carries the path of a recent project.
    """

    triggered = Signal(str)
    recent_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._by_id = {spec.id: self._action(spec) for spec in ACTIONS}
        self._recent = QMenu("Open recent", parent)
        self.set_recent(())
        theme.changed.connect(self._tint)
        self._tint(theme.palette)

    def __getitem__(self, action_id: str) -> QAction:
        """Return the action, for tool buttons."""
        return self._by_id[action_id]

    def fill(self, bar: QMenuBar) -> None:
        """Add the menus to a menu bar."""
        menus: dict[str, QMenu] = {}
        for spec in ACTIONS:
            menu = menus.get(spec.menu) or menus.setdefault(spec.menu, bar.addMenu(f"&{spec.menu}"))
            if spec.rule:
                menu.addSeparator()
            menu.addAction(self._by_id[spec.id])
            if spec.id == RECENT_AFTER:
                menu.addMenu(self._recent)

    def set_recent(self, paths: Sequence[str]) -> None:
        """List the recent projects, newest first."""
        self._recent.clear()
        for path in paths:
            entry = self._recent.addAction(literal(path))
            entry.triggered.connect(lambda _checked=False, path=path: self.recent_requested.emit(path))
        self._recent.setEnabled(bool(paths))

    def _action(self, spec: ActionSpec) -> QAction:
        text = f"{spec.text}\t{spec.hint}" if spec.hint else spec.text
        action = QAction(text, self)
        action.setObjectName(spec.id)
        action.setMenuRole(QAction.MenuRole.NoRole)
        if spec.shortcut:
            action.setShortcut(QKeySequence(spec.shortcut))
        action.triggered.connect(lambda: self.triggered.emit(spec.id))
        return action

    def _tint(self, palette: Palette) -> None:
        for spec in ACTIONS:
            if spec.icon:
                self._by_id[spec.id].setIcon(icons.icon(spec.icon, palette))
