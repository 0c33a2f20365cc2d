"""The line above the pages: which project, undo and redo, the theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QLabel, QToolButton, QWidget

from clipsvd_app.ui.kit.elided_label import ElidedLabel
from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.layouts import horizontal
from clipsvd_app.ui.look.theme import set_kind
from clipsvd_app.ui.session.state import TitleState

if TYPE_CHECKING:
    from clipsvd_app.ui.shell.menus import Actions

BUTTONS = ("edit.undo", "edit.redo", "view.theme", "help.keys")
_STEP_BACK = ("edit.undo", "edit.redo")


class ProjectBar(QFrame):
    """Shows the title; its buttons are the window's own actions."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("project_bar")
        self._name, self._detail, self._read_only = ElidedLabel(), ElidedLabel(), QLabel("read only")
        set_kind(self._name, "headline")
        set_kind(self._detail, "muted")
        set_kind(self._read_only, "chip")
        row = horizontal(self, 12, margins=(16, 6, 12, 6))
        for label in (self._name, self._read_only, self._detail):
            row.addWidget(label)
        row.addStretch(1)
        for action_id in BUTTONS:
            button = QToolButton()
            if action_id in _STEP_BACK:
                destructive(button)
            button.setIconSize(QSize(18, 18))
            button.setDefaultAction(actions[action_id])
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(button)
        self.set_state(TitleState())

    def set_state(self, state: TitleState) -> None:
        """Show a new title."""
        self._name.setText(state.name or "CLIP-SVD Studio")
        self._detail.setText(state.detail)
        self._detail.setVisible(bool(state.detail))
        self._read_only.setVisible(state.read_only)
