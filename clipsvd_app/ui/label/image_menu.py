"""What can be done with images, as a menu in pool, tree and viewer: the same commands everywhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QProcess, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMenu

from clipsvd_app.domain.words.counting import counted, images_of_patients
from clipsvd_app.services.studies.patient_corrections import (
    NEW_PATIENT,
    change_patient,
    locked_sentence,
    patient_choices,
    with_their_series,
)
from clipsvd_app.services.studies.removal import removal
from clipsvd_app.ui.label.patient_dialog import PatientDialog
from clipsvd_app.ui.label.state import PatientOption
from clipsvd_app.ui.label.strip.pool import orders_of
from clipsvd_app.ui.look.plain_text import literal
from clipsvd_app.ui.session.notices import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QPoint

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.services.studies.patient_corrections import PatientChoice
    from clipsvd_app.ui.label.page import LabelPage
    from clipsvd_app.ui.label.preview import PreviewController
    from clipsvd_app.ui.label.strip.controller import PoolController
    from clipsvd_app.ui.session.background import Answer
    from clipsvd_app.ui.session.session import Session
    from clipsvd_app.ui.shell.main_window import MainWindow

KEYS = 9
_COMMANDS = (
    ("edit.clear_label", "edit.uncertain", "edit.exclude"),
    ("image.similar", "image.show_in_folder"),
    ("image.change_patient", "image.remove"),
)


class ImageMenuController(QObject):
    """Opens the menu, and carries out what it has besides labels and marks."""

    def __init__(
        self,
        session: Session,
        window: MainWindow,
        page: LabelPage,
        pool: PoolController,
        preview: PreviewController,
    ) -> None:
        super().__init__(page)
        self._session, self._window, self._page = session, window, page
        self._pool, self._preview = pool, preview
        self.dialog: PatientDialog | None = None
        page.menu_requested.connect(self.open)
        page.strip.selection_changed.connect(lambda _ids: self.name_commands())
        session.project_changed.connect(self.name_commands)
        session.project_opened.connect(self._on_opened)
        self.name_commands()

    def open(self, at: QPoint) -> None:
        """Open the menu for what the next key would act on."""
        images = self._chosen()
        if not images:
            return
        self.name_commands()
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        menu.addAction(literal(_title(images))).setEnabled(False)
        menu.addSeparator()
        ids = tuple(image.id for image in images)
        for known in self._session.classes():
            key = f"\t{known.position + 1}" if known.position < KEYS else ""
            entry = menu.addAction(literal(f"Label as {known.name}") + key)
            entry.triggered.connect(
                lambda _checked=False, position=known.position: self._page.label_requested.emit(
                    ids, position, False
                )
            )
        for group in _COMMANDS:
            menu.addSeparator()
            for command in group:
                menu.addAction(self._window.action(command))
        menu.popup(at)

    def name_commands(self) -> None:
        """Say in every menu what the commands would do, and to how many images."""
        images = self._chosen()
        many = "" if len(images) < 2 else f" {counted(len(images), 'image')}"
        alone = not self._session.reader
        out = bool(images) and all(image.mark == "excluded" for image in images)
        self._name("edit.exclude", "Include\tX" if out else "Exclude\tX", bool(images))
        unsure = bool(images) and all(image.mark == "uncertain" for image in images)
        self._name(
            "edit.uncertain", "Clear “uncertain”\tU" if unsure else "Mark as uncertain\tU", bool(images)
        )
        orders = orders_of(self._preview.result, "", 1)
        self._name("image.similar", "Sort by similarity", bool(images) and alone and "similar" in orders)
        self._name("image.show_in_folder", "Show in folder", bool(images))
        self._name(
            "image.change_patient", f"Change patient{' of' if many else ''}{many}…", alone and bool(images)
        )
        self._name("image.remove", f"Remove{many} from project", alone and bool(images))

    def show_similar(self) -> None:
        """Order the pool by likeness to the displayed image."""
        self._pool.choose_order("similar")

    def show_in_folder(self) -> None:
        """Show the file of the displayed image in the file manager."""
        images = self._chosen()
        if not images:
            return
        path = Path(images[0].path)
        if not path.exists():
            self._session.tell(
                Notice(
                    "warning",
                    f"“{path.name}” is missing.",
                    "File > Find moved images…",
                    key="folder",
                )
            )
        else:
            reveal(path)

    def change_patient(self) -> None:
        """Ask whose the chosen images are, and let them belong to that patient."""
        project, images = self._session.project, self._chosen()
        if project is None or not images or self.dialog is not None:
            return
        moving = with_their_series(self._session.images(), {image.id for image in images})
        choices = patient_choices(self._session.images(), moving)
        note = "A patient's images are never split between training and test."
        if len(moving) > len(images):
            note = f"The whole series will be moved: {counted(len(moving), 'image')}. {note}"
        dialog = self.dialog = PatientDialog(_title(moving), note, _options(choices), self._window)
        dialog.key_changed.connect(lambda key: dialog.set_caution(locked_sentence(project, moving, key)))
        dialog.chosen.connect(lambda key: self._move(moving, key))
        dialog.finished.connect(lambda _how: setattr(self, "dialog", None))
        dialog.set_caution(locked_sentence(project, moving, dialog.key))
        dialog.open()

    def remove(self) -> None:
        """Take the chosen images out of the project; undo brings them back."""
        project, images = self._session.project, self._chosen()
        if project is None or not images:
            return
        self._session.work(
            lambda _report: removal(project, images), lambda answer: self._take_out(images, answer)
        )

    def _take_out(self, images: Sequence[ProjectImage], answer: Answer) -> None:
        if answer.error is not None:
            self._session.tell(answer.error)
        if answer.value is None:
            return
        following = self._pool.neighbour_of({image.id for image in images})
        if not self._session.do(answer.value):
            return
        if following is not None:
            self._pool.show(following)
        labelled = sum(image.class_id is not None for image in images)
        lost = f", {labelled} of them labelled" if labelled else ""
        what = counted(len(images), "image was", "images were")
        words = f"{what} removed from the project{lost}."
        self._session.tell(
            Notice("info", words, "The files were not deleted. You can undo this.", key="removed")
        )

    def _move(self, moving: Sequence[ProjectImage], key: str) -> None:
        project = self._session.project
        if project is not None and self._session.do(change_patient(project, moving, key)):
            moved = self._session.image(moving[0].id)
            whose = "a new patient" if moved is None else f"patient {moved.patient_number:03d}"
            what = "The image belongs" if len(moving) == 1 else f"The {counted(len(moving), 'image')} belong"
            self._session.tell(Notice("info", f"{what} to {whose} now.", "You can undo this.", key="patient"))

    def _chosen(self) -> tuple[ProjectImage, ...]:
        found = map(self._session.image, self._page.target_ids)
        return tuple(image for image in found if image is not None)

    def _name(self, command: str, text: str, possible: bool) -> None:
        self._window.set_action(command, enabled=possible, text=text)

    def _on_opened(self) -> None:
        if self.dialog is not None:
            self.dialog.reject()
        self.name_commands()


def reveal(path: Path) -> None:
    """Show a file in the file manager, marked where that can be asked for."""
    if sys.platform == "win32":
        QProcess.startDetached("explorer", ["/select,", str(path)])
    elif sys.platform == "darwin":
        QProcess.startDetached("open", ["-R", str(path)])
    else:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))


def _title(images: Sequence[ProjectImage]) -> str:
    if len(images) == 1:
        return images[0].title
    patients = len({image.patient_key for image in images})
    return images_of_patients(len(images), patients)


def _options(choices: Sequence[PatientChoice]) -> tuple[PatientOption, ...]:
    new = PatientOption(NEW_PATIENT, "New patient")
    return (new, *(PatientOption(choice.key, _words(choice), bool(choice.reason)) for choice in choices))


def _words(choice: PatientChoice) -> str:
    count = counted(choice.images, "image")
    return " · ".join(part for part in (f"Patient {choice.number:03d}", count, choice.reason) if part)
