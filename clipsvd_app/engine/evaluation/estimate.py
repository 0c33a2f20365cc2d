"""How well the method does on patients that no fit has seen: held out, set aside, or out of fold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from clipsvd_app.domain.evaluation import Evaluation, EvaluationKind, MethodName
from clipsvd_app.engine.adapted import AdaptedModel
from clipsvd_app.engine.evaluation.evaluate import Outputs, evaluate, mean_probabilities, no_estimate
from clipsvd_app.engine.evaluation.metrics import Floats
from clipsvd_app.engine.fitting.adapt import adapt
from clipsvd_app.engine.fitting.learner import Learner
from clipsvd_app.engine.ladder.methods import MethodOutput, blend, frozen_outputs
from clipsvd_app.engine.ladder.task import Features, LadderTask
from clipsvd_app.engine.splits import MIN_GROUPS_TO_ESTIMATE, Split, grouped_folds, groups_in_smallest_class
from clipsvd_app.engine.study_set import StudySet, probabilities_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.engine.trained import TrainedSigma
    from clipsvd_app.jobs import Report


class Watcher(Protocol):
    """Is shown the fits of an estimate's first repeat, each with the images that it has not seen."""

    def __call__(
        self, adapted: AdaptedModel, positions: Sequence[int], embedded: Features, report: Report
    ) -> None:
        """Look at images (positions, width) as the adapted model embeds them."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The evaluation, and the adapted probabilities (classes,) of each position it rests on."""

    evaluation: Evaluation
    probabilities: dict[int, Floats] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Study:
    """What is estimated: a learner on images, the seed of its draws, and what weakens the answer."""

    learner: Learner
    images: StudySet
    texts: Features
    seed: int
    warnings: tuple[str, ...] = ()

    @property
    def class_names(self) -> list[str]:
        """Return the names of the classes."""
        return [spec.name for spec in self.learner.classes]

    def task(self, positions: Sequence[int]) -> LadderTask:
        """Return labelled images as a method on frozen features learns from them."""
        images = self.images
        return LadderTask(
            images.features[list(positions)],
            images.labels(positions),
            images.groups(positions),
            self.texts,
            self.learner.backbone.logit_scale,
            self.seed,
        )


def study_of(learner: Learner, images: StudySet, seed: int, warnings: Sequence[str] = ()) -> Study:
    """Put a study together; the texts of the classes are embedded once."""
    return Study(learner, images, images.texts(learner.classes), seed, tuple(warnings))


def held_out(
    study: Study,
    split: Split,
    trained: TrainedSigma,
    adapted: AdaptedModel,
    report: Report,
    kind: EvaluationKind = "held_out",
    watch: Watcher | None = None,
) -> Estimate:
    """Score all methods on the test images, which share no patient with training."""
    images, test, names = study.images, split.test, study.class_names
    missing = [name for index, name in enumerate(names) if index not in set(images.labels(test))]
    if missing:
        reason = f"No patient of the class “{missing[0]}” is left to test on; train with fewer shots."
        return Estimate(no_estimate(reason))
    outputs = method_outputs(study, split, trained, adapted, report, watch)
    return _estimate(study, [outputs], test, kind)


def cross_validated(
    study: Study, labelled: Sequence[int], report: Report, watch: Watcher | None = None
) -> Estimate:
    """Predict every labelled image by fits on other patients; each fold chooses its own learning rate.

    ``watch`` is shown the fits of the first repeat, in which every image is unseen once.
    """
    images, recipe = study.images, study.learner.recipe
    labels, groups = images.labels(labelled), images.groups(labelled)
    patients = groups_in_smallest_class(labels, groups)
    if patients < MIN_GROUPS_TO_ESTIMATE:
        return Estimate(no_estimate(_too_few(study.class_names, labels, groups)))
    folds = min(recipe.folds, patients)
    repeats: list[Outputs] = []
    for repeat in range(recipe.repeats):
        splits = [fold.within(labelled) for fold in grouped_folds(labels, groups, folds, study.seed + repeat)]
        if any(set(images.labels(split.train)) != set(labels) for split in splits):
            return Estimate(no_estimate(_too_few(study.class_names, labels, groups)))
        parts = []
        for number, split in enumerate(splits, start=1 + repeat * folds):
            stage = f"Estimate {number} of {folds * recipe.repeats}: "
            seen_by = watch if repeat == 0 else None
            parts.append((split.test, _fold_outputs(study, split, report, stage, seen_by)))
        repeats.append(_joined(parts, labelled))
    return _estimate(study, repeats, labelled, "cross_validated", folds)


def method_outputs(
    study: Study,
    split: Split,
    trained: TrainedSigma,
    adapted: AdaptedModel,
    report: Report,
    watch: Watcher | None = None,
) -> Outputs:
    """Return what every method says of the test images, each having seen the training images only.

    split: positions in the study's images.
    """
    found = frozen_outputs(study.task(split.train), study.images.features[list(split.test)])
    embedded = study.images.adapted_features(adapted, split.test, report)
    if watch is not None:
        watch(adapted, split.test, embedded, report)
    rows = probabilities_of(adapted, embedded)
    adapted_output = MethodOutput(rows, trained.trainable_parameters, trained.seconds)
    return {
        **found,
        "clip_svd": adapted_output,
        "clip_svd_blend": blend(adapted_output, found["linear_probe"]),
    }


def _fold_outputs(study: Study, split: Split, report: Report, stage: str, watch: Watcher | None) -> Outputs:
    learner = study.learner
    trained = adapt(learner, study.images.examples(split.train, report), study.seed, report, stage)
    adapted = AdaptedModel(learner.backbone, learner.basis, trained.sigmas, learner.classes)
    return method_outputs(study, split, trained, adapted, report, watch)


def _estimate(
    study: Study, repeats: Sequence[Outputs], tested: Sequence[int], kind: EvaluationKind, folds: int = 0
) -> Estimate:
    images = study.images
    evaluation = evaluate(
        repeats,
        images.labels(tested),
        images.groups(tested),
        study.class_names,
        kind,
        folds,
        study.warnings,
    )
    means = mean_probabilities([outputs["clip_svd"] for outputs in repeats])
    return Estimate(evaluation, dict(zip(tested, means, strict=True)))


def _joined(parts: Sequence[tuple[Sequence[int], Outputs]], positions: Sequence[int]) -> Outputs:
    """Put the folds of one repeat together, images in the order of ``positions``."""
    tested = [position for test, _ in parts for position in test]
    place = {position: row for row, position in enumerate(tested)}
    rows = [place[position] for position in positions]
    methods: list[MethodName] = list(parts[0][1])
    return {
        method: MethodOutput(
            np.concatenate([outputs[method].probabilities for _, outputs in parts])[rows],
            max(outputs[method].trainable_parameters for _, outputs in parts),
            sum(outputs[method].seconds for _, outputs in parts),
        )
        for method in methods
    }


def _too_few(names: Sequence[str], labels: Sequence[int], groups: Sequence[str]) -> str:
    patients = {
        index: len({group for label, group in zip(labels, groups, strict=True) if label == index})
        for index in range(len(names))
    }
    index = min(patients, key=lambda known: patients[known])
    noun = "patient" if patients[index] == 1 else "patients"
    return (
        f"The class “{names[index]}” has {patients[index]} {noun}; "
        f"an honest estimate needs at least {MIN_GROUPS_TO_ESTIMATE} in every class."
    )
