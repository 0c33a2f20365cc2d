"""What an evaluation on unseen patients found, as it is stored with a run and shown on the pages.

Every metric, interval bound and probability is a fraction from 0 to 1. "Images" are those that the model
which predicted them never saw, nor any other image of their patients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from clipsvd_app.domain.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

MethodName = Literal[
    "zero_shot", "text_probe", "linear_probe", "tip_adapter", "gda", "clip_svd_plain", "clip_svd"
]
Verdict = Literal["helped", "harmed", "not_shown"]
EvaluationKind = Literal["held_out", "cross_validated", "locked", "none"]
"""``locked``: on patients that the project sets aside from every run."""

MIN_PATIENTS_TO_ESTIMATE = 4
"""In every class. With fewer, two folds would train or test a class on a single patient."""
FEW_IMAGES = 100
"""Below it a calibration error is mostly noise: no single figure is given, and bins are wider."""
_FOUND_95, _POWER_80 = 1.96, 0.84

METHOD_TITLES: dict[MethodName, str] = {
    "zero_shot": "Zero-shot (no training)",
    "text_probe": "Text-initialised probe",
    "linear_probe": "Linear probe on frozen features",
    "tip_adapter": "Tip-Adapter",
    "gda": "Gaussian discriminant analysis",
    "clip_svd_plain": "CLIP-SVD as in the paper",
    "clip_svd": "CLIP-SVD",
}
"""Every method, the simplest first: of equals, the first is recommended."""

METHOD_WORDS: dict[MethodName, str] = {
    "zero_shot": "zero-shot",
    "text_probe": "the text-initialised probe",
    "linear_probe": "the linear probe",
    "tip_adapter": "Tip-Adapter",
    "gda": "Gaussian discriminant analysis",
    "clip_svd_plain": "CLIP-SVD as in the paper",
    "clip_svd": "CLIP-SVD",
}
"""The same within a sentence."""


class Interval(Record):
    """A 95 % interval."""

    low: float
    high: float


class ClassScore(Record):
    """How one class fares against all others.

    Intervals are Wilson's, wider where several images of a patient go right or wrong together.
    """

    name: str
    images: int
    sensitivity: float
    sensitivity_interval: Interval
    specificity: float
    specificity_interval: Interval


class MethodScore(Record):
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


class Difference(Record):
    """Balanced accuracy of ``method`` minus ``against``, with a patient-bootstrap interval.

    ``p_value`` is McNemar's mid-p (Fagerland, Lydersen, Laake 2013) on patients, ``p_holm`` the same after
    Holm's correction over the differences of one evaluation; None where they were not computed.
    """

    method: MethodName
    against: MethodName
    value: float
    interval: Interval
    p_value: float | None = None
    p_holm: float | None = None


class ReliabilityBin(Record):
    """Images whose largest probability lies in [low, high): their mean of it, and the share that is right."""

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float
    interval: Interval


class Calibration(Record):
    """One temperature for the logits of CLIP-SVD, chosen on images that the scored fit never saw.

    The figures before and after are on images that took no part in choosing the temperature.
    """

    temperature: float
    brier_before: float
    brier_after: float
    negative_log_likelihood_before: float
    negative_log_likelihood_after: float
    bins: tuple[ReliabilityBin, ...]


class ConformalSets(Record):
    """Split conformal sets: each holds the true class with a chance of at least 1 - ``alpha``.

    The chance is an average over exchangeable patients, those of the calibration included. ``threshold``
    bounds 1 - p, before calibration, of the classes in the set of a new image, and ``coverage_range`` is
    where the coverage of new patients lies with 95 % given that threshold (Vovk 2012); both are None where
    the scored fits are not the one that is kept. ``alpha`` is the smallest of 0.05, 0.1 and 0.2 that the
    number of patients, less the one that is judged, allows. Sizes are those of the evaluated images' sets.
    """

    alpha: float
    threshold: float | None
    images: int
    coverage_range: Interval | None
    mean_size: float
    single_share: float
    patients: int


class CoveragePoint(Record):
    """The error among the ``coverage`` most certain share of the images."""

    coverage: float
    risk: float


class LearningPoint(Record):
    """Balanced accuracy of one method with so many images of each class, mean and range over draws."""

    shots: int
    method: MethodName
    balanced_accuracy: float
    low: float
    high: float
    draws: int


class Gain(Record):
    """What more examples promise, a fraction, with its range over draws."""

    value: float
    low: float
    high: float


class MoreExamples(Record):
    """How many more images of a class are worth having.

    Its sensitivity went from ``sensitivity_first`` with ``smallest`` images of each class to
    ``sensitivity_last`` with ``largest``.
    """

    class_name: str
    more: int
    smallest: int
    largest: int
    sensitivity_first: float
    sensitivity_last: float
    gain: Gain


Outlook = Literal["ahead", "no_law", "classes", "all"]


class LearningCurve(Record):
    """Accuracy against shots from the same labels, and what the curve of ``method``, the best, promises.

    ``outlook``: CLIP-SVD is well ahead of it; it follows no law; some classes deserve more images
    (``advice``); or twice as many of all are worth ``gain``.
    """

    points: tuple[LearningPoint, ...]
    advice: tuple[MoreExamples, ...]
    method: MethodName
    outlook: Outlook
    gain: Gain | None = None


class NoEstimate(Record):
    """Why there is no estimate: a class without test patients, or with too few patients."""

    code: Literal["class_not_tested", "too_few_patients"]
    class_name: str
    patients: int = 0


class Weakness(Record):
    """What weakens an estimate, with how many it concerns (patients, images, pairs or runs) of how many."""

    code: Literal["known_by_similarity", "look_alikes", "opposite_labels", "tested_before"]
    count: int
    of: int = 0


class Evaluation(Record):
    """An estimate on patients that took no part in training; ``no_estimate`` says why there is none.

    ``recommended`` is the simplest method within one standard error, ``recommended_error``, of the best.
    """

    kind: EvaluationKind
    no_estimate: NoEstimate | None = None
    images: int = 0
    patients: int = 0
    folds: int = 0
    methods: tuple[MethodScore, ...] = ()
    differences: tuple[Difference, ...] = ()
    verdict: Verdict = "not_shown"
    repeats: int = 1
    recommended: MethodName | None = None
    recommended_error: float = 0.0
    warnings: tuple[Weakness, ...] = ()
    calibration: Calibration | None = None
    conformal: ConformalSets | None = None
    abstention: tuple[CoveragePoint, ...] = ()
    learning_curve: LearningCurve | None = None


def gain_of(differences: Sequence[Difference]) -> Difference:
    """Return the difference that the verdict rests on: CLIP-SVD minus zero-shot."""
    return next(d for d in differences if (d.method, d.against) == ("clip_svd", "zero_shot"))


def detectable(interval: Interval) -> float:
    """Return how large a true difference must be for four in five such tests to show it.

    From the width of the 95 % interval: (1.96 + 0.84) standard errors.
    """
    return (interval.high - interval.low) / 2 * (_FOUND_95 + _POWER_80) / _FOUND_95
