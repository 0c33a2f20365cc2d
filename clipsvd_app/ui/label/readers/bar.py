"""The line above the Label page while a second reader reads, or two readers are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QWidget

from clipsvd_app.ui.kit.elided_label import ElidedLabel
from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.layouts import horizontal
from clipsvd_app.ui.look import icons
from clipsvd_app.ui.look.theme import set_kind

if TYPE_CHECKING:
    from clipsvd_app.ui.label.state import ReaderState
    from clipsvd_app.ui.look.theme import Palette, Theme

ICON_PX = 18


class ReaderBar(QFrame):
    """Signals: ``closed()``, ``compare_requested()``, ``step_requested(int)`` to the next disagreement."""

    closed = Signal()
    compare_requested = Signal()
    step_requested = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("reader_bar")
        self._icon, self._headline, self._sentence = QLabel(), ElidedLabel(), ElidedLabel()
        set_kind(self._headline, "headline")
        set_kind(self._sentence, "muted")
        self._next = QPushButton("Next disagreement")
        self._compare = QPushButton("Compare")
        self._close = destructive(QPushButton("Finish"))
        row = horizontal(self, 12, margins=(16, 6, 12, 6))
        row.addWidget(self._icon)
        row.addWidget(self._headline)
        row.addWidget(self._sentence, 1)
        for button in (self._next, self._compare, self._close):
            row.addWidget(button)
        self._next.clicked.connect(lambda: self.step_requested.emit(1))
        self._compare.clicked.connect(self.compare_requested)
        self._close.clicked.connect(self.closed)
        theme.changed.connect(self._tint)
        self._tint(theme.palette)
        self.hide()

    def set_state(self, state: ReaderState) -> None:
        """Show what is being done, or nothing at all."""
        self._headline.setText(state.headline)
        self._sentence.setText(state.sentence)
        self._next.setVisible(state.mode == "comparing")
        self._next.setEnabled(state.can_step)
        self._compare.setVisible(state.mode == "reading")
        self._close.setText("Finish reading" if state.mode == "reading" else "Close")
        self.setAccessibleName(state.headline)
        self.setAccessibleDescription(state.sentence)
        self.setVisible(state.mode != "off")

    def _tint(self, palette: Palette) -> None:
        self._icon.setPixmap(icons.pixmap("eye", palette.color("accent"), ICON_PX, self.devicePixelRatioF()))
