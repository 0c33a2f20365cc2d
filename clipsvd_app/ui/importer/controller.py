"""Whatever is dropped on the window: studies, a project, or an adapter."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from clipsvd_app.adapter_file.names import SUFFIXES
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.project import SUFFIX
from clipsvd_app.services.labels.class_folders import chosen_files, class_folders, labels_by_content
from clipsvd_app.services.labels.labels import set_labels
from clipsvd_app.services.labels.second_reader import set_readings
from clipsvd_app.services.studies.found_files import read_files
from clipsvd_app.services.studies.import_plan import (
    ImportPlan,
    labelled_import,
    left_out_words,
    plan_groups,
    summary,
)
from clipsvd_app.services.studies.series_reports import warning
from clipsvd_app.ui.importer.rule_change import IMPORT_KEY, RegroupingController
from clipsvd_app.ui.session.notices import Notice, NoticeKind
from clipsvd_app.ui.session.state import LongJob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from clipsvd_app.project import Project
    from clipsvd_app.services.labels.class_folders import ClassFolders, FolderChoice
    from clipsvd_app.services.studies.found_files import FilesRead
    from clipsvd_app.services.studies.patient_rules import PatientRule
    from clipsvd_app.ui.importer.patient_question import GroupingController
    from clipsvd_app.ui.session.background import Answer, Task
    from clipsvd_app.ui.session.session import Session
    from clipsvd_app.ui.session.undo import ChangeCommand

    Labels = Mapping[tuple[str, int], str]

CANCEL_IMPORT = "import.cancel"
SHOW_AFTER_S = 0.6
BETWEEN_NOTICES_S = 0.25
_KEY, _BUSY = IMPORT_KEY, "import-busy"
_SHOWN = LongJob("label", "Reading files", "No files have been added yet.")


class ImportController(QObject):
    """Signals: ``adapter_dropped(str)`` a path, ``imported()`` when images were added.

    ``project_wanted(list of paths)``: images were dropped, and there is no project.
    """

    adapter_dropped = Signal(str)
    imported = Signal()
    project_wanted = Signal(object)

    def __init__(self, session: Session, grouping: GroupingController, parent: QObject | None = None) -> None:
        super().__init__(parent or session)
        self._session, self._grouping = session, grouping
        self._task: Task | None = None  # may be cancelled
        self._adding: Task | None = None  # may not: it is written whole
        self.regrouping = RegroupingController(session, grouping)
        self._started_s = self._told_s = 0.0
        session.project_opened.connect(grouping.dismiss)

    @property
    def busy(self) -> bool:
        """Whether files are being read, or the user is asked about them."""
        under_way = self._task is not None or self._adding is not None
        return under_way or self.regrouping.busy or self._grouping.dialog is not None

    def take(self, paths: Sequence[str], class_id: int | None = None) -> None:
        """Open what was dropped, and import what else there is; a class labels all images, known ones too."""
        projects = [path for path in paths if path.lower().endswith(SUFFIX)]
        adapters = [path for path in paths if path.lower().endswith(SUFFIXES)]
        pictures = [Path(path) for path in paths if path not in projects and path not in adapters]
        if projects and not self._session.open_project(Path(projects[0])):
            return
        if adapters:
            self.adapter_dropped.emit(adapters[0])
        for opened, *others in filter(None, (projects, adapters)):
            self._tell_others(opened, others)
        if pictures:
            self._import(pictures, None if projects else class_id)

    def _tell_others(self, opened: str, others: Sequence[str]) -> None:
        """Say which of several projects or adapters was opened: one is open at a time."""
        if others:
            names = ", ".join(Path(path).name for path in others)
            self._session.tell(
                Notice(
                    "warning",
                    f"Only {Path(opened).name} was opened, not {names}.",
                    "Open one project or adapter at a time.",
                    key=_KEY,
                )
            )

    def cancel(self) -> None:
        """Stop reading; nothing has been added yet."""
        if self._task is not None:
            self._task.cancel()

    def _import(self, paths: list[Path], class_id: int | None) -> None:
        project = self._session.project
        if project is None:
            self.project_wanted.emit(paths)
            return
        if self.busy:
            self._session.tell(
                Notice("warning", "Files are still being read.", "Try again when they are done.", key=_BUSY)
            )
            return
        self._started_s = time.monotonic()
        self._told_s = 0.0
        may_label = class_id is None and not self._session.reader

        def look(report: Callable[[int, int], None]) -> tuple[FilesRead, ClassFolders | None, bool]:
            read = read_files(paths, report, project.images_folder)
            folders = class_folders(paths, read, project.images_folder) if may_label else None
            return read, folders, self._grouping.is_open(project, read, folders)

        self._task = self._session.work(
            look,
            lambda answer: self._take_files(project, answer, class_id),
            self._show_progress,
            priority=1,
            shown=_SHOWN,
        )

    def _show_progress(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._started_s < SHOW_AFTER_S or now - self._told_s < BETWEEN_NOTICES_S:
            return
        self._told_s = now
        stage = f"Reading files: {done:,} of {total:,}." if total else "Searching for files…"
        self._session.tell(Notice("info", stage, "", CANCEL_IMPORT, "Cancel", _KEY, (done, total)))

    def _take_files(self, project: Project, answer: Answer, class_id: int | None) -> None:
        if self._is_wanted(project, answer):
            read, folders, is_open = answer.value
            self._grouping.decide(
                project,
                read,
                folders,
                is_open,
                lambda rule, choice: self._add_chosen(project, read, folders, rule, choice, class_id),
                self._give_up,
            )

    def _add_chosen(
        self,
        project: Project,
        read: FilesRead,
        folders: ClassFolders | None,
        rule: PatientRule,
        choice: FolderChoice,
        class_id: int | None,
    ) -> None:
        if folders is None:
            self._add(project, read, rule, class_id, {})
        else:
            chosen = chosen_files(read, folders, choice)
            self._add(project, chosen, rule, class_id, labels_by_content(chosen, folders, choice))

    def _is_wanted(self, project: Project, answer: Answer) -> bool:
        """Say what went wrong, if anything did, and whether there is something to resume."""
        self._task = None
        if answer.error is not None:
            self._session.tell(answer.error, _KEY)
        elif answer.cancelled:
            self._give_up()
        else:
            self._session.settle(_KEY)
            self._session.settle(_BUSY)
            return self._session.project is project
        return False

    def _give_up(self) -> None:
        self._session.tell(Notice("info", "Cancelled. No files were added.", key=_KEY))

    def _add(
        self, project: Project, read: FilesRead, rule: PatientRule, class_id: int | None, labels: Labels
    ) -> None:
        if self._session.project is not project:
            return
        again = rule if self._grouping.used_again else None

        def take(answer: Answer) -> None:
            if self._is_wanted(project, answer):
                plan = answer.value
                self._carry_out(
                    project,
                    plan,
                    class_id,
                    labels,
                    lambda told: self._session.tell(self.regrouping.offer(told, read, plan, again)),
                )

        self._task = self._session.work(
            lambda report: plan_groups(project, read, rule, report),
            take,
            self._show_progress,
            priority=1,
            shown=_SHOWN,
        )

    def _carry_out(
        self,
        project: Project,
        plan: ImportPlan,
        class_id: int | None,
        labels: Labels,
        tell: Callable[[Notice], None],
    ) -> None:
        """Add what the plan holds in a thread; then label it, as one step with the adding."""
        changes = labelled_import(project, plan, labels)
        if changes is None:
            tell(outcome(plan, self._labelled(plan, class_id, labels)))
            return

        def take(command: ChangeCommand | None) -> None:
            self._adding = None
            if command is None:
                return
            undo = self._session.undo_stack
            if class_id is not None:
                undo.beginMacro(command.text())
            undo.push(command)
            labelled = self._labelled(plan, class_id, labels)
            if class_id is not None:
                undo.endMacro()
            if plan.images:
                self.imported.emit()
            tell(outcome(plan, labelled))

        self._adding = self._session.do_apart(changes, take, _SHOWN)

    def _labelled(self, plan: ImportPlan, class_id: int | None, labels: Labels) -> str:
        return self._label(plan, class_id) if class_id is not None else labelled_words(labels)

    def _label(self, plan: ImportPlan, class_id: int) -> str:
        """Label whatever was read, new or known, and say how much that was."""
        project = self._session.project
        assert project is not None
        read = set(plan.read)
        ids = [image.id for image in project.images() if (image.sha256, image.frame) in read]
        names = {known.id: known.name for known in project.classes()}
        if class_id not in names:
            return "The class was removed during import, so the images are unlabelled."
        if not ids:
            return ""
        if self._session.reader:
            self._session.do(set_readings(self._session.reader, ids, class_id))
        else:
            self._session.do(set_labels(ids, class_id, names[class_id]))
        return f"{counted(len(ids), 'image')} labelled “{names[class_id]}”."


def labelled_words(labels: Labels) -> str:
    """Say how many images have the class of their folder, "" where none has."""
    counts = Counter(labels.values())
    return (
        f"Labelled by folder: {', '.join(f'{name} {count:,}' for name, count in counts.items())}."
        if counts
        else ""
    )


def told_outcome(plan: ImportPlan, labelled: str) -> Notice:
    """Return the notice that sums an import up where a page has said what is left out and who is who."""
    said = " ".join(warning for warning in plan.warnings if warning not in plan.doubts)
    return Notice("warning" if said else "success", f"{labelled} {summary(plan)}".strip(), said, key=_KEY)


def outcome(plan: ImportPlan, labelled: str = "") -> Notice:
    """Return the notice that sums an import up. labelled: what became of the class it was dropped on."""
    if plan.refused and not plan.images and not plan.known:
        return Notice("error", f"No file could be read: {plan.refused[0].sentence}", key=_KEY)
    kind: NoticeKind = "warning" if plan.refused or plan.warnings or plan.notes else "success"
    return Notice(kind, f"{labelled} {summary(plan)}".strip(), " ".join(_more(plan)), key=_KEY)


def _more(plan: ImportPlan) -> Iterator[str]:
    """Say what was refused, by the first of it, what is to be wary of, and that series are irregular."""
    irregular = warning(plan.series)
    if plan.refused:
        rest = len(plan.refused) - 1
        yield f"Refused: {plan.refused[0].sentence}" + (f" And {rest:,} more." if rest else "")
    yield from (said for said in plan.warnings if said != irregular)
    yield from plan.notes
    if words := left_out_words(plan):
        yield words
    if irregular:
        yield irregular
