"""Work in threads with an answer on the window's thread; a late answer can be dropped."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal

from clipsvd_app.errors import Cancelled, UserError, file_error

if TYPE_CHECKING:
    from collections.abc import Callable

BETWEEN_REPORTS_S = 0.05


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a task: a value, or the error that the user can fix."""

    value: Any
    error: UserError | None = None
    cancelled: bool = False


class _Signals(QObject):
    done = Signal(object, object)
    progress = Signal(object, int, int)


class Task:
    """A running task; ``cancel`` makes its next report raise Cancelled."""

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        """Ask the task to stop."""
        self.cancelled = True


class Background(QObject):
    """A small pool of threads. Tasks get a ``report(done, total)`` and never touch widgets."""

    def __init__(self, threads: int = 2, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(threads)
        self._signals = _Signals(self)
        self._signals.done.connect(self._finish)
        self._signals.progress.connect(self._advance)
        self._waiting: dict[Task, tuple[Callable[[Answer], None], Callable[[int, int], None] | None]] = {}

    @property
    def busy(self) -> bool:
        """Whether any task is under way."""
        return bool(self._waiting)

    def run(
        self,
        work: Callable[[Callable[[int, int], None]], Any],
        on_done: Callable[[Answer], None],
        on_progress: Callable[[int, int], None] | None = None,
        priority: int = 0,
    ) -> Task:
        """Call ``work(report)`` in a thread, then ``on_done(Answer)`` here."""
        task = Task()
        self._waiting[task] = (on_done, on_progress)
        self._pool.start(_Runnable(task, work, self._signals), priority)
        return task

    def end(self, task: Task) -> None:
        """Stop waiting for a task: its answer is that it was cancelled, at once."""
        task.cancel()
        if (waiting := self._waiting.pop(task, None)) is not None:
            waiting[0](Answer(None, cancelled=True))

    def close(self) -> None:
        """Stop taking answers and wait for the threads."""
        for task in list(self._waiting):
            task.cancel()
        self._waiting.clear()
        self._pool.clear()
        self._pool.waitForDone(5000)

    def _finish(self, task: Task, answer: Answer) -> None:
        if (waiting := self._waiting.pop(task, None)) is not None:
            # A task that ended before it noticed may answer what nobody asks any more.
            waiting[0](Answer(None, cancelled=True) if task.cancelled else answer)

    def _advance(self, task: Task, done: int, total: int) -> None:
        waiting = self._waiting.get(task)
        if waiting is not None and waiting[1] is not None and not task.cancelled:
            waiting[1](done, total)


class _Runnable(QRunnable):
    def __init__(
        self, task: Task, work: Callable[[Callable[[int, int], None]], Any], signals: _Signals
    ) -> None:
        super().__init__()
        self._task, self._work, self._signals = task, work, signals

    def run(self) -> None:
        told_s = -BETWEEN_REPORTS_S

        def report(done: int, total: int) -> None:
            nonlocal told_s
            if self._task.cancelled:
                raise Cancelled
            # A signal for each of thousands of files would keep the window busy with nothing else.
            if time.monotonic() - told_s >= BETWEEN_REPORTS_S or done == total:
                told_s = time.monotonic()
                self._signals.progress.emit(self._task, done, total)

        answer = Answer(None, cancelled=True)
        try:
            answer = Answer(self._work(report))
        except UserError as error:
            answer = Answer(None, error)
        except OSError as error:
            if error.errno is None:
                raise
            answer = Answer(None, file_error(Path(error.filename or "A file"), error))
        except Cancelled:
            pass
        except sqlite3.ProgrammingError:
            if not self._task.cancelled:
                raise  # else its project was closed while it read
        finally:  # nobody waits for ever, even where a bug of ours is on its way up
            self._signals.done.emit(self._task, answer)
