"""Explaining a stored run again, and the phrases in which that is done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.corpus import check_pack
from clipsvd_app.errors import UserError
from clipsvd_app.services.adapters.application import run_backbone
from clipsvd_app.services.models import phrase_packs
from clipsvd_app.services.runs.explanations import prepare_explain_run, record_explanation
from clipsvd_app.ui.explain.state import PacksState
from clipsvd_app.ui.session.jobs import WAITING, EngineJob
from clipsvd_app.ui.session.notices import Notice
from clipsvd_app.ui.session.state import LongJob

if TYPE_CHECKING:
    from clipsvd_app.domain.results.explanation import RunExplanation
    from clipsvd_app.ui.explain.controller import ExplainController
    from clipsvd_app.ui.explain.page import ExplainPage
    from clipsvd_app.ui.session.session import Session

_KEY = "explain-again"


class ExplainAgainController(QObject):
    """One run at a time; the run before keeps its explanation until the new one is there."""

    def __init__(self, session: Session, page: ExplainPage, explaining: ExplainController) -> None:
        super().__init__(page)
        self._session, self._page, self._explaining = session, page, explaining
        self._job: EngineJob[RunExplanation] | None = None
        self._stopped = False
        page.explain_again.connect(self.explain)
        page.change.cancel_requested.connect(self.cancel)
        page.pack_dropped.connect(self.take_pack)
        page.trust.packs.remove_requested.connect(self.remove_pack)
        page.trust.packs.set_state(PacksState(phrase_packs.list_packs()))

    def explain(self) -> None:
        """Explain the displayed run again, from its stored adapter."""
        project, run = self._session.project, self._session.run.number
        if project is None or run is None or self._session.jobs.runs(self._job):
            return
        session = self._session
        self._stopped = False
        self._job = session.jobs.run(
            EngineJob(
                key=_KEY,
                make=lambda: prepare_explain_run(
                    project, run, run_backbone(project, run, session.settings), session.device
                ),
                read=lambda folder: record_explanation(project, run, folder),
                take=lambda _found: self._take(run),
                ended=lambda: self._page.change.set_progress(None),
                cancelled=lambda: self._on_cancelled(run),
                advanced=self._page.change.set_progress,
                shown=LongJob(
                    "explain", f"Explaining run {run} again", "The run keeps its current explanation."
                ),
            )
        )
        if self._job is not None:
            self._page.show_tab("change")
            self._page.change.set_progress(WAITING)

    def cancel(self) -> None:
        """Stop; the explanation that was there stays."""
        self._stopped = True
        self._session.jobs.cancel(self._job)

    def take_pack(self, path: str) -> None:
        """Check a pack of phrases and keep it, or show what is wrong with it."""
        self._page.show_tab("trust")
        try:
            report = check_pack(Path(path))
            if not report.is_usable:
                self._page.trust.packs.set_state(PacksState(phrase_packs.list_packs(), refused=report))
                return
            phrase_packs.add_pack(Path(path))
        except UserError as error:
            self._session.tell(error, "packs")
            return
        self._session.settle("packs")
        added = phrase_packs.name_kept(Path(path))
        self._page.trust.packs.set_state(PacksState(phrase_packs.list_packs(), added=added))

    def remove_pack(self, name: str) -> None:
        """Take a pack away."""
        try:
            phrase_packs.remove_pack(name)
        except UserError as error:
            self._session.tell(error, "packs")
        else:
            self._session.settle("packs")
        self._page.trust.packs.set_state(PacksState(phrase_packs.list_packs()))

    def _on_cancelled(self, run: int) -> None:
        if not self._stopped:
            self._session.tell(
                Notice(
                    "info", f"The new explanation of run {run} was stopped.", "Another project was opened."
                )
            )

    def _take(self, run: int) -> None:
        if self._session.run.number == run:
            self._session.run.reread()
            self._explaining.refresh()
        self._session.tell(Notice("success", f"The explanation of run {run} was updated.", key=_KEY))
