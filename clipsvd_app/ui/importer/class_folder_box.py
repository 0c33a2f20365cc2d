"""Folder names as classes: one tick for all of them, and one for each folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from clipsvd_app.domain.classes import class_key
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import GAP, label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.services.labels.class_folders import ClassFolder

USE = "Use folder names as classes"
MOST_ROWS_SHOWN = 6
_ROW_PX = 28


class ClassFolderBox(QWidget):
    """Signal: ``changed()`` after any tick."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[ClassFolder, ...] = ()
        self._known: frozenset[str] = frozenset()
        self.use = QCheckBox(USE)
        self.folders = _folder_list()
        self._sentence = label("", "small")
        column = vertical(self, GAP)
        column.addWidget(self.use)
        column.addWidget(self.folders)
        column.addWidget(self._sentence)
        self.use.toggled.connect(lambda _on: self._on_tick())
        self.folders.itemChanged.connect(lambda _row, place: self._on_tick() if place == 0 else None)

    def set_folders(
        self,
        folders: Sequence[ClassFolder],
        as_classes: bool,
        left_out: frozenset[str],
        known: Sequence[str] = (),
    ) -> None:
        """Show folders. known: the classes that there are already."""
        self._rows, self._known = tuple(folders), frozenset(map(class_key, known))
        self.blockSignals(True)
        self.use.setChecked(as_classes)
        self.folders.clear()
        for folder in folders:
            row = QTreeWidgetItem([folder.name, f"{folder.images:,}", ""])
            ticked = Qt.CheckState.Unchecked if folder.name in left_out else Qt.CheckState.Checked
            row.setCheckState(0, ticked)
            row.setToolTip(0, folder.name)
            row.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.folders.addTopLevelItem(row)
        self.folders.setFixedHeight(_ROW_PX * (min(len(folders), MOST_ROWS_SHOWN) + 1) + 8)
        self._say()
        self.blockSignals(False)

    @property
    def as_classes(self) -> bool:
        """Whether the names of the ticked folders are wanted as classes."""
        return self.use.isChecked()

    @property
    def left_out(self) -> frozenset[str]:
        """The names of the folders that are not ticked."""
        rows = [self.folders.topLevelItem(place) for place in range(self.folders.topLevelItemCount())]
        return frozenset(
            row.text(0) for row in rows if row is not None and row.checkState(0) == Qt.CheckState.Unchecked
        )

    def _on_tick(self) -> None:
        self._say()
        self.changed.emit()

    def _say(self) -> None:
        """Say what becomes of each folder, and of all of them."""
        left, labelled, classes = self.left_out, 0, 0
        self.folders.blockSignals(True)
        for place, folder in enumerate(self._rows):
            row = self.folders.topLevelItem(place)
            if row is None:
                continue
            is_class = self.as_classes and folder.use == "class" and folder.name not in left
            labelled += folder.images if is_class else 0
            classes += is_class
            new = bool(self._known) and class_key(folder.name) not in self._known
            becomes = "new class" if new else "class"
            row.setText(2, "left out" if folder.name in left else becomes if is_class else "no label")
        self.folders.blockSignals(False)
        out = sum(folder.images for folder in self._rows if folder.name in left)
        said = [
            f"{counted(classes, 'class', 'classes')}, {_images(labelled)} labelled."
            if self.as_classes
            else "No images labelled."
        ]
        if out:
            said.append(f"{_images(out)} left out.")
        self._sentence.setText(" ".join(said))


def _images(count: int) -> str:
    return counted(count, "image")


def _folder_list() -> QTreeWidget:
    result = QTreeWidget()
    result.setHeaderLabels(["Folder", "Images", "Becomes"])
    result.setRootIsDecorated(False)
    result.setUniformRowHeights(True)
    result.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    result.setAccessibleName("Folders; clear the tick to leave one out")
    header = result.header()
    header.setStretchLastSection(False)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    for place in (1, 2):
        header.setSectionResizeMode(place, QHeaderView.ResizeMode.ResizeToContents)
    return result
