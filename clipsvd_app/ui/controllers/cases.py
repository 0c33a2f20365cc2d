"""Explaining single cases of a run in the engine; answers are kept while the run is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from clipsvd_app.domain.explanation import CaseExplanation
from clipsvd_app.errors import UserError
from clipsvd_app.jobs import Failed, Finished, read_result
from clipsvd_app.services.applying import prepare_explain, run_backbone
from clipsvd_app.services.job_folders import forget_job
from clipsvd_app.services.run_views import views_of_run
from clipsvd_app.ui.notices import Notice

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.jobs import CancelledEvent
    from clipsvd_app.ui.session import Session


class CaseExplainer(QObject):
    """Signals: ``explained(run number, CaseExplanation)``, ``pending_changed(image id)``."""

    explained = Signal(int, object)
    pending_changed = Signal(int)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._known: dict[tuple[int, int], CaseExplanation] = {}
        self._pending: set[tuple[int, int]] = set()
        session.project_opened.connect(self._known.clear)

    def known(self, run: int, image_id: int) -> CaseExplanation | None:
        """Return an explanation that is there already."""
        return self._known.get((run, image_id))

    def pending(self, run: int, image_id: int) -> bool:
        """Whether one is being made."""
        return (run, image_id) in self._pending

    def explain(self, run: int, image_id: int) -> None:
        """Explain a case, once."""
        project, key = self._session.project, (run, image_id)
        if project is None or key in self._pending:
            return
        if key in self._known:
            self.explained.emit(run, self._known[key])
            return
        try:
            (image,) = map(views_of_run(project, run).seen, project.images([image_id]))
            backbone = run_backbone(project, run, self._session.settings)
            folder = prepare_explain(project, run, image, backbone, self._session.device)
        except UserError as error:
            self._session.tell(error)
            return
        self._pending.add(key)
        self.pending_changed.emit(image_id)
        self._session.engine.submit(folder, lambda event: self._take(key, folder, event))

    def _take(self, key: tuple[int, int], folder: Path, event: Finished | Failed | CancelledEvent) -> None:
        self._pending.discard(key)
        if isinstance(event, Finished):
            explanation = read_result(folder, CaseExplanation)
            self._known[key] = explanation
            self.explained.emit(key[0], explanation)
        elif isinstance(event, Failed):
            self._session.tell(Notice("error", event.message, event.remedy, key=event.code))
        forget_job(folder)
        self.pending_changed.emit(key[1])
