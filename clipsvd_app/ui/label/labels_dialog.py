"""What a table of labels would do, before it does it: images by class, and what is left out and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.ui.kit.elided_label import ElidedLabel
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import button, scrolled
from clipsvd_app.ui.kit.window_place import open_at_size
from clipsvd_app.ui.look.theme import set_kind

if TYPE_CHECKING:
    from collections.abc import Sequence


class LabelsDialog(QDialog):
    """Signal: ``new_classes_chosen(bool)`` whether names that are a letter off another become classes."""

    new_classes_chosen = Signal(bool)

    def __init__(self, table_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Import labels")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        open_at_size(self, 560, 460)
        self._table_name = table_name
        self._classes = _class_list()
        self.said = QLabel()
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.setWordWrap(True)
        self.said.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.new_classes = QCheckBox("Also create classes for names that look misspelt")
        self.new_classes.toggled.connect(self.new_classes_chosen)
        self.take = button("Import", "primary")
        self.take.setDefault(True)
        self.take.clicked.connect(self.accept)
        self._arrange()

    def show_preview(
        self, labelled: Sequence[tuple[str, int]], sentences: Sequence[str], *, slips: bool, marks: int
    ) -> None:
        """Show images by class and what should be known before they are labelled."""
        self._classes.clear()
        for name, images in labelled:
            row = QTreeWidgetItem([name, str(images)])
            row.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._classes.addTopLevelItem(row)
        self.said.setText("\n\n".join(sentences))
        self.new_classes.setVisible(slips or self.new_classes.isChecked())
        labels = sum(images for _, images in labelled)
        self.take.setText(
            f"Import {counted(labels, 'label')}" + (f", {counted(marks, 'mark')}" if marks else "")
        )

    def _arrange(self) -> None:
        cancel = button("Cancel")
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(cancel)
        foot.addWidget(self.take)
        column = vertical(self, 14, margins=(24, 20, 24, 20))
        title = ElidedLabel(f"Labels in {self._table_name}", Qt.TextElideMode.ElideMiddle)
        set_kind(title, "title")
        column.addWidget(title)
        column.addWidget(self._classes, 2)
        column.addWidget(scrolled(self.said), 1)
        column.addWidget(self.new_classes)
        column.addLayout(foot)


def _class_list() -> QTreeWidget:
    result = QTreeWidget()
    result.setHeaderLabels(["Class", "Images"])
    result.setRootIsDecorated(False)
    result.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    result.setAccessibleName("Images that would be labelled, by class")
    result.header().setStretchLastSection(False)
    result.header().setSectionResizeMode(0, result.header().ResizeMode.Stretch)
    return result
