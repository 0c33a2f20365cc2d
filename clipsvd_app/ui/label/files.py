"""Where the images lie and labels as tables: finding moved files, collecting them, CSV in and out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from clipsvd_app.domain.project_values import relabelled
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError
from clipsvd_app.services.labels.table import plan_labels, write_labels
from clipsvd_app.services.studies.changed_files import changed_images, changed_sentence
from clipsvd_app.services.studies.moved_files import missing_images, plan_collect, plan_relink
from clipsvd_app.ui.label.labels_dialog import LabelsDialog
from clipsvd_app.ui.session.notices import Notice, NoticeKind
from clipsvd_app.ui.session.state import LongJob

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.project import Project
    from clipsvd_app.services.labels.labels import LabelPlan
    from clipsvd_app.services.studies.moved_files import PathPlan
    from clipsvd_app.ui.session.background import Answer
    from clipsvd_app.ui.session.session import Session

RELINK = "file.relink"
TABLES = "Tables (*.csv *.tsv *.txt)"
MOST_HASHED_BYTES = 4 << 30
"""Read on opening at most, where a project comes from another computer; reading an image looks anyway."""
_MOVED, _REPLACED, _COLLECT, _TABLE_IN, _TABLE_OUT = "moved", "replaced", "collect", "labels-in", "labels-out"


class FilesController(QObject):
    """Signal: ``moved_changed()`` when it is known which images are not where they were, or replaced."""

    moved_changed = Signal()

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._parent = session, parent
        self.moved: frozenset[int] = frozenset()
        self.replaced: frozenset[int] = frozenset()
        self.dialog: LabelsDialog | None = None
        self._looked_at: tuple[ProjectImage, ...] = ()
        self._looks = 0
        session.project_opened.connect(self._on_opened)
        session.project_changed.connect(self._look)

    def ask_folder(self) -> None:
        """Ask where the moved images are, and find them there."""
        folder = QFileDialog.getExistingDirectory(self._parent, "Where are the images now?")
        if folder:
            self.relink(Path(folder))

    def relink(self, folder: Path) -> None:
        """Find moved images below a folder by their content."""
        project = self._session.project
        if project is None:
            return

        def done(plan: PathPlan) -> None:
            if plan.files:
                self._session.do(plan.change)
            self._session.tell(_relinked(plan))

        self._work(lambda report: plan_relink(project, folder, report), done, "Checking files", _MOVED)

    def collect(self) -> None:
        """Copy the images into the project's folder."""
        project = self._writable()
        if project is None:
            return
        folder = project.images_folder.name

        def done(plan: PathPlan) -> None:
            self._session.do(plan.change)
            kind: NoticeKind = "warning" if plan.left else "success"
            copied = counted(plan.files, "file is", "files are")
            staying = counted(len(plan.left), "stays where it is", "stay where they are")
            left = f"{staying}, such as {plan.left[0]}." if plan.left else ""
            self._session.tell(
                Notice(kind, f"{copied} in “{folder}” beside the project.", left, key=_COLLECT)
            )

        self._work(lambda report: plan_collect(project, report), done, "Copying files", _COLLECT)

    def ask_table_in(self) -> None:
        """Ask for a table of labels, and read it."""
        path, _ = QFileDialog.getOpenFileName(self._parent, "Import labels", "", TABLES)
        if path:
            self.import_labels(Path(path))

    def import_labels(self, table: Path) -> None:
        """Show what a table would label, and label by it when that is accepted."""
        project = self._writable()
        if project is None:
            return
        dialog = LabelsDialog(table.name, self._parent)
        if not self._show_plan(dialog, project, table):
            dialog.deleteLater()
            return
        self.dialog = dialog
        dialog.new_classes_chosen.connect(lambda _on: self._show_plan(dialog, project, table))
        dialog.accepted.connect(lambda: self._take_table(project, table, dialog.new_classes.isChecked()))
        dialog.finished.connect(lambda _how: setattr(self, "dialog", None))
        dialog.open()

    def _show_plan(self, dialog: LabelsDialog, project: Project, table: Path) -> bool:
        plan = self._planned(project, table, new_classes=dialog.new_classes.isChecked())
        if plan is None:
            return False
        report, marks = plan.report, len(plan.change.mark_by_image)
        dialog.show_preview(report.labelled, report.sentences(), slips=bool(report.slips), marks=marks)
        return True

    def _planned(self, project: Project, table: Path, *, new_classes: bool) -> LabelPlan | None:
        try:
            return plan_labels(project, table, new_classes=new_classes)
        except UserError as error:
            self._session.tell(error, _TABLE_IN)
            return None

    def _take_table(self, project: Project, table: Path, new_classes: bool) -> None:
        """Label by a table as it is now, in one step that can be undone."""
        if self._session.project is not project:
            return
        plan = self._planned(project, table, new_classes=new_classes)
        if plan is not None and self._session.do(plan.change):
            images, marks = len(plan.change.name_by_image), len(plan.change.mark_by_image)
            left = " ".join(plan.report.sentences())
            labels, marked = counted(images, "label"), counted(marks, "mark")
            kind: NoticeKind = "warning" if left else "success"
            self._session.tell(Notice(kind, f"{labels}, {marked} taken from the table.", left, key=_TABLE_IN))

    def ask_table_out(self) -> None:
        """Ask where to write the labels, and write them."""
        if self._session.project is None or self._session.reader:
            self._session.tell(_not_while_reading())
            return
        stem = self._session.project.path.with_name(f"{self._session.project.path.stem} labels.csv")
        path, _ = QFileDialog.getSaveFileName(self._parent, "Export labels", str(stem), TABLES)
        if path:
            self.export_labels(Path(path))

    def export_labels(self, file: Path) -> None:
        """Write all labels, images named by their hash."""
        assert self._session.project is not None
        try:
            lines = write_labels(self._session.project, file)
        except UserError as error:
            self._session.tell(error, _TABLE_OUT)
        else:
            words, remedy = (
                f"Wrote {counted(lines, 'line')} to “{file.name}”.",
                "Images are identified by their hash.",
            )
            self._session.tell(Notice("success", words, remedy, key=_TABLE_OUT))

    def _writable(self) -> Project | None:
        if self._session.reader:
            self._session.tell(_not_while_reading())
            return None
        return self._session.project

    def _work(
        self,
        work: Callable[[Callable[[int, int], None]], PathPlan],
        done: Callable[[PathPlan], None],
        words: str,
        key: str,
    ) -> None:
        def take(answer: Answer) -> None:
            if answer.error is not None:
                self._session.tell(answer.error, key)
            elif answer.value is not None:
                done(answer.value)
            else:
                self._session.tell(Notice("info", f"{words} stopped. Nothing was changed.", key=key))

        def show(at: int, total: int) -> None:
            if at % 50 == 0:
                told = Notice("info", f"{words}: {at:,} of {total:,}.", key=key, progress=(at, total))
                self._session.tell(told)

        shown = LongJob("label", words, "The project does not change. Files already copied are kept.")
        self._session.work(work, take, show, priority=1, shown=shown)

    def _on_opened(self) -> None:
        self._looked_at, self.moved, self.replaced = (), frozenset(), frozenset()
        self._look()

    def _look(self) -> None:
        """See in a thread whether every file is where it was, each time that paths have changed."""
        images = self._session.images()
        before, self._looked_at = self._looked_at, images
        if relabelled(before, images) is not None:
            return
        self._looks += 1
        newly_opened, look = not before, self._looks

        def take(answer: Answer) -> None:
            if not answer.cancelled and look == self._looks and answer.value is not None:
                moved, replaced = answer.value
                news = moved != self.moved or replaced != self.replaced
                self.moved, self.replaced = moved, replaced
                if news:
                    self.moved_changed.emit()
                if news and newly_opened and self.moved:
                    self._session.tell(_moved(len(self.moved), len(images)))
                elif news and not self.moved:
                    self._session.settle(_MOVED)
                if news and self.replaced:
                    self._session.tell(_replaced(len(self.replaced), len(images)))
                elif news:
                    self._session.settle(_REPLACED)

        self._session.work(
            lambda _report: (missing_images(images), changed_images(images, MOST_HASHED_BYTES)), take
        )


