"""What stands above the list of backbones for a while: a question, work under way, or what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.layouts import horizontal, vertical
from clipsvd_app.ui.kit.page_parts import GAP, button, label, one_line
from clipsvd_app.ui.look.theme import set_kind

if TYPE_CHECKING:
    from clipsvd_app.ui.settings.state import BackboneWork


class Question(QFrame):
    """A headline, what follows from yes, and two buttons; hides when either is pressed.

    Signal: ``confirmed()``.
    """

    confirmed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_kind(self, "inset")
        self._headline, self._words = label("", "headline"), label("")
        self._yes, self._no = destructive(button("", "primary")), button("Not now")
        self._yes.clicked.connect(self._confirm)
        self._no.clicked.connect(self.hide)
        column = _column(self)
        column.addWidget(self._headline)
        column.addWidget(self._words)
        column.addSpacing(GAP)
        buttons = horizontal(spacing=GAP)
        buttons.addWidget(self._yes)
        buttons.addWidget(self._no)
        buttons.addStretch(1)
        column.addLayout(buttons)
        self.hide()

    def ask(self, headline: str, words: str, yes: str, no: str, kind: str = "primary") -> None:
        """Show the question; the button that does nothing has the focus."""
        self._headline.setText(headline)
        self._words.setText(words)
        self._yes.setText(yes)
        set_kind(self._yes, kind)
        self._no.setText(no)
        self.setAccessibleName(headline)
        self.setAccessibleDescription(words)
        self.show()
        self._no.setFocus()

    def _confirm(self) -> None:
        self.hide()
        self.confirmed.emit()


class WorkPanel(QFrame):
    """How far a backbone on its way is. Signal: ``cancel_requested()``."""

    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_kind(self, "inset")
        self._title = one_line("", "headline")
        self._stage = label("", "muted")
        self._amount = label("", "muted", wrap=False)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._cancel = destructive(button("Cancel", hint="Stop. You can resume the download later."))
        self._cancel.clicked.connect(self.cancel_requested)
        top, bottom = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self._title)
        top.addStretch(1)
        top.addWidget(self._cancel)
        bottom.addWidget(self._stage, 1)
        bottom.addWidget(self._amount)
        column = _column(self)
        column.addLayout(top)
        column.addWidget(self._bar)
        column.addLayout(bottom)
        self.hide()

    def set_work(self, work: BackboneWork | None) -> None:
        """Show the work, or nothing when there is none; a bar without a known end runs to and fro."""
        self.setVisible(work is not None)
        if work is None:
            return
        self._title.setText(work.title)
        self._stage.setText("Stopping…" if work.cancelling else work.stage)
        self._amount.setText(work.amount)
        self._bar.setRange(0, work.total)
        self._bar.setValue(work.done)
        self._bar.setAccessibleName(f"{work.title}: {work.stage}, {work.amount}")
        self._cancel.setEnabled(not work.cancelling)


def _column(frame: QFrame) -> QVBoxLayout:
    return vertical(frame, GAP - 2, margins=(GAP * 2, GAP + 4, GAP * 2, GAP + 4))
