"""Getting backbones: from a folder or file, from the hub when asked, and letting them go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from clipsvd_app.errors import UserError
from clipsvd_app.jobs.answers import AddBackboneResult
from clipsvd_app.network.fetching.published import BIOMEDCLIP
from clipsvd_app.services.files.job_folders import forget_job
from clipsvd_app.services.models import backbones, download
from clipsvd_app.ui.session.jobs import EngineJob, answer_of
from clipsvd_app.ui.session.notices import GONE_CODE, Notice, failure_notice
from clipsvd_app.ui.session.state import LongJob
from clipsvd_app.ui.settings.state import BackboneActivity, BackboneWork, FetchOffer

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipsvd_app.jobs.lines import Failed
    from clipsvd_app.network.fetching.published import Published
    from clipsvd_app.services.models.download import Arrived
    from clipsvd_app.ui.session.background import Answer, Task
    from clipsvd_app.ui.session.session import Session
    from clipsvd_app.ui.settings.page import SettingsPage

_IF_CLOSED = "The downloaded part is kept. You can resume the download later."
KILOBYTE, MEGABYTE = 1000, 1_000_000


class BackbonesController(QObject):
    """One backbone at a time is fetched, checked and copied; the page shows how far it is.

    Signal: ``offer_changed()`` when a fetch has left something to resume.
    """

    offer_changed = Signal()

    def __init__(
        self,
        session: Session,
        page: SettingsPage,
        fetch: Callable[[Published, Arrived], Path] = download.fetch,
        model: Published = BIOMEDCLIP,
    ) -> None:
        super().__init__(page)
        self._session, self._page, self._fetch_model, self._model = session, page, fetch, model
        self._activity = BackboneActivity()
        self._task: Task | None = None
        self._job: EngineJob[AddBackboneResult] | None = None
        page.backbones.path_chosen.connect(self.add)
        page.backbones.fetch_requested.connect(self.fetch)
        page.backbones.cancel_requested.connect(self.cancel)
        page.backbones.remove_requested.connect(self.remove)

    def offer(self) -> FetchOffer | None:
        """Return what can be fetched; None once it is here."""
        model = self._model
        if any(name == model.name for name, _ in self._session.settings.backbones):
            return None
        begun = download.has_begun(model)
        size = f"{model.size_bytes / MEGABYTE:,.0f} MB"
        return FetchOffer(
            button=f"Resume downloading {model.title}…" if begun else f"Download {model.title}…",
            question=f"Resume downloading {model.title}?" if begun else f"Download {model.title}?",
            words=f"{size} will be downloaded from {download.host()}: {model.repository} at revision"
            f" {model.revision[:12]}, licence {model.licence}. None of your images or labels are sent."
            + (" The part already downloaded is kept." if begun else ""),
            confirm="Resume" if begun else f"Download {size}",
        )

    def add(self, path: str) -> None:
        """Check a folder or weights file and copy it."""
        job = self._prepare(Path(path), "")
        if job is not None:
            self._submit(job, f"Adding “{backbones.suggested_name(Path(path))}”", fetched=None)

    def fetch(self) -> None:
        """Fetch the published model, then check and convert it."""
        job = self._prepare(download.folder_of(self._model), self._model.name)
        if job is None:
            return
        self._show(BackboneActivity(BackboneWork(f"Downloading {self._model.title}", "Connecting")))
        self._task = self._session.fetches.run(
            lambda report: self._fetch_model(
                self._model, lambda _file, done, total: report(done // KILOBYTE, total // KILOBYTE)
            ),
            lambda answer: self._fetched(job, answer),
            self._show_bytes,
        )

    def cancel(self) -> None:
        """Stop what is under way; a part that was fetched stays."""
        if self._activity.work is not None:
            self._show(BackboneActivity(replace(self._activity.work, cancelling=True)))
        if self._task is not None:
            self._task.cancel()
        self._session.jobs.cancel(self._job)

    def remove(self, name: str) -> None:
        """Forget a backbone, and delete its folder if the program wrote it."""
        try:
            self._session.change_settings(backbones.remove(self._session.settings, name))
        except UserError as error:
            self._session.tell(error, "backbone")
        else:
            self._session.settle("backbone")

    def _prepare(self, source: Path, name: str) -> Path | None:
        try:
            return backbones.prepare_add(source, name)
        except UserError as error:
            self._fail(error.message, error.remedy)
            return None

    def _fetched(self, job: Path, answer: Answer) -> None:
        self._task = None
        if answer.value is not None:
            self._submit(job, f"Adding {self._model.title}", fetched=self._model)
            return
        forget_job(job)
        if answer.error is not None:
            self._fail(answer.error.message, answer.error.remedy)
        else:
            self._show(BackboneActivity())
        self.offer_changed.emit()

    def _submit(self, job: Path, title: str, fetched: Published | None) -> None:
        self._show(BackboneActivity(BackboneWork(title, "Starting")))
        self._job = self._session.jobs.run(
            EngineJob(
                key="backbone",
                make=lambda: job,
                read=answer_of(AddBackboneResult),
                take=lambda result: self._take(result, fetched),
                ended=lambda: self._show(BackboneActivity()),
                failed=self._on_failed,
                advanced=lambda stage: self._show_progress(*stage),
                outlives_project=True,
            )
        )

    def _take(self, result: AddBackboneResult, fetched: Published | None) -> None:
        if fetched is not None:
            download.forget(fetched)
        self._session.change_settings(backbones.record_added(self._session.settings, result))
        words = f"Added the backbone “{result.name}”."
        self._session.tell(Notice("success", words, " ".join(result.notes), key="backbone"))

    def _on_failed(self, failed: Failed) -> None:
        if failed.code == GONE_CODE:
            self._session.tell(failure_notice(failed))
        self._fail(failed.message, failed.remedy)

    def _show_bytes(self, done_kb: int, total_kb: int) -> None:
        work = self._activity.work
        if work is None or not total_kb:
            return
        amount = f"{done_kb / KILOBYTE:,.0f} of {total_kb / KILOBYTE:,.0f} MB"
        stage = f"From {download.host()}" if done_kb < total_kb else "Verifying the download"
        self._show(BackboneActivity(replace(work, stage=stage, amount=amount, done=done_kb, total=total_kb)))

    def _show_progress(self, stage: str, done: int, total: int) -> None:
        work = self._activity.work
        if work is not None:
            total = total if total > 1 else 0  # a stage of one step has no known end
            now = replace(work, stage=stage, amount="", done=done, total=total)
            self._show(BackboneActivity(now))

    def _fail(self, message: str, remedy: str) -> None:
        if not self._page.isVisible():
            self._session.tell(Notice("error", message, remedy, key="backbone"))
        self._show(BackboneActivity(error=message, remedy=remedy))

    def _show(self, activity: BackboneActivity) -> None:
        work, jobs = activity.work, self._session.long_jobs
        if work is None:
            jobs.end(self)
        elif self._activity.work is None or self._activity.work.title != work.title:
            jobs.begin(self, LongJob("settings", work.title, _IF_CLOSED))
        else:
            jobs.advance(self, work.stage, work.done, work.total)
        self._activity = activity
        self._page.backbones.set_activity(activity)
