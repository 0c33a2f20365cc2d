"""The engine process: commands come as JSON lines on stdin, events go as JSON lines to stdout.

One job runs at a time. While a training or another long job runs, short jobs that arrive are answered
between its steps.
The process ends when stdin ends, so that it cannot outlive the window that started it.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from clipsvd_app.errors import Cancelled, UserError
from clipsvd_app.jobs.folders import read_request, write_interim
from clipsvd_app.jobs.lines import (
    PROTOCOL,
    CancelJob,
    CancelledEvent,
    Command,
    Event,
    Failed,
    Finished,
    Interim,
    Progress,
    Ready,
    RunJob,
    decode_command,
    encode_line,
)
from clipsvd_app.jobs.requests import (
    AddBackboneRequest,
    ConvertRequest,
    ExplainRunRequest,
    MapRequest,
    PredictRequest,
    Request,
    TrainRequest,
)

if TYPE_CHECKING:
    from clipsvd_app.domain.results.evaluation import Evaluation
    from clipsvd_app.domain.results.run import StepMetrics
    from clipsvd_app.jobs.lines import Announce, Report

# Ten lines a second: the bar moves smoothly, and thousands of short steps do not flood the window's thread.
REPORT_INTERVAL_S = 0.1
# As many as the engine embeds at once: seconds with a large backbone on a CPU, as one step of training.
SHORT_PREDICTION = 32


class Runner(Protocol):
    """Runs jobs: the engine, or a substitute in tests."""

    def run(self, folder: Path, request: Request, report: Report, announce: Announce) -> None:
        """Carry out the request of a folder; raises UserError or Cancelled."""


@dataclass(slots=True)
class Worker:
    """Takes commands from ``inbox`` (None ends it), runs jobs with ``runner``, and sends events.

    Every job ends in exactly one of finished, cancelled and failed.
    """

    runner: Runner
    send: Callable[[Event], None]
    inbox: queue.SimpleQueue[Command | None]
    _waiting: deque[_Waiting] = field(default_factory=deque)
    _cancelled: set[int] = field(default_factory=set)
    _closed: bool = False

    def serve(self) -> None:
        """Run jobs in order of arrival until the inbox ends."""
        while True:
            if self._waiting:
                waiting = self._waiting.popleft()
                self._run(waiting, serves_others=_is_long(waiting.request))
            elif self._closed:
                return
            else:
                self._take(self.inbox.get())

    def _run(self, waiting: _Waiting, *, serves_others: bool) -> None:
        command = waiting.command
        reporter = _Reporter(self, command.job, serves_others=serves_others)
        try:
            self._stop_if_cancelled(command.job)
            self.runner.run(Path(command.folder), waiting.request, reporter, partial(self._announce, command))
        except Cancelled:
            self.send(CancelledEvent(command.job))
        except UserError as error:
            self.send(Failed(command.job, error.code, error.message, error.remedy))
        except Exception as error:  # noqa: BLE001 - the one edge at which a bug becomes an event
            _print_without_paths(error)
            self.send(_bug(command.job, error))
        else:
            self.send(Finished(command.job))
        finally:
            self._cancelled.discard(command.job)

    def _announce(self, command: RunJob, evaluation: Evaluation) -> None:
        # A full disk ends no training; the same figures come with the result.
        with suppress(OSError):
            write_interim(Path(command.folder), evaluation)
            self.send(Interim(command.job))

    def between_steps(self, job: int, *, serves_others: bool) -> None:
        """Read the inbox while a job runs: stop it if asked, and run short jobs if it allows them."""
        while True:
            try:
                self._take(self.inbox.get_nowait())
            except queue.Empty:
                break
        self._stop_if_cancelled(job)
        if serves_others:
            # A copy: a short job reports too, and so may change the list of waiting jobs.
            for waiting in [waiting for waiting in self._waiting if not _is_long(waiting.request)]:
                if waiting in self._waiting:  # not cancelled while another short job ran
                    self._waiting.remove(waiting)
                    self._run(waiting, serves_others=False)
            self._stop_if_cancelled(job)

    def _take(self, command: Command | None) -> None:
        match command:
            case None:
                self._closed = True
            case RunJob():
                self._enqueue(command)
            case CancelJob(job=job):
                self._cancel(job)

    def _enqueue(self, command: RunJob) -> None:
        try:
            self._waiting.append(_Waiting(command, read_request(Path(command.folder))))
        except (OSError, ValueError):
            self.send(
                Failed(
                    command.job,
                    "bad_request",
                    "The job's request cannot be read.",
                    "Start the job again; if it was written by another version, update the program.",
                )
            )

    def _cancel(self, job: int) -> None:
        """Cancel a waiting job at once, as its turn may be hours away; a running one at its next report."""
        for waiting in [waiting for waiting in self._waiting if waiting.command.job == job]:
            self._waiting.remove(waiting)
            self.send(CancelledEvent(job))
            return
        self._cancelled.add(job)

    def _stop_if_cancelled(self, job: int) -> None:
        """Raise Cancelled if this job was cancelled, or if the window that would read its answer is gone."""
        if self._closed or job in self._cancelled:
            raise Cancelled


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A job that has not begun."""

    command: RunJob
    request: Request


