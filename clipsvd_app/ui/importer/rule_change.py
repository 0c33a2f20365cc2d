"""Offering another rule for images that were just added by the patient rule of before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.services.studies.rule_change import added_by, again_sentence, plan_regrouping
from clipsvd_app.ui.session.notices import Notice

if TYPE_CHECKING:
    from clipsvd_app.project import Project
    from clipsvd_app.services.studies.found_files import FilesRead
    from clipsvd_app.services.studies.import_plan import ImportPlan
    from clipsvd_app.services.studies.patient_rules import PatientRule
    from clipsvd_app.services.studies.rule_change import Added
    from clipsvd_app.ui.importer.patient_question import GroupingController
    from clipsvd_app.ui.session.background import Answer, Task
    from clipsvd_app.ui.session.session import Session

CHANGE_PATIENTS = "import.patients"
IMPORT_KEY = "import"


class RegroupingController(QObject):
    """Remembers what the last import added by a rule of before, until another one or another project."""

    def __init__(self, session: Session, grouping: GroupingController) -> None:
        super().__init__(session)
        self._session, self._grouping = session, grouping
        self._added: Added | None = None
        self._told = Notice("info", "")
        self._task: Task | None = None
        session.project_left.connect(self._forget)  # before its dialog is dismissed, which would offer again

    @property
    def busy(self) -> bool:
        """Whether images are being grouped again."""
        return self._task is not None

    def offer(self, told: Notice, read: FilesRead, plan: ImportPlan, again: PatientRule | None) -> Notice:
        """Return what an import is told with; where a rule was used ``again``, with a way to change it."""
        self._forget()
        if again is None or not plan.images:
            return told
        self._added = added_by(read, plan)
        said = f"{again_sentence(plan, again)} {told.remedy}".strip()
        self._told = replace(told, remedy=said, action=CHANGE_PATIENTS, action_text="Change patients…")
        return self._told

    def change(self) -> None:
        """Ask whose the images are, with the groups in view, and group them so."""
        project, added = self._session.project, self._added
        if project is None or added is None or self.busy or self._grouping.dialog is not None:
            return
        ids = added.ids(project)
        if not ids:
            self._session.tell(Notice("info", "These images are no longer in the project.", key=IMPORT_KEY))
            return
        self._grouping.ask_anew(
            project,
            added.read,
            ids,
            lambda rule: self._group(project, added, rule),
            lambda: self._session.tell(self._told) if self._added is added else None,
        )

    def _group(self, project: Project, added: Added, rule: PatientRule) -> None:
        if self._session.project is project:
            self._task = self._session.work(
                lambda report: plan_regrouping(project, added, rule, report),
                lambda answer: self._take(project, answer, rule),
                priority=1,
            )

    def _take(self, project: Project, answer: Answer, rule: PatientRule) -> None:
        self._task = None
        if answer.error is not None:
            self._session.tell(answer.error, IMPORT_KEY)
        elif answer.value is not None and self._session.project is project:
            images, change = answer.value
            if self._session.do(change):
                self._session.tell(_done(len(images), len({image.patient_key for image in images}), rule))

    def _forget(self) -> None:
        self._added = None


def _done(images: int, patients: int, rule: PatientRule) -> Notice:
    told = f"{counted(images, 'image is', 'images are')} now assigned to {counted(patients, 'patient')}"
    words = f"{told}, by {rule.words}."
    return Notice("success", words, "You can undo this.", key=IMPORT_KEY)
