"""What a run found out, as it is stored in the project and shown on the pages.

Every metric, interval bound and probability is a fraction from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MethodName = Literal["zero_shot", "linear_probe", "clip_svd"]
Verdict = Literal["helped", "harmed", "not_shown"]
EvaluationKind = Literal["held_out", "cross_validated", "none"]
Role = Literal["train", "test", "out_of_fold", "pool"]
Tower = Literal["image", "text"]

METHOD_TITLES: dict[MethodName, str] = {
    "zero_shot": "Zero-shot (no training)",
    "linear_probe": "Linear probe on frozen features",
    "clip_svd": "CLIP-SVD",
}


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How one class fares against all others; intervals are Wilson's."""

    name: str
    images: int
    sensitivity: float
    sensitivity_interval: Interval
    specificity: float
    specificity_interval: Interval


@dataclass(frozen=True, slots=True)
class MethodScore:
    """One method on the evaluated images; ``confusion[true][predicted]`` counts images."""

    method: MethodName
    balanced_accuracy: float
    interval: Interval
    accuracy: float
    macro_auroc: float | None
    negative_log_likelihood: float
    brier: float
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    trainable_parameters: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Difference:
    """Balanced accuracy of ``method`` minus ``against``, with a patient-bootstrap interval."""

    method: MethodName
    against: MethodName
    value: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An estimate on patients that took no part in training; ``reason`` says why there is none."""

    kind: EvaluationKind
    reason: str = ""
    images: int = 0
    groups: int = 0
    folds: int = 0
    methods: tuple[MethodScore, ...] = ()
    differences: tuple[Difference, ...] = ()
    verdict: Verdict = "not_shown"
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Prediction:
    """Class probabilities of one image, in class order.

    ``role`` says what the image was to the model that predicted it: only ``test`` and
    ``out_of_fold`` say anything about unseen patients.
    """

    image_id: int
    role: Role
    label: int | None
    adapted: tuple[float, ...]
    zero_shot: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class MatrixChange:
    """How much one weight matrix moved: ||W' - W||_F / ||W||_F, both computed from sigma alone."""

    name: str
    tower: Tower
    layer: int
    kind: Literal["q", "k", "v", "o", "fc1", "fc2"]
    relative_change: float


@dataclass(frozen=True, slots=True)
class Phrase:
    """A corpus phrase with its score (cosine with a direction, or concept weight)."""

    text: str
    score: float


@dataclass(frozen=True, slots=True)
class DirectionChange:
    """One singular direction that adaptation changed, ranked by the change it makes in the output.

    ``effect`` is |sigma' - sigma| times the RMS of the input along the right singular vector.
    Phrases describe the two poles of the output direction; empty where no phrase stands out.
    """

    matrix: str
    tower: Tower
    layer: int
    index: int
    sigma_base: float
    sigma: float
    effect: float
    positive: tuple[Phrase, ...]
    negative: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class CaseExplanation:
    """Why one image got its probabilities, with the control that each statement passed."""

    image_id: int
    class_names: tuple[str, ...]
    adapted: tuple[float, ...]
    zero_shot: tuple[float, ...]
    concepts: tuple[Phrase, ...]
    concepts_cosine: float
    """Cosine of the embedding with its rebuilding from the concepts; below 0.6 they do not explain it."""
    saliency: tuple[tuple[float, ...], ...]
    """Grid (rows, columns) of the fall of the winning class's margin when that patch is hidden."""
    saliency_trusted: bool
    """Hiding patches in this order lowers the score faster than in random orders."""
    text: str
    how_we_know: str


@dataclass(frozen=True, slots=True)
class RunExplanation:
    """What adaptation changed in the model, from its singular values."""

    matrices: tuple[MatrixChange, ...]
    directions: tuple[DirectionChange, ...]
    text: str
    how_we_know: str


@dataclass(frozen=True, slots=True)
class StepMetrics:
    """One point of the live curves."""

    step: int
    loss: float
    accuracy: float
    learning_rate: float


@dataclass(frozen=True, slots=True)
class RunResult:
    """All that a finished run leaves beside its adapter."""

    class_names: tuple[str, ...]
    backbone_name: str
    backbone_sha256: str
    trainable_parameters: int
    matrices: int
    train_images: int
    train_groups: int
    shots: int | None
    seed: int
    learning_rate: float
    device: str
    seconds: float
    evaluation: Evaluation
    predictions: tuple[Prediction, ...]
    explanation: RunExplanation
    curve: tuple[StepMetrics, ...]
    notes: tuple[str, ...] = ()
