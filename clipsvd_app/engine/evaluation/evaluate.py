"""From predictions on unseen patients to figures, intervals, a verdict and one plain sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.domain.evaluation import (
    METHOD_TITLES,
    ClassScore,
    Difference,
    Evaluation,
    EvaluationKind,
    Interval,
    MethodName,
    MethodScore,
    Verdict,
)
from clipsvd_app.engine.evaluation import metrics
from clipsvd_app.engine.evaluation.metrics import Floats, Integers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

METHODS: tuple[MethodName, ...] = ("zero_shot", "linear_probe", "clip_svd")
_PAIRS: tuple[tuple[MethodName, MethodName], ...] = (
    ("clip_svd", "zero_shot"),
    ("clip_svd", "linear_probe"),
    ("linear_probe", "zero_shot"),
)


@dataclass(frozen=True, slots=True)
class MethodOutput:
    """Probabilities (images, classes) of one method on the evaluated images, and what it cost."""

    probabilities: Floats
    trainable_parameters: int
    seconds: float


def no_estimate(reason: str) -> Evaluation:
    """Return the evaluation that says why there is none."""
    return Evaluation(kind="none", reason=reason, sentence=reason)


def evaluate(
    outputs: Mapping[MethodName, MethodOutput],
    truth: Sequence[int],
    groups: Sequence[str],
    class_names: Sequence[str],
    kind: EvaluationKind,
    folds: int = 0,
) -> Evaluation:
    """Score all methods on the same images, with intervals from resampled patients."""
    labels = np.asarray(truth, dtype=np.int64)
    predictions = {name: output.probabilities.argmax(axis=1) for name, output in outputs.items()}
    resampled = dict(
        zip(
            predictions,
            metrics.bootstrap_balanced_accuracy(labels, [*predictions.values()], groups, len(class_names)),
            strict=True,
        )
    )
    methods = tuple(
        _score(name, output, labels, class_names, metrics.percentile_interval(resampled[name]))
        for name, output in outputs.items()
    )
    values = {score.method: score.balanced_accuracy for score in methods}
    differences = tuple(
        Difference(
            one,
            other,
            values[one] - values[other],
            metrics.percentile_interval(resampled[one] - resampled[other]),
        )
        for one, other in _PAIRS
        if one in values and other in values
    )
    verdict = verdict_of(differences)
    patients = len(set(groups))
    return Evaluation(
        kind=kind,
        images=len(labels),
        groups=patients,
        folds=folds,
        methods=methods,
        differences=differences,
        verdict=verdict,
        sentence=sentence_of(verdict, methods, differences, len(labels), patients),
    )


def verdict_of(differences: Sequence[Difference]) -> Verdict:
    """Say helped or harmed only when the whole interval of CLIP-SVD minus zero-shot lies on one side of 0."""
    for difference in differences:
        if (difference.method, difference.against) == ("clip_svd", "zero_shot"):
            if difference.interval.low > 0:
                return "helped"
            if difference.interval.high < 0:
                return "harmed"
    return "not_shown"


def sentence_of(
    verdict: Verdict,
    methods: Sequence[MethodScore],
    differences: Sequence[Difference],
    images: int,
    patients: int,
) -> str:
    """Say what adaptation bought, with numbers, in one or two plain sentences."""
    values = {score.method: score.balanced_accuracy for score in methods}
    gain = next(d for d in differences if (d.method, d.against) == ("clip_svd", "zero_shot"))
    opening = {
        "helped": "Adaptation helped",
        "harmed": "Adaptation harmed",
        "not_shown": "It is not shown that adaptation changed anything",
    }[verdict]
    text = (
        f"{opening}: balanced accuracy {100 * values['clip_svd']:.0f} %"
        f" against {100 * values['zero_shot']:.0f} % zero-shot, "
        f"a difference of {_points(gain.value)} points (95 % interval {_span(gain.interval)}) "
        f"on {images} images of {patients} patients that took no part in training."
    )
    if "linear_probe" in values:
        text += f" {METHOD_TITLES['linear_probe']}: {100 * values['linear_probe']:.0f} %."
    return text


def _score(
    name: MethodName, output: MethodOutput, truth: Integers, class_names: Sequence[str], interval: Interval
) -> MethodScore:
    probabilities = output.probabilities
    confusion = metrics.confusion_matrix(truth, probabilities.argmax(axis=1), len(class_names))
    return MethodScore(
        method=name,
        balanced_accuracy=metrics.balanced_accuracy(confusion),
        interval=interval,
        accuracy=float(np.trace(confusion) / len(truth)),
        macro_auroc=metrics.macro_auroc(truth, probabilities),
        negative_log_likelihood=metrics.negative_log_likelihood(truth, probabilities),
        brier=metrics.brier(truth, probabilities),
        classes=tuple(_class_score(confusion, index, title) for index, title in enumerate(class_names)),
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        trainable_parameters=output.trainable_parameters,
        seconds=output.seconds,
    )


def _class_score(confusion: Integers, index: int, name: str) -> ClassScore:
    hits, images = int(confusion[index, index]), int(confusion[index].sum())
    others = int(confusion.sum()) - images
    rejected = others - (int(confusion[:, index].sum()) - hits)
    return ClassScore(
        name=name,
        images=images,
        sensitivity=hits / images if images else 0.0,
        sensitivity_interval=metrics.wilson(hits, images),
        specificity=rejected / others if others else 0.0,
        specificity_interval=metrics.wilson(rejected, others),
    )


def _points(difference: float) -> str:
    return f"{100 * difference:+.0f}"


def _span(interval: Interval) -> str:
    return f"{_points(interval.low)} to {_points(interval.high)}"
