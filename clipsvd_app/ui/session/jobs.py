"""One way to have the engine do something: a folder, a request, and one answer that somebody still wants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from clipsvd_app.errors import UserError
from clipsvd_app.jobs.folders import read_result
from clipsvd_app.jobs.lines import Failed, Finished, Progress
from clipsvd_app.services.files.job_folders import forget_job
from clipsvd_app.ui.session.notices import failure_notice
from clipsvd_app.ui.session.state import LongJob

if TYPE_CHECKING:
    from clipsvd_app.jobs.lines import CancelledEvent
    from clipsvd_app.ui.session.session import Session

T = TypeVar("T")
Stage = tuple[str, int, int]
"""What is being done, steps done in it, their number."""
WAITING: Stage = ("Waiting for the engine", 0, 0)


def answer_of(kind: type[T]) -> Callable[[Path], T]:
    """Return how an answer of this kind is read from the folder of a finished job."""
    return lambda folder: read_result(folder, kind)


@dataclass(slots=True, eq=False, kw_only=True)
class EngineJob(Generic[T]):
    """What is asked of the engine and what becomes of the answer; afterwards, how far it is.

    ``make`` writes the request and returns its folder, None where there is nothing to ask. ``read`` takes
    the answer out of the folder, or records it in the project that it was made for; ``take`` is given what
    it returned. What goes wrong becomes a notice of the kind of action ``key``, unless ``failed`` says it
    otherwise. ``ended`` is called before any of these, whatever the end. A job that ``outlives_project``
    goes on when another one is opened; the others have been ``cancelled`` then. One that is ``shown`` is
    seen on every page, and closing asks about it.
    """

    key: str
    make: Callable[[], Path | None]
    read: Callable[[Path], T]
    take: Callable[[T], object]
    ended: Callable[[], object] = lambda: None
    failed: Callable[[Failed], object] | None = None
    cancelled: Callable[[], object] = lambda: None
    advanced: Callable[[Stage], object] = lambda _stage: None
    reported: Callable[[Progress], object] = lambda _progress: None
    interim: Callable[[], None] = lambda: None
    outlives_project: bool = False
    shown: LongJob | None = None
    stage: Stage = field(default=WAITING, init=False)
    folder: Path = field(init=False)
    number: int = field(default=0, init=False)
    is_running: bool = field(default=False, init=False)


class EngineJobs:
    """The jobs of a session that are under way."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._running: set[EngineJob[Any]] = set()

    def run(self, job: EngineJob[T]) -> EngineJob[T] | None:
        """Begin a job; None where there is nothing to ask, or its request failed, which is told."""
        try:
            folder = job.make()
        except UserError as error:
            self._session.tell(error, job.key)
            return None
        if folder is None:
            return None
        job.folder, job.is_running = folder, True
        self._running.add(job)
        if job.shown is not None:
            self._session.long_jobs.begin(job, job.shown)
        job.number = self._session.engine.submit(
            job.folder,
            lambda event: self._end(job, event),
            lambda progress: self._advance(job, progress),
            lambda: job.interim() if job.is_running else None,
        )
        return job

    def runs(self, job: EngineJob[Any] | None) -> bool:
        """Whether there is such a job, and it has not ended."""
        return job is not None and job.is_running

    def cancel(self, job: EngineJob[Any] | None) -> None:
        """Ask a job to stop; nothing happens when there is none."""
        if job is not None and job.is_running:
            self._session.engine.cancel(job.number)

    def drop(self, job: EngineJob[Any] | None) -> None:
        """Stop a job whose end nobody wants to know of any more."""
        if job is not None and job.is_running:
            self._let_go(job)
            self._session.engine.cancel(job.number)

    def leave_project(self) -> None:
        """End what was asked for in the project that is about to be closed, as if it had been cancelled."""
        for job in [job for job in self._running if not job.outlives_project]:
            self.drop(job)
            job.ended()
            job.cancelled()

    def close(self) -> None:
        """Wait for nothing any more: the engine ends."""
        self._running.clear()

    def _let_go(self, job: EngineJob[Any]) -> None:
        job.is_running = False
        self._running.discard(job)
        self._session.long_jobs.end(job)

    def _advance(self, job: EngineJob[Any], progress: Progress) -> None:
        if job.is_running:
            job.stage = (progress.stage, progress.done, progress.total)
            self._session.long_jobs.advance(job, *job.stage)
            job.advanced(job.stage)
            job.reported(progress)

    def _end(self, job: EngineJob[Any], event: Finished | Failed | CancelledEvent) -> None:
        try:
            if job.is_running:
                self._let_go(job)
                job.ended()
                self._answer(job, event)
        finally:
            forget_job(job.folder)

    def _answer(self, job: EngineJob[Any], event: Finished | Failed | CancelledEvent) -> None:
        if isinstance(event, Failed):
            if job.failed is None:
                self._session.tell(failure_notice(event, job.key))
            else:
                job.failed(event)
        elif isinstance(event, Finished):
            try:
                found = job.read(job.folder)
            except UserError as error:
                self._session.tell(error, job.key)
            else:
                self._session.settle(job.key)
                job.take(found)
        else:
            job.cancelled()
