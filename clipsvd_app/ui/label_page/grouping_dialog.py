"""Asking who the patients of files are, before they are added."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from clipsvd_app.ui.label_page.patient_rule import PatientRulePane
from clipsvd_app.ui.plots.page_parts import button, label


class GroupingDialog(QDialog):
    """The ways to tell patients apart in ``patients``, and a button that adds the files."""

    def __init__(self, rule: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Who are the patients?")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(860, 560)
        self.patients = PatientRulePane(rule)
        self.add = button("Add", "primary")
        self.add.setDefault(True)
        cancel = button("Cancel")
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        self.add.clicked.connect(self.accept)
        self.patients.usable_changed.connect(self.add.setEnabled)
        foot = QHBoxLayout()
        foot.addWidget(label("Images of one patient never train and test at once.", "small"), 1)
        foot.addWidget(cancel)
        foot.addWidget(self.add)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(14)
        column.addWidget(label("Who are the patients?", "title", wrap=False))
        column.addWidget(self.patients, 1)
        column.addLayout(foot)
