"""How well the method does on patients that no fit has seen: held out, or out of fold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.domain.evaluation import Evaluation, MethodName
from clipsvd_app.engine.adapted import AdaptedModel
from clipsvd_app.engine.ladder.linear_probe import fit_linear_probe
from clipsvd_app.engine.evaluation.evaluate import METHODS, MethodOutput, evaluate, no_estimate
from clipsvd_app.engine.fitting.adapt import adapt
from clipsvd_app.engine.evaluation.metrics import Floats
from clipsvd_app.engine.splits import MIN_GROUPS_TO_ESTIMATE, Split, grouped_folds, groups_in_smallest_class

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.engine.fitting.learner import Learner
    from clipsvd_app.engine.study_set import StudySet
    from clipsvd_app.engine.trained import TrainedSigma
    from clipsvd_app.jobs import Report


@dataclass(frozen=True, slots=True)
class Estimate:
    """The evaluation, and the adapted probabilities (classes,) of each position it rests on."""

    evaluation: Evaluation
    probabilities: dict[int, Floats] = field(default_factory=dict)


def held_out(
    learner: Learner,
    images: StudySet,
    split: Split,
    trained: TrainedSigma,
    adapted: AdaptedModel,
    seed: int,
    report: Report,
) -> Estimate:
    """Score all methods on the test images, which share no patient with training."""
    names, test = [spec.name for spec in learner.classes], split.test
    missing = [name for index, name in enumerate(names) if index not in set(images.labels(test))]
    if missing:
        reason = f"No patient of the class “{missing[0]}” is left to test on; train with fewer shots."
        return Estimate(no_estimate(reason))
    outputs = method_outputs(learner, images, split, trained, adapted, seed, report)
    evaluation = evaluate(outputs, images.labels(test), images.groups(test), names, "held_out")
    return Estimate(evaluation, dict(zip(test, outputs["clip_svd"].probabilities, strict=True)))


def cross_validated(
    learner: Learner, images: StudySet, labelled: Sequence[int], seed: int, report: Report
) -> Estimate:
    """Predict every labelled image by a fit on other patients; each fold chooses its own learning rate."""
    labels, groups = images.labels(labelled), images.groups(labelled)
    patients = groups_in_smallest_class(labels, groups)
    if patients < MIN_GROUPS_TO_ESTIMATE:
        return Estimate(no_estimate(_too_few(learner, labels, groups)))
    folds = grouped_folds(labels, groups, min(learner.recipe.folds, patients), seed)
    collected: dict[MethodName, list[MethodOutput]] = {method: [] for method in METHODS}
    tested: list[int] = []
    for number, split in enumerate((fold.within(labelled) for fold in folds), start=1):
        stage = f"Estimate {number} of {len(folds)}: "
        if set(images.labels(split.train)) != set(labels):
            return Estimate(no_estimate(_too_few(learner, labels, groups)))
        trained = adapt(learner, images.examples(split.train, report), seed, report, stage)
        adapted = AdaptedModel(learner.backbone, learner.basis, trained.sigmas, learner.classes)
        found = method_outputs(learner, images, split, trained, adapted, seed, report)
        tested += split.test
        for method, output in found.items():
            collected[method].append(output)
    outputs = {method: _joined(parts) for method, parts in collected.items()}
    names = [spec.name for spec in learner.classes]
    evaluation = evaluate(
        outputs, images.labels(tested), images.groups(tested), names, "cross_validated", len(folds)
    )
    return Estimate(evaluation, dict(zip(tested, outputs["clip_svd"].probabilities, strict=True)))


def method_outputs(
    learner: Learner,
    images: StudySet,
    split: Split,
    trained: TrainedSigma,
    adapted: AdaptedModel,
    seed: int,
    report: Report,
) -> dict[MethodName, MethodOutput]:
    """Return what every method says of the test images, each having seen the training images only.

    split: positions in ``images``.
    """
    train, test = list(split.train), list(split.test)
    probe = fit_linear_probe(
        images.features[train], images.labels(train), images.groups(train), len(learner.classes), seed
    )
    return {
        "zero_shot": MethodOutput(images.zero_shot_probabilities(learner.classes)[test], 0, 0.0),
        "linear_probe": MethodOutput(
            probe.probabilities(images.features[test]), probe.trainable_parameters, probe.seconds
        ),
        "clip_svd": MethodOutput(
            images.adapted_probabilities(adapted, test, report), trained.trainable_parameters, trained.seconds
        ),
    }


def _joined(parts: Sequence[MethodOutput]) -> MethodOutput:
    return MethodOutput(
        np.concatenate([part.probabilities for part in parts]),
        max(part.trainable_parameters for part in parts),
        sum(part.seconds for part in parts),
    )


def _too_few(learner: Learner, labels: Sequence[int], groups: Sequence[str]) -> str:
    patients = {
        index: len({group for label, group in zip(labels, groups, strict=True) if label == index})
        for index in range(len(learner.classes))
    }
    index = min(patients, key=lambda known: patients[known])
    noun = "patient" if patients[index] == 1 else "patients"
    return (
        f"The class “{learner.classes[index].name}” has {patients[index]} {noun}; "
        f"an honest estimate needs at least {MIN_GROUPS_TO_ESTIMATE} in every class."
    )
