"""What the Train page is told to show, and what it says was chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from clipsvd_app.domain.recipe import DeviceName, PresetName
from clipsvd_app.domain.results.evaluation import Evaluation, Interval, Verdict
from clipsvd_app.domain.results.run import StepMetrics

PRESET_WORDS: dict[PresetName, tuple[str, str]] = {
    "quick": ("Quick", "For a first look. Trains the upper third of each encoder; three folds."),
    "standard": (
        "Standard",
        "Recommended. Trains both encoders, keeps as much of the change as helps; three folds.",
    ),
    "thorough": ("Thorough", "For results to report. Mean of three fits; five folds, repeated twice."),
}
VERDICT_WORDS: dict[Verdict, str] = {
    "helped": "Helped",
    "harmed": "Harmed",
    "not_shown": "Not shown",
}


@dataclass(frozen=True, slots=True)
class ClassCount:
    """A class with its labelled images and the patients they come from."""

    name: str
    images: int
    patients: int


@dataclass(frozen=True, slots=True)
class DeviceOption:
    """A device that the engine offers, as the user knows it."""

    name: DeviceName
    title: str


@dataclass(frozen=True, slots=True)
class TrainChoice:
    """What the user asks for. ``shots`` None trains on all labelled images and cross-validates."""

    preset: PresetName = "standard"
    shots: int | None = None
    device: DeviceName = "auto"
    flip: bool = True
    locked: bool = False
    plain: bool = False


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in the table; ``accuracy`` None when there is no estimate.

    A ``stopped`` one has no number yet: it is known by its ``key``; ``steps`` are those done, and all.
    """

    number: int
    date: str
    shots: int | None
    images: int
    preset: str
    accuracy: float | None
    interval: Interval | None
    verdict: Verdict
    state: Literal["done", "failed", "stopped"] = "done"
    note: str = ""
    key: str = ""
    steps: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class TrainState:
    """The whole page but for the run in progress.

    ``preset_seconds`` holds estimated durations; ``blocked`` says in one sentence why there is
    nothing to train yet, empty when the button may be pressed.
    """

    classes: tuple[ClassCount, ...] = ()
    warnings: tuple[str, ...] = ()
    choice: TrainChoice = field(default_factory=TrainChoice)
    preset_seconds: tuple[tuple[PresetName, float], ...] = ()
    shot_options: tuple[int, ...] = ()
    devices: tuple[DeviceOption, ...] = (DeviceOption("auto", "Automatic"),)
    backbone: str = ""
    locked_possible: bool = False
    locked_sentence: str = ""
    blocked: str = ""
    runs: tuple[RunRow, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainProgress:
    """The run in progress; ``seconds_left`` None while it cannot be told."""

    stage: str
    done: int
    total: int
    seconds_left: float | None = None
    total_steps: int = 0
    cancelling: bool = False


@dataclass(frozen=True, slots=True)
class InterimView:
    """What the run in progress knows already; ``next_step`` says what it still does."""

    evaluation: Evaluation
    next_step: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One side of a comparison: a title such as “Run 3”, facts of the recipe, and the estimate."""

    title: str
    facts: tuple[tuple[str, str], ...]
    evaluation: Evaluation
    curve: tuple[StepMetrics, ...] = ()
