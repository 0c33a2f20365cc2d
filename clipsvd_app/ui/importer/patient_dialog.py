"""Asking who the patients of files are, before they are added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QWidget

from clipsvd_app.services.labels.class_folders import FolderChoice
from clipsvd_app.ui.importer.class_folder_box import ClassFolderBox
from clipsvd_app.ui.importer.patient_rule import PatientRulePane
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import button, label, scrolled
from clipsvd_app.ui.kit.window_place import open_at_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.services.labels.class_folders import ClassFolder

WIDE_PX, LOW_PX, TALL_PX = 860, 560, 720


class GroupingDialog(QDialog):
    """The ways to tell patients apart in ``patients``, and a button that adds the files."""

    def __init__(self, rule: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("How are patients identified?")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        open_at_size(self, WIDE_PX, LOW_PX)
        self.patients = PatientRulePane(rule)
        self.classes = ClassFolderBox()
        self.classes.hide()
        self.add = button("Add", "primary")
        self.add.setDefault(True)
        cancel = button("Cancel")
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        self.add.clicked.connect(self.accept)
        self.patients.usable_changed.connect(self.add.setEnabled)
        foot = QHBoxLayout()
        foot.addWidget(label("A patient's images are never split between training and test.", "small"), 1)
        foot.addWidget(cancel)
        foot.addWidget(self.add)
        column = vertical(self, 14, margins=(24, 20, 24, 20))
        self._title = label("How are patients identified?", "title", wrap=False)
        column.addWidget(self._title)
        self._patients_title = label("How are patients identified?", "headline", wrap=False)
        self._patients_title.hide()
        asked = QWidget()
        questions = vertical(asked, 14)
        questions.addWidget(self.classes)
        questions.addWidget(self._patients_title)
        questions.addWidget(self.patients, 1)
        column.addWidget(scrolled(asked), 1)
        column.addLayout(foot)

    def show_folders(
        self, folders: Sequence[ClassFolder], as_classes: bool, left_out: frozenset[str], known: Sequence[str]
    ) -> None:
        """Offer the names of folders as classes too. known: the classes that there are."""
        self.setWindowTitle("Classes and patients")
        self._title.setText("These folders look like classes")
        self.classes.set_folders(folders, as_classes, left_out, known)
        self.classes.show()
        open_at_size(self, WIDE_PX, TALL_PX)
        self._patients_title.show()

    @property
    def folder_choice(self) -> FolderChoice:
        """What is wanted of the folders."""
        return FolderChoice(self.classes.as_classes, self.classes.left_out)
