"""The lines on stdin and stdout: which folder, how far, and how it ended."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from clipsvd_app.domain.codec import from_json, to_json
from clipsvd_app.domain.recipe import DeviceKind
from clipsvd_app.jobs.parsing import json_object, pick

if TYPE_CHECKING:
    from clipsvd_app.domain.results.evaluation import Evaluation

PROTOCOL = 2


@dataclass(frozen=True, slots=True)
class Ready:
    """The engine has started.

    ``device`` says what ``auto`` computes on, ``device_note`` why a GPU that is there is not used, and
    ``devices`` which passed their test.
    """

    protocol: int
    device: str
    versions: dict[str, str]
    devices: tuple[DeviceKind, ...] = ("cpu",)
    device_note: str = ""
    event: Literal["ready"] = "ready"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is; ``metrics`` are the newest numbers of the live curves."""

    job: int
    stage: str
    done: int
    total: int
    metrics: dict[str, float] = field(default_factory=dict)
    event: Literal["progress"] = "progress"


@dataclass(frozen=True, slots=True)
class Interim:
    """The job's folder now holds ``interim.json``: the part of the answer that is already known."""

    job: int
    event: Literal["interim"] = "interim"


@dataclass(frozen=True, slots=True)
class Finished:
    """The job's folder now holds ``result.json``."""

    job: int
    event: Literal["finished"] = "finished"


@dataclass(frozen=True, slots=True)
class CancelledEvent:
    """The job stopped because it was asked to."""

    job: int
    event: Literal["cancelled"] = "cancelled"


@dataclass(frozen=True, slots=True)
class Failed:
    """The job ended with one sentence and a remedy."""

    job: int
    code: str
    message: str
    remedy: str
    event: Literal["failed"] = "failed"


Event = Ready | Progress | Interim | Finished | CancelledEvent | Failed
EVENTS: dict[str, type[Event]] = {
    "ready": Ready,
    "progress": Progress,
    "interim": Interim,
    "finished": Finished,
    "cancelled": CancelledEvent,
    "failed": Failed,
}


@dataclass(frozen=True, slots=True)
class RunJob:
    """Ask for the job in ``folder``."""

    job: int
    folder: str
    kind: Literal["run"] = "run"


@dataclass(frozen=True, slots=True)
class CancelJob:
    """Ask a job to stop."""

    job: int
    kind: Literal["cancel"] = "cancel"


Command = RunJob | CancelJob
COMMANDS: dict[str, type[Command]] = {"run": RunJob, "cancel": CancelJob}


class Report(Protocol):
    """Where the engine says how far it is; raises Cancelled when the user asked to stop."""

    def __call__(self, stage: str, done: int, total: int, metrics: dict[str, float] | None = None) -> None:
        """Report ``done`` of ``total`` of a stage."""


def unreported(stage: str, done: int, total: int, metrics: dict[str, float] | None = None) -> None:
    """Take progress and drop it: a Report for measurements and for work that is too short to report."""


class Announce(Protocol):
    """Where a training says what it knows already, before all of it is done."""

    def __call__(self, evaluation: Evaluation) -> None:
        """Announce an evaluation: of the methods on frozen features alone, or with its verdict."""


def unannounced(evaluation: Evaluation) -> None:
    """Take what is known already and drop it."""


def encode_line(message: Event | Command) -> str:
    """Return one JSON line, newline included."""
    return json.dumps(to_json(message), separators=(",", ":"), allow_nan=False) + "\n"


def decode_event(line: str) -> Event:
    """Read one line from the engine; CodecError if it is none."""
    value = json_object(line)
    return from_json(pick(EVENTS, value.get("event")), value)


def decode_command(line: str) -> Command:
    """Read one line to the engine; CodecError if it is none."""
    value = json_object(line)
    return from_json(pick(COMMANDS, value.get("kind")), value)
