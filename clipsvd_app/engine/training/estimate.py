"""How good the method is on patients that no fit has seen: held out or out of fold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from clipsvd_app.domain.results.evaluation import (
    MIN_PATIENTS_TO_ESTIMATE,
    Evaluation,
    EvaluationKind,
    MethodName,
    NoEstimate,
)
from clipsvd_app.engine.baselines.methods import MethodOutput
from clipsvd_app.engine.data.splits import (
    Split,
    folds_by_patient,
    patients_in_smallest_class,
)
from clipsvd_app.engine.fitting.adapt import adapt, adapted_model, plain_learner
from clipsvd_app.engine.statistics.metrics import Floats
from clipsvd_app.engine.training.evaluate import Outputs, evaluate, mean_probabilities, scored
from clipsvd_app.engine.training.labelled_images import LabelledImages, probabilities_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.recipe import Recipe
    from clipsvd_app.engine.data.features import Features
    from clipsvd_app.engine.fitting.learner import Learner
    from clipsvd_app.engine.sigma.adapted import AdaptedModel
    from clipsvd_app.engine.sigma.trained import TrainedSigma
    from clipsvd_app.jobs.lines import Report


class Watcher(Protocol):
    """Gets the fits of an estimate's first repeat, each with its unseen images."""

    def __call__(
        self, adapted: AdaptedModel, positions: Sequence[int], embedded: Features, report: Report
    ) -> None:
        """Take the adapted model's embeddings (positions, width) of unseen images."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The evaluation, and the adapted probabilities (classes,) of each position it rests on."""

    evaluation: Evaluation
    probabilities: dict[int, Floats] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rounds:
    """Which fits test which images: the splits of each repeat, which together test ``tested`` once.

    Without rounds, ``reason`` says why there can be no estimate.
    """

    kind: EvaluationKind
    tested: tuple[int, ...] = ()
    repeats: tuple[tuple[Split, ...], ...] = ()
    missing: NoEstimate | None = None

    @property
    def folds(self) -> int:
        """Count the folds of each repeat, 0 where one fixed set of patients is the test."""
        return len(self.repeats[0]) if self.kind == "cross_validated" else 0


BaselineOutputs = tuple[tuple[Outputs, ...], ...]
"""Outputs of the methods on frozen features in each split of each repeat."""


def held_out_round(images: LabelledImages, split: Split, kind: EvaluationKind) -> Rounds:
    """Return the round in which the test images, of other patients, test one fit."""
    found = set(images.labels(split.test))
    missing = [name for index, name in enumerate(images.class_names) if index not in found]
    if missing:
        return Rounds("none", missing=NoEstimate("class_not_tested", missing[0]))
    return Rounds(kind, split.test, ((split,),))


def cross_validation_rounds(images: LabelledImages, labelled: Sequence[int], recipe: Recipe) -> Rounds:
    """Return rounds in which fits on other patients predict every labelled image once a repeat."""
    names = images.class_names
    labels, patient_ids = images.labels(labelled), images.patient_ids(labelled)
    patients = patients_in_smallest_class(labels, patient_ids)
    if patients < MIN_PATIENTS_TO_ESTIMATE:
        return Rounds("none", missing=_too_few(names, labels, patient_ids))
    folds = min(recipe.folds, patients)
    repeats = []
    for repeat in range(recipe.repeats):
        drawn = folds_by_patient(labels, patient_ids, folds, images.seed + repeat)
        splits = tuple(fold.within(labelled) for fold in drawn)
        if any(set(images.labels(split.train)) != set(labels) for split in splits):
            return Rounds("none", missing=_too_few(names, labels, patient_ids))
        repeats.append(splits)
    return Rounds("cross_validated", tuple(labelled), tuple(repeats))


def fit_baselines(images: LabelledImages, rounds: Rounds, report: Report) -> BaselineOutputs:
    """Fit all methods on frozen features, which takes seconds, before anything is adapted."""
    splits = [split for repeat in rounds.repeats for split in repeat]
    outputs = []
    for done, split in enumerate(splits):
        report("Methods on frozen features", done, len(splits))
        outputs.append(images.frozen_outputs(split))
    each = max(1, len(rounds.repeats[0])) if rounds.repeats else 1
    return tuple(tuple(outputs[start : start + each]) for start in range(0, len(outputs), each))


def baseline_evaluation(images: LabelledImages, rounds: Rounds, baselines: BaselineOutputs) -> Evaluation:
    """Return the metrics of the methods on frozen features, without a verdict."""
    if not rounds.repeats:
        return Evaluation("none", rounds.missing)
    repeats = [_joined(rounds, number, outputs) for number, outputs in enumerate(baselines)]
    labels, patient_ids = images.labels(rounds.tested), images.patient_ids(rounds.tested)
    return scored(
        repeats, labels, patient_ids, images.class_names, rounds.kind, rounds.folds, images.warnings
    )[0]


