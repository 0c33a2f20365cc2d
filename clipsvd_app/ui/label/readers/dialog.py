"""Who the second reader is: a short label, never a name that says more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QWidget

from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import button, label

if TYPE_CHECKING:
    from collections.abc import Sequence

EXPLANATION = (
    "The pool hides all other labels, marks and the preview’s predictions. The second"
    " reader’s labels are stored separately and do not change the project’s labels."
)


class ReaderDialog(QDialog):
    """Signal: ``chosen(str)`` the label typed, or that of a reader who has begun."""

    chosen = Signal(str)

    def __init__(self, known: Sequence[str], longest: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Second reader")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.field = QLineEdit()
        self.field.setPlaceholderText("Initials, e.g. B")
        self.field.setMaxLength(longest)
        self.field.setAccessibleName("Short label of the second reader")
        self.start = button("Start reading", "primary")
        self.start.setDefault(True)
        self.start.setEnabled(False)
        cancel = button("Cancel")
        column = vertical(self, 12, margins=(24, 20, 24, 20))
        column.addWidget(label("Read the images a second time", "headline"))
        column.addWidget(label(EXPLANATION, "muted"))
        column.addWidget(self.field)
        if known:
            column.addLayout(self._going_on(known))
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.start)
        column.addSpacing(4)
        column.addLayout(row)
        self.setMinimumWidth(440)
        self.field.textChanged.connect(lambda text: self.start.setEnabled(bool(text.strip())))
        self.start.clicked.connect(lambda: self._choose(self.field.text()))
        cancel.clicked.connect(self.reject)

    def _going_on(self, known: Sequence[str]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(label("Continue as", "muted", wrap=False))
        for reader in known[:4]:
            again = button(reader.replace("&", "&&"))
            again.setAutoDefault(False)
            again.clicked.connect(lambda _checked=False, reader=reader: self._choose(reader))
            row.addWidget(again)
        row.addStretch(1)
        return row

    def _choose(self, reader: str) -> None:
        self.chosen.emit(reader)
        self.accept()
