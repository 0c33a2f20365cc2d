"""The lines on stdin and stdout: which folder, how far, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from clipsvd_app.domain.recipe import DeviceKind
from clipsvd_app.domain.records import Record, from_text, to_text
from clipsvd_app.domain.results.run import StepMetrics

if TYPE_CHECKING:
    from clipsvd_app.domain.results.evaluation import Evaluation

# To be raised with any change of these lines that an older window or engine would misread.
PROTOCOL = 2


class Ready(Record, tag_field="event", tag="ready"):
    """The engine has started.

    ``device`` says what ``auto`` computes on, ``device_note`` why a GPU that is there is not used, and
    ``devices`` which passed their test.
    """

    protocol: int
    device: str
    versions: dict[str, str]
    devices: tuple[DeviceKind, ...] = ("cpu",)
    device_note: str = ""


class Progress(Record, tag_field="event", tag="progress"):
    """How far a job is; ``metrics`` are the newest point of the live curves."""

    job: int
    stage: str
    done: int
    total: int
    metrics: StepMetrics | None = None


class Interim(Record, tag_field="event", tag="interim"):
    """The job's folder now holds ``interim.json``: the part of the answer that is already known."""

    job: int


class Finished(Record, tag_field="event", tag="finished"):
    """The job's folder now holds ``result.json``."""

    job: int


class CancelledEvent(Record, tag_field="event", tag="cancelled"):
    """The job stopped because it was asked to."""

    job: int


class Failed(Record, tag_field="event", tag="failed"):
    """The job ended with one sentence and a remedy."""

    job: int
    code: str
    message: str
    remedy: str


Event = Ready | Progress | Interim | Finished | CancelledEvent | Failed


class RunJob(Record, tag_field="kind", tag="run"):
    """Ask for the job in ``folder``."""

    job: int
    folder: str


class CancelJob(Record, tag_field="kind", tag="cancel"):
    """Ask a job to stop."""

    job: int


Command = RunJob | CancelJob


class Report(Protocol):
    """Where the engine says how far it is; raises Cancelled when the user asked to stop."""

    def __call__(self, stage: str, done: int, total: int, metrics: StepMetrics | None = None) -> None:
        """Report ``done`` of ``total`` of a stage."""


def unreported(stage: str, done: int, total: int, metrics: StepMetrics | None = None) -> None:
    """Take progress and drop it: a Report for measurements and for work that is too short to report."""


class Announce(Protocol):
    """Where a training says what it knows already, before all of it is done."""

    def __call__(self, evaluation: Evaluation) -> None:
        """Announce an evaluation: of the methods on frozen features only, or with its verdict."""


def unannounced(evaluation: Evaluation) -> None:
    """Take what is known already and drop it."""


def encode_line(message: Event | Command) -> str:
    """Return one JSON line, newline included."""
    return to_text(message) + "\n"


def decode_event(line: str) -> Event:
    """Read one line from the engine; ValueError if it is none."""
    event: Event = from_text(Event, line)
    return event


def decode_command(line: str) -> Command:
    """Read one line to the engine; ValueError if it is none."""
    command: Command = from_text(Command, line)
    return command
