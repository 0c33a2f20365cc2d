"""Whose images these are: another patient of the project, or a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QListWidget, QListWidgetItem

from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import button, label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget

    from clipsvd_app.ui.label.state import PatientOption

KEY_ROLE = Qt.ItemDataRole.UserRole + 1


class PatientDialog(QDialog):
    """Signals: ``key_changed(str)`` the patient that is marked, ``chosen(str)`` the one decided on."""

    key_changed = Signal(str)
    chosen = Signal(str)

    def __init__(
        self, headline: str, note: str, options: Sequence[PatientOption], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Change patient")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.field = QLineEdit()
        self.field.setPlaceholderText("Find a patient by number")
        self.field.setClearButtonEnabled(True)
        self.field.setAccessibleName("Find a patient by number")
        self.patients = QListWidget()
        self.patients.setAccessibleName("Patients")
        for option in options:
            item = QListWidgetItem(option.words)
            item.setData(KEY_ROLE, option.key)
            self.patients.addItem(item)
        self._caution = label("", "warning")
        self.change = button("Change patient", "primary")
        self.change.setDefault(True)
        self._arrange(headline, note)
        self.field.textChanged.connect(self._find)
        self.patients.currentItemChanged.connect(lambda _new, _old: self.key_changed.emit(self.key))
        self.patients.itemActivated.connect(lambda _item: self._choose())
        self.change.clicked.connect(self._choose)
        self.patients.setCurrentRow(1 if len(options) > 1 and options[1].likely else 0)
        self.set_caution("")

    @property
    def key(self) -> str:
        """The key of the patient that is marked, empty for a new one."""
        item = self.patients.currentItem()
        return "" if item is None else str(item.data(KEY_ROLE))

    def set_caution(self, sentence: str) -> None:
        """Say what the change would bring about."""
        self._caution.setText(sentence)
        self._caution.setVisible(bool(sentence))

    def _arrange(self, headline: str, note: str) -> None:
        cancel = button("Cancel")
        cancel.clicked.connect(self.reject)
        column = vertical(self, 12, margins=(24, 20, 24, 20))
        column.addWidget(label(headline, "headline"))
        column.addWidget(label(note, "muted"))
        column.addWidget(self.field)
        column.addWidget(self.patients, 1)
        column.addWidget(self._caution)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.change)
        column.addLayout(row)
        self.setMinimumSize(440, 420)

    def _find(self, text: str) -> None:
        """Show the patients whose line holds the text, and mark the first of them."""
        items = [self.patients.item(row) for row in range(self.patients.count())]
        for item in items:
            item.setHidden(text.strip().casefold() not in item.text().casefold())
        shown = [item for item in items if not item.isHidden()]
        if shown and self.patients.currentItem() not in shown:
            self.patients.setCurrentItem(shown[0])
        self.change.setEnabled(bool(shown))

    def _choose(self) -> None:
        if self.change.isEnabled():
            self.chosen.emit(self.key)
            self.accept()
