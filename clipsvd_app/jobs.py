"""What is asked of the engine and what it answers: requests, events, and their JSON lines.

A job is a folder: ``request.json`` goes in, ``result.json`` and files come out. The lines on
stdin and stdout only say which folder, how far, and how it ended.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.codec import CodecError, from_json, to_json
from clipsvd_app.domain.recipe import DeviceName, Recipe

if TYPE_CHECKING:
    from pathlib import Path

PROTOCOL = 1
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """A display window in the units of the image (PS3.3 C.11.2.1.2)."""

    centre: float
    width: float
    function: Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"] = "LINEAR"


@dataclass(frozen=True, slots=True)
class CropSpec:
    """A region of interest as fractions of the frame."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class ImageInput:
    """One frame as the model shall see it. ``group`` is the patient; ``label`` a class index."""

    id: int
    path: str
    frame: int
    group: str
    label: int | None = None
    window: WindowSpec | None = None
    crop: CropSpec | None = None


@dataclass(frozen=True, slots=True)
class BackboneRef:
    """A backbone folder; ``sha256`` is the canonical tensor hash, empty when not yet known."""

    name: str
    folder: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """Adapt to the labelled images; unlabelled ones are predicted.

    ``shots`` per class are drawn for training and the patients left over are the test set;
    without it all labelled images train and the estimate is cross-validated by patient.
    """

    backbone: BackboneRef
    classes: tuple[ClassSpec, ...]
    images: tuple[ImageInput, ...]
    recipe: Recipe
    seed: int = 0
    shots: int | None = None
    device: DeviceName = "auto"
    kind: Literal["train"] = "train"


@dataclass(frozen=True, slots=True)
class PredictRequest:
    """Apply an adapter to images."""

    backbone: BackboneRef
    adapter: str
    images: tuple[ImageInput, ...]
    device: DeviceName = "auto"
    kind: Literal["predict"] = "predict"


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """Explain one image under an adapter."""

    backbone: BackboneRef
    adapter: str
    image: ImageInput
    device: DeviceName = "auto"
    kind: Literal["explain"] = "explain"


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """Predict the pool from the labels so far, on frozen features; answers within a moment.

    With ``query`` the pool is also ordered by likeness to that text.
    """

    backbone: BackboneRef
    classes: tuple[ClassSpec, ...]
    images: tuple[ImageInput, ...]
    query: str = ""
    device: DeviceName = "auto"
    kind: Literal["preview"] = "preview"


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    """Check an adapter against its backbone: base hash, names, shapes, probes and canaries."""

    backbone: BackboneRef
    adapter: str
    device: DeviceName = "auto"
    kind: Literal["verify"] = "verify"


Request = TrainRequest | PredictRequest | ExplainRequest | PreviewRequest | VerifyRequest
REQUESTS: dict[str, type[Request]] = {
    "train": TrainRequest,
    "predict": PredictRequest,
    "explain": ExplainRequest,
    "preview": PreviewRequest,
    "verify": VerifyRequest,
}


@dataclass(frozen=True, slots=True)
class PoolItem:
    """What the preview says of one image: probabilities, entropy-based doubt, likeness to the query."""

    image_id: int
    probabilities: tuple[float, ...]
    uncertainty: float
    text_similarity: float | None
    nearest: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PreviewResult:
    """The pool in the light of the labels; ``accuracy`` is leave-one-patient-out, None if too few."""

    items: tuple[PoolItem, ...]
    accuracy: float | None
    suggested: tuple[int, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class PredictedImage:
    """Adapted and base-model probabilities of one image, in class order."""

    image_id: int
    adapted: tuple[float, ...]
    zero_shot: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PredictResult:
    """Answers in the order of the request; unreadable images are listed with one sentence."""

    class_names: tuple[str, ...]
    images: tuple[PredictedImage, ...]
    refused: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that verification looked at."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """All checks of an adapter against its backbone."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """True when every check held."""
        return all(check.passed for check in self.checks)


@dataclass(frozen=True, slots=True)
class Ready:
    """The engine has started."""

    protocol: int
    device: str
    versions: dict[str, str]
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


Event = Ready | Progress | Finished | CancelledEvent | Failed
EVENTS: dict[str, type[Event]] = {
    "ready": Ready,
    "progress": Progress,
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


def encode_line(message: Event | Command) -> str:
    """Return one JSON line, newline included."""
    return json.dumps(to_json(message), separators=(",", ":"), allow_nan=False) + "\n"


def decode_event(line: str) -> Event:
    """Read one line from the engine; CodecError if it is none."""
    value = _object(line)
    return from_json(_pick(EVENTS, value.get("event")), value)


def decode_command(line: str) -> Command:
    """Read one line to the engine; CodecError if it is none."""
    value = _object(line)
    return from_json(_pick(COMMANDS, value.get("kind")), value)


def write_request(folder: Path, request: Request) -> None:
    """Write ``request.json`` into a job folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "request.json").write_text(json.dumps(to_json(request), indent=1), encoding="utf-8")


def read_request(folder: Path) -> Request:
    """Read ``request.json`` of a job folder."""
    value = _object((folder / "request.json").read_text(encoding="utf-8"))
    return from_json(_pick(REQUESTS, value.get("kind")), value)


def write_result(folder: Path, result: object) -> None:
    """Write ``result.json`` whole or not at all."""
    temporary = folder / "result.json.part"
    temporary.write_text(json.dumps(to_json(result), allow_nan=False), encoding="utf-8")
    temporary.replace(folder / "result.json")


def read_result(folder: Path, kind: type[T]) -> T:
    """Read ``result.json`` of a job folder as ``kind``."""
    return from_json(kind, json.loads((folder / "result.json").read_text(encoding="utf-8")))


def _object(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise CodecError(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise CodecError("not a JSON object")
    return value


def _pick(kinds: dict[str, type[T]], name: object) -> type[T]:
    if not isinstance(name, str) or name not in kinds:
        raise CodecError(f"unknown kind {name!r}")
    return kinds[name]
