"""What is under way: the long jobs that every page shows, and that closing the window would end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from collections.abc import Hashable

    from clipsvd_app.ui.session.state import LongJob


class LongJobs(QObject):
    """The long jobs of a session, each under a key of its own. Signal: ``changed()``."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: dict[Hashable, LongJob] = {}

    def all(self) -> tuple[LongJob, ...]:
        """Return them in the order in which they began."""
        return tuple(self._jobs.values())

    def begin(self, key: Hashable, job: LongJob) -> None:
        """Show a job from now on."""
        self._jobs[key] = job
        self.changed.emit()

    def advance(
        self, key: Hashable, stage: str, done: int, total: int, seconds_left: float | None = None
    ) -> None:
        """Say how far a job is; one that has ended is passed over."""
        if (before := self._jobs.get(key)) is None:
            return
        job = replace(before, stage=stage, done=done, total=total, seconds_left=seconds_left)
        self._jobs[key] = job
        if _seen(job) != _seen(before):  # thousands of files are read one by one
            self.changed.emit()

    def end(self, key: Hashable) -> None:
        """Show a job no longer."""
        if self._jobs.pop(key, None) is not None:
            self.changed.emit()


def _seen(job: LongJob) -> tuple[str, float | None, int | None]:
    return job.stage, job.seconds_left, None if job.share is None else int(100 * job.share)
