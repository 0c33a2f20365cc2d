"""The engine as the window sees it: a child process, kept warm, restarted when it is lost."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from clipsvd_app.jobs.lines import (
    PROTOCOL,
    CancelJob,
    Failed,
    Finished,
    Interim,
    Progress,
    Ready,
    RunJob,
    decode_event,
    encode_line,
)
from clipsvd_app.jobs.lines import CancelledEvent as Cancelled
from clipsvd_app.ui.session.notices import GONE_CODE

KILL_AFTER_MS = 5000
CLOSING_MS = 1500
STOPPING_MS = 6000
"""A training writes its state down when its step is done, which is seconds with a large model on a CPU."""
RESTARTS_IN_A_ROW = 3
GONE = Failed(
    job=0,
    code=GONE_CODE,
    message="The engine could not be started. Training, prediction and explanation are not available.",
    remedy="Your labels are saved. Start engine again. If this happens again, reinstall the program.",
)
LOST = Failed(
    job=0,
    code="engine_lost",
    message="The engine stopped unexpectedly before this job finished.",
    remedy="Your labels are saved, and the engine has restarted. Try again.",
)


@dataclass(slots=True)
class Job:
    """A job on its way, and whether the engine has begun it.

    ``on_interim`` is called when part of the answer lies in the folder, ``on_end`` once.
    """

    number: int
    folder: Path
    on_progress: Callable[[Progress], None]
    on_end: Callable[[Finished | Failed | Cancelled], None]
    on_interim: Callable[[], None]
    begun: bool = False


class EngineProcess(QObject):
    """Runs jobs in another process, so that nothing there can block or break the window.

    Signals: ``ready(Ready)``, ``lost()`` when the process died with or without work, ``given_up()`` when it
    is not started again because it died too often in a row.
    """

    ready = Signal(object)
    lost = Signal()
    given_up = Signal()

    def __init__(self, parent: QObject | None = None, command: tuple[str, ...] = ()) -> None:
        super().__init__(parent)
        self._command = command or (sys.executable, "-P", "-m", "clipsvd_app.worker")
        self._jobs: dict[int, Job] = {}
        self._next = 1
        self._line = b""
        self._closing = False
        self._restarts = 0
        self._process: QProcess | None = None

    @property
    def pid(self) -> int:
        """The process id, 0 when it does not run."""
        return 0 if self._process is None else int(self._process.processId())

    @property
    def busy(self) -> bool:
        """Whether any job is under way."""
        return bool(self._jobs)

    def start(self) -> None:
        """Start the process; ``ready`` follows when it answers."""
        process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONUNBUFFERED", "1")
        process.setProcessEnvironment(environment)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.SeparateChannels)
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._forward_errors)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        self._line = b""
        self._process = process
        process.start(self._command[0], list(self._command[1:]))

    def start_again(self) -> None:
        """Try once more after it was given up."""
        if self._process is None:
            self._restarts = 0
            self.start()

    def submit(
        self,
        folder: Path,
        on_end: Callable[[Finished | Failed | Cancelled], None],
        on_progress: Callable[[Progress], None] | None = None,
        on_interim: Callable[[], None] | None = None,
    ) -> int:
        """Run the job in ``folder`` and return its number; exactly one end is reported, after this returns.

        Without an engine, because it was given up, a job fails at once with the code ``engine_gone``.
        """
        job = Job(
            self._next, folder, on_progress or (lambda _progress: None), on_end, on_interim or (lambda: None)
        )
        self._next += 1
        self._jobs[job.number] = job
        if self._process is None:
            QTimer.singleShot(0, self, lambda: self._end(job.number, GONE))
        self._send(encode_line(RunJob(job.number, str(folder))))
        return job.number

    def cancel(self, number: int) -> None:
        """Ask a job to stop; an engine that does not listen is killed after five seconds."""
        if number not in self._jobs:
            return
        self._send(encode_line(CancelJob(number)))
        QTimer.singleShot(KILL_AFTER_MS, self, lambda: self._kill_if_running(number))

    def close(self) -> None:
        """End the process: it leaves when its input closes, or is killed."""
        self._closing = True
        patience_ms = STOPPING_MS if any(job.begun for job in self._jobs.values()) else CLOSING_MS
        self._jobs.clear()
        process = self._process
        if process is None or process.state() == QProcess.ProcessState.NotRunning:
            return
        process.closeWriteChannel()
        if not process.waitForFinished(patience_ms):
            process.kill()
            process.waitForFinished(CLOSING_MS)

    def _send(self, line: str) -> None:
        if self._process is not None:
            self._process.write(line.encode())

    def _read(self) -> None:
        assert self._process is not None
        self._line += bytes(self._process.readAllStandardOutput().data())
        *lines, self._line = self._line.split(b"\n")
        for line in lines:
            self._handle(line.decode("utf-8", errors="replace"))

    def _handle(self, line: str) -> None:
        try:
            event = decode_event(line)
        except ValueError:
            return  # a foreign library wrote to the wrong place
        if isinstance(event, Ready):
            assert event.protocol == PROTOCOL
            self._restarts = 0
            self.ready.emit(event)
        elif isinstance(event, Progress):
            if (job := self._jobs.get(event.job)) is not None:
                job.begun = True
                job.on_progress(event)
        elif isinstance(event, Interim):
            if (job := self._jobs.get(event.job)) is not None:
                job.on_interim()
        else:
            self._end(event.job, event)

    def _end(self, number: int, event: Finished | Failed | Cancelled) -> None:
        if (job := self._jobs.pop(number, None)) is not None:
            job.on_end(event)

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._on_finished()  # Qt says of no such process that it finished

    def _forward_errors(self) -> None:
        assert self._process is not None
        text = bytes(self._process.readAllStandardError().data())
        if os.environ.get("CLIPSVD_DEBUG"):
            sys.stderr.write(text.decode("utf-8", errors="replace"))

    def _on_finished(self) -> None:
        if self._closing:
            return
        lost, self._jobs = self._jobs, {}
        if self._process is not None:
            self._process.deleteLater()
            self._process = None
        self._restarts += 1
        given_up = self._restarts > RESTARTS_IN_A_ROW
        if not given_up:
            self.start()
        self.lost.emit()
        for job in lost.values():
            job.on_end(GONE if given_up else LOST)
        if given_up:
            self.given_up.emit()

    def _kill_if_running(self, number: int) -> None:
        if number not in self._jobs or self._process is None:
            return
        if any(job.begun for job in self._jobs.values() if job.number != number):
            # Killing the engine would take another job with it, such as a training that this one waits for.
            QTimer.singleShot(KILL_AFTER_MS, self, lambda: self._kill_if_running(number))
            return
        job = self._jobs.pop(number)
        self._process.kill()
        job.on_end(Cancelled(number))