class _Reporter:
    """Sends progress at most ten times a second, but always the first and last of a stage."""

    def __init__(self, worker: Worker, job: int, *, serves_others: bool) -> None:
        self._worker, self._job, self._serves_others = worker, job, serves_others
        self._stage = ""
        self._next = 0.0

    def __call__(self, stage: str, done: int, total: int, metrics: StepMetrics | None = None) -> None:
        # Before the check of the interval: every step can be cancelled, also one that sends no line.
        self._worker.between_steps(self._job, serves_others=self._serves_others)
        now = time.monotonic()
        if stage == self._stage and done < total and now < self._next:
            return
        self._stage, self._next = stage, now + REPORT_INTERVAL_S
        self._worker.send(Progress(self._job, stage, done, total, metrics))


def main() -> int:
    """Serve the process that started this one, until it closes stdin."""
    output = _take_stdout()
    # Keeps lines whole if more than one thread sends.
    lock = threading.Lock()

    def send(event: Event) -> None:
        with lock:
            output.write(encode_line(event))
            output.flush()

    inbox: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
    threading.Thread(target=read_commands, args=(sys.stdin, inbox), daemon=True).start()
    from clipsvd_app.engine.device.torch_setup import import_open_clip
    from clipsvd_app.engine.jobs.job import Engine

    # Before the import, so that the window can show the devices at once.
    send(_ready())
    # Every job needs it, and it takes seconds: do it while the window waits for the user.
    import_open_clip()
    try:
        Worker(Engine(), send, inbox).serve()
    except BrokenPipeError:
        # The window is gone. A normal exit would flush the broken pipe and fail again.
        os._exit(1)
    return 0


def _ready() -> Ready:
    """Test the devices once and return what there is to compute on."""
    from clipsvd_app.engine.device.devices import this_computer
    from clipsvd_app.engine.device.torch_setup import versions

    devices = this_computer()
    return Ready(PROTOCOL, devices.describe(), versions(), devices.usable(), devices.note())


def _take_stdout() -> TextIO:
    """Keep stdout for events only: all other output, that of C libraries included, goes to stderr."""
    kept = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return os.fdopen(kept, "w", encoding="utf-8", newline="\n")


def read_commands(stream: TextIO, inbox: queue.SimpleQueue[Command | None]) -> None:
    """Put every command of a stream into the inbox, and None when it ends."""
    for line in stream:
        try:
            inbox.put(decode_command(line))
        except ValueError as error:
            sys.stderr.write(f"A line that is no command was dropped: {error}\n")
    inbox.put(None)


def _is_long(request: Request) -> bool:
    """Whether a job may take minutes.

    A preview counts as short whatever its size: the user sees it while labelling, and features that were
    computed once are cached.
    """
    match request:
        case TrainRequest() | AddBackboneRequest() | ConvertRequest() | MapRequest() | ExplainRunRequest():
            return True
        case PredictRequest(images=images):
            return len(images) > SHORT_PREDICTION
        case _:
            return False


def _bug(job: int, error: Exception) -> Failed:
    return Failed(
        job,
        "bug",
        f"Something went wrong inside the engine ({type(error).__name__}).",
        "Try again; if it happens again, please report it with the text of “Copy report”.",
    )


def _print_without_paths(error: Exception) -> None:
    """Write the traceback to stderr, without message and paths, which may hold patients' names."""
    lines = [
        f"  {Path(frame.filename).name}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    sys.stderr.write("\n".join([f"{type(error).__name__}, at", *lines, ""]))
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
