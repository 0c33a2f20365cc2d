"""The first page: drop images, choose a folder, or open a recent project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from clipsvd_app.domain.words.notice import NOT_FOR_DIAGNOSIS
from clipsvd_app.ui.kit.layouts import horizontal, vertical
from clipsvd_app.ui.kit.page_parts import GAP, button, label, scrolled
from clipsvd_app.ui.welcome.recent_cards import RecentCards

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.ui.look.theme import Theme
    from clipsvd_app.ui.welcome.state import RecentState

HEADLINE = "Adapt a model to your images"
SENTENCE = (
    "Drop a folder, files, a ZIP archive or a DICOMDIR on this window to create a project."
    f" Your images stay on this computer. {NOT_FOR_DIAGNOSIS}"
)
ACTIONS = (
    ("file.add_folder", "Choose a folder…", "primary"),
    ("demo", "Open the demo project", ""),
    ("new", "New empty project…", ""),
    ("open", "Open project…", ""),
)
WIDTH_PX = 980


class WelcomePage(QWidget):
    """Headline, buttons and ``recent`` projects; ``action_requested(str)`` names the button pressed."""

    action_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.recent = RecentCards(theme)
        self._recent_title = label("Recent projects", "headline", wrap=False)
        content = QWidget()
        content.setMaximumWidth(WIDTH_PX)
        column = vertical(content, GAP, margins=GAP * 3)
        column.addStretch(1)
        column.addWidget(label(HEADLINE, "title"))
        column.addWidget(label(SENTENCE, "muted"))
        column.addSpacing(GAP)
        column.addLayout(self._buttons())
        column.addSpacing(GAP * 3)
        column.addWidget(self._recent_title)
        column.addWidget(self.recent)
        column.addStretch(2)
        middle = QWidget()
        across = horizontal(middle)
        across.addStretch(1)
        across.addWidget(content, 100)
        across.addStretch(1)
        whole = vertical(self)
        whole.addWidget(scrolled(middle))
        self.set_recent(())

    def set_recent(self, states: Sequence[RecentState]) -> None:
        """Show the recent projects; without any there is no heading."""
        self._recent_title.setVisible(bool(states))
        self.recent.setVisible(bool(states))
        self.recent.set_projects(states)

    def _buttons(self) -> QHBoxLayout:
        row = horizontal(spacing=GAP)
        for place, (action, text, kind) in enumerate(ACTIONS):
            shown = button(text, kind)
            shown.clicked.connect(lambda _checked=False, action=action: self.action_requested.emit(action))
            row.addWidget(shown, 0, Qt.AlignmentFlag.AlignLeft)
            if place == 0:
                self.setFocusProxy(shown)
        row.addStretch(1)
        return row
