"""From predictions on unseen patients to metrics, intervals, a verdict and sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from clipsvd_app.domain.results.evaluation import (
    ClassScore,
    Difference,
    Evaluation,
    EvaluationKind,
    MethodName,
    MethodScore,
    Weakness,
    gain_of,
)
from clipsvd_app.engine.baselines.methods import MethodOutput
from clipsvd_app.engine.statistics import metrics
from clipsvd_app.engine.statistics.comparison import holm, mcnemar_mid_p
from clipsvd_app.engine.statistics.verdict import recommend, verdict_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clipsvd_app.engine.statistics.metrics import Floats, Integers

Outputs = dict[MethodName, MethodOutput]
"""The outputs of all methods for the same images, in the same order."""


def scored(
    repeats: Sequence[Outputs],
    truth: Sequence[int],
    patient_ids: Sequence[str],
    class_names: Sequence[str],
    kind: EvaluationKind,
    folds: int = 0,
    warnings: Sequence[Weakness] = (),
) -> tuple[Evaluation, dict[MethodName, Floats]]:
    """Score methods on the same images, with intervals from resampled patients; no verdict is drawn yet.

    repeats: one prediction of every image for each draw of the folds. Metrics are means over them; counts of
    images follow from the mean probabilities. Also returns the resampled balanced accuracies.
    """
    labels = np.asarray(truth, dtype=np.int64)
    resampled = _resampled(repeats, labels, patient_ids, len(class_names))
    evaluation = Evaluation(
        kind=kind,
        images=len(labels),
        patients=len(set(patient_ids)),
        folds=folds,
        methods=tuple(
            _score(
                [outputs[name] for outputs in repeats],
                name,
                labels,
                patient_ids,
                class_names,
                resampled[name],
            )
            for name in repeats[0]
        ),
        repeats=len(repeats),
        warnings=tuple(warnings),
    )
    return evaluation, resampled


def evaluate(
    repeats: Sequence[Outputs],
    truth: Sequence[int],
    patient_ids: Sequence[str],
    class_names: Sequence[str],
    kind: EvaluationKind,
    folds: int = 0,
    warnings: Sequence[Weakness] = (),
) -> Evaluation:
    """Score all methods as ``scored`` does, and draw the conclusions."""
    evaluation, resampled = scored(repeats, truth, patient_ids, class_names, kind, folds, warnings)
    labels = np.asarray(truth, dtype=np.int64)
    differences = _differences(evaluation.methods, repeats, labels, patient_ids, resampled)
    recommended, error = recommend(evaluation.methods, resampled)
    return replace(
        evaluation,
        differences=differences,
        verdict=verdict_of(gain_of(differences)),
        recommended=recommended,
        recommended_error=error,
    )


def mean_probabilities(parts: Sequence[MethodOutput]) -> Floats:
    """Return (images, classes), the mean over repeats."""
    return np.asarray(np.mean([part.probabilities for part in parts], axis=0))


def _resampled(
    repeats: Sequence[Outputs], labels: Integers, patient_ids: Sequence[str], classes: int
) -> dict[MethodName, Floats]:
    """Return balanced accuracies (resamples,) of each method on the same resampled patients."""
    names = list(repeats[0])
    predictions = [outputs[name].probabilities.argmax(axis=1) for name in names for outputs in repeats]
    drawn = metrics.bootstrap_balanced_accuracy(labels, predictions, patient_ids, classes)
    means = drawn.reshape(len(names), len(repeats), -1).mean(axis=1)
    return dict(zip(names, means, strict=True))


def _differences(
    methods: Sequence[MethodScore],
    repeats: Sequence[Outputs],
    labels: Integers,
    patient_ids: Sequence[str],
    resampled: Mapping[MethodName, Floats],
) -> tuple[Difference, ...]:
    """Compare CLIP-SVD with every other method, zero-shot first."""
    patients = len(set(patient_ids))
    values = {score.method: score.balanced_accuracy for score in methods}
    right = {
        name: mean_probabilities([outputs[name] for outputs in repeats]).argmax(axis=1) == labels
        for name in values
    }
    shares = {name: _right([outputs[name] for outputs in repeats], labels) for name in values}
    others = [name for name in values if name != "clip_svd"]
    p_values = [mcnemar_mid_p(right["clip_svd"], right[other], patient_ids) for other in others]
    return tuple(
        Difference(
            "clip_svd",
            other,
            values["clip_svd"] - values[other],
            metrics.difference_interval(
                shares["clip_svd"] - shares[other],
                labels,
                patient_ids,
                resampled["clip_svd"] - resampled[other],
                patients,
            ),
            p_value,
            p_holm,
        )
        for other, p_value, p_holm in zip(others, p_values, holm(p_values), strict=True)
    )


def _score(
    parts: Sequence[MethodOutput],
    name: MethodName,
    truth: Integers,
    patient_ids: Sequence[str],
    class_names: Sequence[str],
    resampled: Floats,
) -> MethodScore:
    classes = len(class_names)
    confusions = [metrics.confusion_matrix(truth, p.probabilities.argmax(axis=1), classes) for p in parts]
    answers = mean_probabilities(parts).argmax(axis=1)
    counts = metrics.confusion_matrix(truth, answers, classes)
    balanced = _mean([metrics.balanced_accuracy(confusion) for confusion in confusions])
    areas = [metrics.macro_auroc(truth, part.probabilities) for part in parts]
    known_areas = [area for area in areas if area is not None]
    return MethodScore(
        method=name,
        balanced_accuracy=balanced,
        interval=metrics.balanced_interval(
            _right(parts, truth), truth, patient_ids, resampled, len(set(patient_ids))
        ),
        accuracy=_mean([float(np.trace(confusion) / len(truth)) for confusion in confusions]),
        macro_auroc=_mean(known_areas) if known_areas else None,
        negative_log_likelihood=_mean(
            [metrics.negative_log_likelihood(truth, part.probabilities) for part in parts]
        ),
        brier=_mean([metrics.brier(truth, part.probabilities) for part in parts]),
        classes=tuple(
            _class_score(truth, answers, patient_ids, index, title) for index, title in enumerate(class_names)
        ),
        confusion=tuple(tuple(int(count) for count in row) for row in counts),
        trainable_parameters=max(part.trainable_parameters for part in parts),
        seconds=sum(part.seconds for part in parts),
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _right(parts: Sequence[MethodOutput], truth: Integers) -> Floats:
    """Return how often each image (images,) is right, a mean over repeats."""
    return np.asarray(np.mean([part.probabilities.argmax(axis=1) == truth for part in parts], axis=0))


def _class_score(
    truth: Integers, answers: Integers, patient_ids: Sequence[str], index: int, name: str
) -> ClassScore:
    names, own = np.asarray(patient_ids), truth == index
    found, rejected = (answers == index)[own].astype(float), (answers != index)[~own].astype(float)
    return ClassScore(
        name=name,
        images=len(found),
        sensitivity=float(found.mean()) if len(found) else 0.0,
        sensitivity_interval=metrics.share_interval(found, names[own].tolist()),
        specificity=float(rejected.mean()) if len(rejected) else 0.0,
        specificity_interval=metrics.share_interval(rejected, names[~own].tolist()),
    )