def held_out(
    images: LabelledImages,
    rounds: Rounds,
    baselines: BaselineOutputs,
    learner: Learner,
    trained: TrainedSigma,
    adapted: AdaptedModel,
    report: Report,
    watch: Watcher | None = None,
) -> Estimate:
    """Score all methods on the test images of the one split."""
    if not rounds.repeats:
        return Estimate(Evaluation("none", rounds.missing))
    split, frozen = rounds.repeats[0][0], baselines[0][0]
    frozen = {**frozen, **plain_output(images, learner, split, report)}
    outputs = method_outputs(images, split, frozen, trained, adapted, report, watch)
    return _estimate(images, rounds, [outputs])


def cross_validated(
    images: LabelledImages,
    learner: Learner,
    rounds: Rounds,
    baselines: BaselineOutputs,
    report: Report,
    watch: Watcher | None = None,
) -> Estimate:
    """Predict every labelled image by fits on other patients; each fold chooses its own start.

    ``watch`` gets the fits of the first repeat, in which every image is unseen once.
    """
    if not rounds.repeats:
        return Estimate(Evaluation("none", rounds.missing))
    repeats: list[Outputs] = []
    for repeat, splits in enumerate(rounds.repeats):
        parts = []
        for place, split in enumerate(splits):
            number = 1 + repeat * rounds.folds + place
            stage = f"Estimate {number} of {rounds.folds * len(rounds.repeats)}: "
            examples = images.examples(split.train, report)
            trained = adapt(learner, examples, images.seed, report, stage)
            adapted = adapted_model(learner, trained)
            seen_by = watch if repeat == 0 else None
            plain = plain_output(images, learner, split, report, stage)
            frozen = {**baselines[repeat][place], **plain}
            parts.append(method_outputs(images, split, frozen, trained, adapted, report, seen_by))
        repeats.append(_joined(rounds, repeat, parts))
    return _estimate(images, rounds, repeats)


def method_outputs(
    images: LabelledImages,
    split: Split,
    frozen: Outputs,
    trained: TrainedSigma,
    adapted: AdaptedModel,
    report: Report,
    watch: Watcher | None = None,
) -> Outputs:
    """Return each method's output for the test images, trained only on the training images.

    split: positions in the images; frozen: outputs of the other methods.
    """
    embedded = images.adapted_features(adapted, split.test, report)
    if watch is not None:
        watch(adapted, split.test, embedded, report)
    rows = probabilities_of(adapted, embedded)
    return {**frozen, "clip_svd": MethodOutput(rows, trained.trainable_parameters, trained.seconds)}


def plain_output(
    images: LabelledImages, learner: Learner, split: Split, report: Report, stage: str = ""
) -> Outputs:
    """Return the output of plain CLIP-SVD for the test images; none where it is the recipe itself."""
    if learner.recipe.plain:
        return {}
    plain = plain_learner(learner)
    trained = adapt(plain, images.examples(split.train, report), images.seed, report, _plain_stage(stage))
    rows = images.adapted_probabilities(adapted_model(plain, trained), split.test, report)
    return {"clip_svd_plain": MethodOutput(rows, trained.trainable_parameters, trained.seconds)}


def _plain_stage(stage: str) -> str:
    """Return what plain CLIP-SVD's fit is called within a fold, “Estimate 1 of 3: ”, or by itself."""
    return f"{stage.removesuffix(': ')}, as in the paper: " if stage else "As in the paper: "


def _estimate(images: LabelledImages, rounds: Rounds, repeats: Sequence[Outputs]) -> Estimate:
    evaluation = evaluate(
        repeats,
        images.labels(rounds.tested),
        images.patient_ids(rounds.tested),
        images.class_names,
        rounds.kind,
        rounds.folds,
        images.warnings,
    )
    means = mean_probabilities([outputs["clip_svd"] for outputs in repeats])
    return Estimate(evaluation, dict(zip(rounds.tested, means, strict=True)))


def _joined(rounds: Rounds, repeat: int, parts: Sequence[Outputs]) -> Outputs:
    """Join the splits of one repeat, with images in the order of ``tested``."""
    tested = [position for split in rounds.repeats[repeat] for position in split.test]
    place = {position: row for row, position in enumerate(tested)}
    rows = [place[position] for position in rounds.tested]
    methods: list[MethodName] = list(parts[0])
    return {
        method: MethodOutput(
            np.concatenate([outputs[method].probabilities for outputs in parts])[rows],
            max(outputs[method].trainable_parameters for outputs in parts),
            sum(outputs[method].seconds for outputs in parts),
        )
        for method in methods
    }


def _too_few(names: Sequence[str], labels: Sequence[int], patient_ids: Sequence[str]) -> NoEstimate:
    patients = {
        index: len(
            {patient_id for label, patient_id in zip(labels, patient_ids, strict=True) if label == index}
        )
        for index in range(len(names))
    }
    index = min(patients, key=lambda known: patients[known])
    return NoEstimate("too_few_patients", names[index], patients[index])
