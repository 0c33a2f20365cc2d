"""Whatever is dropped on the window: studies, a project, or an adapter."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from clipsvd_app.errors import UserError
from clipsvd_app.project import SUFFIX
from clipsvd_app.services import exporting
from clipsvd_app.services.found_files import read_files
from clipsvd_app.services.importing import (
    ImportPlan,
    apply_import,
    known_changes,
    left_out_words,
    plan_groups,
    summary,
)
from clipsvd_app.services.labelling import set_labels
from clipsvd_app.services.second_reading import set_readings
from clipsvd_app.services.series_reports import warning
from clipsvd_app.ui.notices import Notice, NoticeKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clipsvd_app.project import Project
    from clipsvd_app.services.found_files import FilesRead
    from clipsvd_app.services.grouping import PatientRule
    from clipsvd_app.ui.background import Answer, Task
    from clipsvd_app.ui.controllers.grouping import GroupingController
    from clipsvd_app.ui.session import Session

CANCEL_IMPORT = "import.cancel"
SHOW_AFTER_S = 0.6
BETWEEN_NOTICES_S = 0.25
_KEY = "import"


class ImportController(QObject):
    """Signals: ``adapter_dropped(str)`` a path, ``imported()`` when images were added."""

    adapter_dropped = Signal(str)
    imported = Signal()

    def __init__(self, session: Session, grouping: GroupingController, parent: QObject | None = None) -> None:
        super().__init__(parent or session)
        self._session, self._grouping = session, grouping
        self._task: Task | None = None
        self._started_s = self._told_s = 0.0
        session.project_opened.connect(grouping.dismiss)

    @property
    def busy(self) -> bool:
        """Whether files are being read, or the user is asked about them."""
        return self._task is not None or self._grouping.dialog is not None

    def take(self, paths: Sequence[str], class_id: int | None = None) -> None:
        """Open what was dropped, or import it; with a class the new images are labelled at once."""
        projects = [path for path in paths if path.lower().endswith(SUFFIX)]
        adapters = [path for path in paths if path.lower().endswith(exporting.SUFFIX)]
        if projects:
            self._session.open_project(Path(projects[0]))
            self._tell_rest(projects[0], paths)
        elif adapters:
            self.adapter_dropped.emit(adapters[0])
            self._tell_rest(adapters[0], paths)
        elif paths:
            self._import([Path(path) for path in paths], class_id)

    def _tell_rest(self, opened: str, paths: Sequence[str]) -> None:
        """Say what a project or adapter among the things dropped has kept from being added."""
        rest = sum(path != opened for path in paths)
        if rest:
            others = "the other thing" if rest == 1 else f"the {rest} other things"
            self._session.tell(
                Notice("warning", f"Only {Path(opened).name} was opened.", f"Drop {others} again to add.")
            )

    def cancel(self) -> None:
        """Stop reading; nothing has been added yet."""
        if self._task is not None:
            self._task.cancel()

    def _import(self, paths: list[Path], class_id: int | None) -> None:
        project = self._session.project
        if project is None:
            self._session.tell(
                UserError(
                    "There is no project to add these images to.",
                    remedy="Make one with File > New project, then drop them again.",
                    code="no_project",
                )
            )
            return
        if self.busy:
            self._session.tell(
                Notice("warning", "Files are still being read.", "Drop these once that is done.")
            )
            return
        self._started_s = time.monotonic()
        self._told_s = 0.0
        self._task = self._session.work(
            lambda report: read_files(paths, report, project.images_folder),
            lambda answer: self._take_files(project, answer, class_id),
            self._show_progress,
            priority=1,
        )

    def _show_progress(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._started_s < SHOW_AFTER_S or now - self._told_s < BETWEEN_NOTICES_S:
            return
        self._told_s = now
        stage = f"Reading files: {done} of {total}." if total else "Looking for files…"
        self._session.tell(Notice("info", stage, "", CANCEL_IMPORT, "Cancel", key=_KEY))

    def _take_files(self, project: Project, answer: Answer, class_id: int | None) -> None:
        if self._is_wanted(project, answer):
            read: FilesRead = answer.value
            self._grouping.decide(
                project, read, lambda rule: self._add(project, read, rule, class_id), self._give_up
            )

    def _is_wanted(self, project: Project, answer: Answer) -> bool:
        """Say what went wrong, if anything did, and whether there is something to go on with."""
        self._task = None
        if answer.error is not None:
            self._session.tell(answer.error)
        elif answer.cancelled:
            self._give_up()
        else:
            return self._session.project is project
        return False

    def _give_up(self) -> None:
        self._session.tell(Notice("info", "Reading was cancelled; nothing was added.", key=_KEY))

    def _add(self, project: Project, read: FilesRead, rule: PatientRule, class_id: int | None) -> None:
        if self._session.project is not project:
            return
        self._task = self._session.work(
            lambda report: plan_groups(project, read, rule, report),
            lambda answer: self._take_plan(project, answer, class_id),
            self._show_progress,
            priority=1,
        )

    def _take_plan(self, project: Project, answer: Answer, class_id: int | None) -> None:
        if self._is_wanted(project, answer):
            self._apply(answer.value, class_id)

    def _apply(self, plan: ImportPlan, class_id: int | None) -> None:
        project = self._session.project
        assert project is not None
        if plan.images:
            self._session.undo_stack.beginMacro(apply_import(project, plan).title)
            self._session.do(apply_import(project, plan))
            if class_id is not None:
                self._label(plan, class_id)
            self._session.undo_stack.endMacro()
            self.imported.emit()
        else:
            if (changes := known_changes(project, plan)) is not None:
                self._session.do(changes)
            if class_id is not None:
                self._label(plan, class_id)
        self._session.tell(outcome(plan))

    def _label(self, plan: ImportPlan, class_id: int) -> None:
        project = self._session.project
        assert project is not None
        hashes = {(image.sha256, image.frame) for image in plan.images}
        ids = [image.id for image in project.images() if (image.sha256, image.frame) in hashes]
        names = {known.id: known.name for known in project.classes()}
        if class_id not in names:
            self._session.tell(
                Notice("warning", "The class was removed while files were read, so the images have no label.")
            )
        elif ids and self._session.reader:
            self._session.do(set_readings(self._session.reader, ids, class_id))
        elif ids:
            self._session.do(set_labels(ids, class_id, names[class_id]))


def outcome(plan: ImportPlan) -> Notice:
    """Return the notice that sums an import up."""
    if plan.refused and not plan.images and not plan.known:
        return Notice("error", f"Nothing could be read: {plan.refused[0].sentence}", key=_KEY)
    kind: NoticeKind = "warning" if plan.refused or plan.warnings or plan.notes else "success"
    return Notice(kind, summary(plan), " ".join(_more(plan)), key=_KEY)


def _more(plan: ImportPlan) -> Iterator[str]:
    """Say what was refused, by the first of it, what is to be wary of, and that series are irregular."""
    irregular = warning(plan.series)
    if plan.refused:
        rest = len(plan.refused) - 1
        yield f"Refused: {plan.refused[0].sentence}" + (f" And {rest} more." if rest else "")
    yield from (said for said in plan.warnings if said != irregular)
    yield from plan.notes
    if words := left_out_words(plan):
        yield words
    if irregular:
        yield irregular