def _moved(moved: int, total: int) -> Notice:
    return Notice(
        "warning",
        f"{moved:,} of {counted(total, 'image')} {'is' if moved == 1 else 'are'} missing."
        f" {'Its' if moved == 1 else 'Their'} labels are safe.",
        "Connect their drive, or locate them.",
        RELINK,
        "Locate…",
        key=_MOVED,
    )


def _replaced(replaced: int, total: int) -> Notice:
    return Notice(
        "warning",
        changed_sentence(replaced, total),
        "They are left out of training. Locate the original files, or add and label the new ones.",
        RELINK,
        "Locate…",
        key=_REPLACED,
    )


def _relinked(plan: PathPlan) -> Notice:
    if not plan.files and not plan.left:
        return Notice("success", "No images are missing.", key=_MOVED)
    left = (
        f"{counted(len(plan.left), 'is', 'are')} still missing, such as {plan.left[0]}." if plan.left else ""
    )
    if not plan.files:
        return Notice(
            "warning",
            "None of the missing images was found there.",
            left,
            RELINK,
            "Look elsewhere…",
            key=_MOVED,
        )
    again = (RELINK, "Look elsewhere…") if plan.left else ("", "")
    kind: NoticeKind = "warning" if plan.left else "success"
    return Notice(kind, f"{counted(plan.files, 'moved file')} found by content.", left, *again, key=_MOVED)


def _not_while_reading() -> UserError:
    return UserError(
        "Tables and files are not available during a second reading, because they show the labels of others.",
        remedy="Finish the second reading first.",
        code="reading",
    )
