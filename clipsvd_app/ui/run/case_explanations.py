"""Explaining single cases of a run in the engine; answers are kept while the project is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from clipsvd_app.domain.results.explanation import CaseExplanation
from clipsvd_app.services.adapters.application import prepare_explain, run_backbone
from clipsvd_app.services.runs.explanations import loose_image
from clipsvd_app.services.runs.run_views import views_of_run
from clipsvd_app.ui.session.jobs import EngineJob, answer_of

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.ui.session.session import Session


class CaseExplainer(QObject):
    """Keeps answers; a second wish for the same one waits for the first.

    Signals: ``explained(run number, CaseExplanation)``, ``pending_changed(image id)``,
    ``advanced(image id)`` when there is progress to show.
    """

    explained = Signal(int, object)
    pending_changed = Signal(int)
    advanced = Signal(int)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._known: dict[tuple[int, int], CaseExplanation] = {}
        self._pending: dict[tuple[int, int], EngineJob[CaseExplanation]] = {}
        self._loose: dict[int, ProjectImage] = {}
        session.project_opened.connect(self._forget)

    def known(self, run: int, image_id: int) -> CaseExplanation | None:
        """Return an explanation that is there already."""
        return self._known.get((run, image_id))

    def pending(self, run: int, image_id: int) -> bool:
        """Whether one is being made."""
        return (run, image_id) in self._pending

    def progress(self, run: int, image_id: int) -> tuple[str, int, int] | None:
        """Return stage, done and total of one that is being made."""
        job = self._pending.get((run, image_id))
        return None if job is None else job.stage

    def image(self, run: int, image_id: int) -> ProjectImage | None:
        """Return an image as the run saw it, or a file that was only dropped; None when it is gone."""
        if image_id in self._loose:
            return self._loose[image_id]
        project = self._session.project
        found = project.images([image_id]) if project is not None else ()
        return views_of_run(project, run).seen(found[0]) if project is not None and found else None

    def take_file(self, path: Path) -> int:
        """Return the id of the image with this path, or a negative one for a file outside the project."""
        wanted = str(path.resolve())
        for image in self._session.images():
            if image.path in (wanted, str(path)):
                return image.id
        for number, image in self._loose.items():
            if image.path == wanted:
                return number
        number = -1 - len(self._loose)
        self._loose[number] = loose_image(path.resolve(), number)
        return number

    def explain(self, run: int, image_id: int, *, occlusion: bool = False) -> None:
        """Explain a case, once; with ``occlusion`` again if the map of hidden patches is not there yet."""
        project, key = self._session.project, (run, image_id)
        image = self.image(run, image_id)
        if project is None or image is None or key in self._pending:
            return
        known = self._known.get(key)
        if known is not None and not (occlusion and all(found.kind != "occlusion" for found in known.maps)):
            self.explained.emit(run, known)
            return
        session = self._session
        job = session.jobs.run(
            EngineJob(
                key="case",
                make=lambda: prepare_explain(
                    project,
                    run,
                    image,
                    run_backbone(project, run, session.settings),
                    session.device,
                    occlusion=occlusion,
                ),
                read=answer_of(CaseExplanation),
                take=lambda explanation: self._take(key, explanation),
                ended=lambda: self._end(key),
                advanced=lambda _stage: self.advanced.emit(image_id),
            )
        )
        if job is not None:
            self._pending[key] = job
            self.pending_changed.emit(image_id)

    def cancel(self, run: int, image_id: int) -> None:
        """Stop explaining a case."""
        self._session.jobs.cancel(self._pending.get((run, image_id)))

    def _end(self, key: tuple[int, int]) -> None:
        del self._pending[key]
        self.pending_changed.emit(key[1])

    def _take(self, key: tuple[int, int], explanation: CaseExplanation) -> None:
        self._known[key] = explanation
        self.explained.emit(key[0], explanation)
        self.pending_changed.emit(key[1])

    def _forget(self) -> None:
        self._known.clear()
        self._loose.clear()
