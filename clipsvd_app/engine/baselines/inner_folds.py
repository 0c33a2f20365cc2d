"""Choosing a method's settings by inner cross-validation over the patients of the training images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from clipsvd_app.engine.data.splits import Split, folds_by_patient, patients_in_smallest_class
from clipsvd_app.engine.statistics import metrics
from clipsvd_app.engine.statistics.calibration import fit_temperature

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clipsvd_app.engine.baselines.task import BaselineTask
    from clipsvd_app.engine.data.features import Features
    from clipsvd_app.engine.statistics.metrics import Floats, Integers

T = TypeVar("T")
# Each fit then sees three quarters of the patients; more folds cost more fits for few further images.
_FOLDS = 4


def inner_folds(
    labels: Sequence[int], patient_ids: Sequence[str], classes: int, seed: int, folds: int = _FOLDS
) -> tuple[Split, ...]:
    """Return patient-grouped folds whose training side has every class; none with too few patients."""
    folds = min(folds, patients_in_smallest_class(labels, patient_ids))
    if folds < 2:
        return ()
    return tuple(
        split
        for split in folds_by_patient(labels, patient_ids, folds, seed)
        if len({labels[position] for position in split.train}) == classes
    )


@dataclass(frozen=True, slots=True)
class Choice(Generic[T]):
    """A chosen setting, and the temperature that calibrates its probabilities on unseen patients."""

    setting: T
    temperature: float = 1.0


def choose(
    task: BaselineTask,
    candidates: Sequence[T],
    default: T,
    answers: Callable[[BaselineTask, Features], Sequence[Floats]],
) -> Choice[T]:
    """Return the candidate of best out-of-fold balanced accuracy, ties by likelihood.

    ``answers`` fits on a task and returns probabilities (images, classes) of the features for every
    candidate in turn, so that one fit serves them all. Without folds the default. Settings chosen by accuracy
    give uncalibrated probabilities; one temperature, which changes no prediction, makes their log loss
    comparable.
    """
    splits = inner_folds(task.labels, task.patient_ids, task.classes, task.seed)
    if not splits:
        return Choice(default)
    found = [answers(task.subset(split.train), task.features[list(split.test)]) for split in splits]
    truth = np.concatenate([task.truth[list(split.test)] for split in splits])
    joined = [np.concatenate([fold[place] for fold in found]) for place in range(len(candidates))]
    best = max(range(len(candidates)), key=lambda place: score(truth, joined[place]))
    return Choice(candidates[best], fit_temperature(joined[best], truth))


def score(truth: Integers, probabilities: Floats) -> tuple[float, float]:
    """Return balanced accuracy and mean log-likelihood, compared in this order."""
    confusion = metrics.confusion_matrix(truth, probabilities.argmax(axis=1), probabilities.shape[1])
    return metrics.balanced_accuracy(confusion), -metrics.negative_log_likelihood(truth, probabilities)
