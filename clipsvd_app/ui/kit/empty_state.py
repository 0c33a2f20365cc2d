"""The friendly emptiness of a page without content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from clipsvd_app.ui.kit.layouts import horizontal
from clipsvd_app.ui.look import icons
from clipsvd_app.ui.look.theme import Palette, Theme, set_kind

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from clipsvd_app.ui.session.state import EmptyAction, EmptySpec

ICON_PX = 48
ICON_NEEDS_PX = 200
ROOMY_MARGIN_PX, TIGHT_MARGIN_PX = 24, 4
SENTENCE_WIDTH_PX = 460


class EmptyState(QWidget):
    """Icon, headline, sentence and buttons in the middle; ``action_requested(str)`` names the pressed one."""

    action_requested = Signal(str)

    def __init__(self, theme: Theme, spec: EmptySpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon = QLabel(alignment=Qt.AlignmentFlag.AlignHCenter)
        self._headline = QLabel(alignment=Qt.AlignmentFlag.AlignHCenter, wordWrap=True)
        self._sentence = QLabel(alignment=Qt.AlignmentFlag.AlignHCenter, wordWrap=True)
        self._sentence.setMaximumWidth(SENTENCE_WIDTH_PX)
        set_kind(self._headline, "headline")
        set_kind(self._sentence, "muted")
        self._buttons = horizontal(spacing=8)
        self._arrange()
        self.set_spec(spec)
        theme.changed.connect(self._tint)

    def set_spec(self, spec: EmptySpec) -> None:
        """Say something else."""
        self._spec = spec
        self._headline.setText(spec.headline)
        self._headline.setVisible(bool(spec.headline))
        self._sentence.setText(spec.sentence)
        self._sentence.setVisible(bool(spec.sentence))
        self._set_buttons(spec.actions)
        self._tint(self._theme.palette)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        roomy = self.height() >= ICON_NEEDS_PX
        self._icon.setVisible(roomy)
        margin = ROOMY_MARGIN_PX if roomy else TIGHT_MARGIN_PX
        self._column.setContentsMargins(ROOMY_MARGIN_PX, margin, ROOMY_MARGIN_PX, margin)

    def _arrange(self) -> None:
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(*4 * (ROOMY_MARGIN_PX,))
        column.setSpacing(8)
        column.addStretch(2)
        column.addWidget(self._icon)
        column.addSpacing(8)
        column.addWidget(self._headline)
        sentence_row = QHBoxLayout()
        sentence_row.addStretch(1)
        sentence_row.addWidget(self._sentence, 8)
        sentence_row.addStretch(1)
        column.addLayout(sentence_row)
        column.addSpacing(8)
        buttons_row = QHBoxLayout()
        buttons_row.addStretch(1)
        buttons_row.addLayout(self._buttons)
        buttons_row.addStretch(1)
        column.addLayout(buttons_row)
        column.addStretch(3)

    def _set_buttons(self, actions: tuple[EmptyAction, ...]) -> None:
        while (item := self._buttons.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for place, action in enumerate(actions):
            button = QPushButton(action.text)
            if action.primary:
                set_kind(button, "primary")
            button.clicked.connect(
                lambda _checked=False, name=action.action: self.action_requested.emit(name)
            )
            self._buttons.addWidget(button)
            if place == 0:
                self.setFocusProxy(button)

    def _tint(self, palette: Palette) -> None:
        ratio = self.devicePixelRatioF()
        self._icon.setPixmap(icons.pixmap(self._spec.icon, palette.color("text_faint"), ICON_PX, ratio))
