"""Making a project from what was dropped: everything that it needs to know, on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.ui.importer.class_folder_box import ClassFolderBox
from clipsvd_app.ui.importer.patient_rule import PatientRulePane
from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.layouts import horizontal, vertical
from clipsvd_app.ui.kit.page_parts import (
    GAP,
    Card,
    ChoiceGroup,
    Lines,
    SideBySide,
    button,
    label,
    scrolled,
)
from clipsvd_app.ui.kit.page_parts import column as parts_below
from clipsvd_app.ui.look.theme import set_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent

    from clipsvd_app.ui.welcome.state import PlaceState

WIDTH_PX = 1120
READING_PX = 460
NO_FOLDERS = "No class folders found. Add classes on the Label page."


class NewProjectPage(QWidget):
    """Reading, then the form, then making. ``classes`` and ``patients`` are asked directly.

    Signals: ``create_requested()``, ``cancel_requested()``, ``place_requested()`` to choose another folder,
    ``name_changed(str)``, ``model_chosen(str)``.
    """

    create_requested = Signal()
    cancel_requested = Signal()
    place_requested = Signal()
    name_changed = Signal(str)
    model_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.name = QLineEdit()
        self.name.setAccessibleName("Name of the project")
        self.folder = label("", "muted")
        self.error = label("", "error")
        self.classes = ClassFolderBox()
        self.patients = PatientRulePane("header")
        self.models = ChoiceGroup()
        self.left_out = Lines()
        self.make = button("Create project", "primary")
        self._no_folders = label(NO_FOLDERS, "muted")
        self._title, self._source = label("", "title", wrap=False), label("", "muted")
        self._progress, self._stage = QProgressBar(), label("", "headline", wrap=False)
        self._progress.setAccessibleName("Reading files")
        self._can_group = True
        self._layers = QStackedLayout(self)
        self._layers.addWidget(self._reading())
        self._layers.addWidget(self._form())
        self._connect()

    def show_reading(self, done: int, total: int, stage: str = "Reading files") -> None:
        """Show how far files are read; total 0 while they are looked for."""
        self._stage.setText(f"{stage}: {done:,} of {total:,}" if total else f"{stage}…")
        self._progress.setRange(0, total)
        self._progress.setValue(done)
        if self._layers.currentIndex() != 0:
            self._layers.setCurrentIndex(0)
            self.setFocus()  # Escape cancels

    def show_form(self) -> None:
        """Show the questions; the name has the keyboard."""
        self._layers.setCurrentIndex(1)
        self.name.setFocus()
        self.name.selectAll()

    def set_source(self, images: int, source: str) -> None:
        """Say how many images there are, and where they come from."""
        text = f"Create project from {counted(images, 'image')}"
        self._title.setText(text)
        self.make.setText(text)
        self._source.setText(source)
        self._images = images
        self._allow()

    def set_place(self, state: PlaceState) -> None:
        """Show where the project is going to lie, and what is in the way."""
        if self.name.text() != state.name:
            self.name.blockSignals(True)
            self.name.setText(state.name)
            self.name.blockSignals(False)
        self.folder.setText(state.folder)
        self.folder.setToolTip(state.folder)
        self.error.setText(state.error)
        self.error.setVisible(bool(state.error))
        self._allow()

    def set_has_folders(self, has: bool) -> None:
        """Offer folder names as classes, or say that there are none."""
        self.classes.setVisible(has)
        self._no_folders.setVisible(not has)

    def set_left_out(self, sentences: Sequence[str]) -> None:
        """Say what is left out and why."""
        self.left_out.set_lines([("•", sentence, "muted") for sentence in sentences])
        self._left_card.setVisible(bool(sentences))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.cancel_requested.emit()
        else:
            super().keyPressEvent(event)

    def _allow(self) -> None:
        self.make.setEnabled(self._can_group and not self.error.text() and self._images > 0)

    def _set_grouped(self, can: bool) -> None:
        self._can_group = can
        self._allow()

    def _connect(self) -> None:
        self._images = 0
        self.make.clicked.connect(self.create_requested)
        self.name.textEdited.connect(self.name_changed)
        self.name.returnPressed.connect(
            lambda: self.create_requested.emit() if self.make.isEnabled() else None
        )
        self.models.chosen.connect(self.model_chosen)
        self.patients.usable_changed.connect(self._set_grouped)

    def _reading(self) -> QWidget:
        cancel = destructive(button("Cancel"))
        cancel.clicked.connect(self.cancel_requested)
        card = Card()
        card.setMaximumWidth(READING_PX)
        card.setMinimumWidth(min(READING_PX, 320))
        card.body.addWidget(self._stage)
        card.body.addWidget(self._progress)
        card.body.addWidget(cancel, 0, Qt.AlignmentFlag.AlignRight)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.addStretch(2)
        column.addWidget(card, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        return whole

    def _form(self) -> QWidget:
        place = Card("Project")
        place.body.addWidget(label("Name", "section"))
        place.body.addWidget(self.name)
        place.body.addWidget(label("Folder", "section"))
        change = button("Choose…")
        change.clicked.connect(self.place_requested)
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(change)
        place.body.addLayout(row)
        place.body.addWidget(self.error)
        place.body.addStretch(1)
        classes = Card("Classes")
        classes.body.addWidget(self.classes)
        classes.body.addWidget(self._no_folders)
        classes.body.addStretch(1)
        model = Card("Model")
        model.body.addWidget(self.models)
        patients = Card("Patients")
        patients.body.addWidget(
            label(
                "A patient's images are never split between training and test. Check the patients.",
                "muted",
            )
        )
        self.patients.setMinimumHeight(300)
        patients.body.addWidget(self.patients)
        self._left_card = Card("Left out")
        self._left_card.body.addWidget(self.left_out)
        content = QWidget()
        content.setMaximumWidth(WIDTH_PX)
        column = vertical(content, GAP * 2, margins=(GAP * 3, GAP * 2, GAP * 3, GAP * 3))
        heading = vertical(spacing=2)
        heading.addWidget(self._title)
        heading.addWidget(self._source)
        column.addLayout(heading)
        left = parts_below(place, model, stretch_end=False)
        column.addWidget(SideBySide(left, classes))
        column.addWidget(patients)
        column.addWidget(self._left_card)
        column.addStretch(1)
        return self._framed(content)

    def _framed(self, content: QWidget) -> QWidget:
        """Put the buttons below what scrolls, so that they are always there."""
        middle = QWidget()
        across = horizontal(middle)
        across.addStretch(1)
        across.addWidget(content, 100)
        across.addStretch(1)
        foot = QFrame()
        set_kind(foot, "panel")
        cancel = destructive(button("Cancel"))
        cancel.clicked.connect(self.cancel_requested)
        buttons = horizontal(foot, margins=(GAP * 3, GAP, GAP * 3, GAP))
        buttons.addWidget(label("Images stay where they are.", "small"), 1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.make)
        whole = QWidget()
        column = vertical(whole, 0)
        column.addWidget(scrolled(middle), 1)
        column.addWidget(foot)
        return whole
