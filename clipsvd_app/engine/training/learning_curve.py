"""Accuracy against the number of examples, from the same labels, and what further examples are worth.

Many draws of many sizes are affordable only for methods on frozen features; CLIP-SVD is one point, at the
size at which it was estimated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.domain.results.evaluation import (
    Gain,
    LearningCurve,
    LearningPoint,
    MethodName,
    MoreExamples,
    Outlook,
)
from clipsvd_app.engine.baselines.methods import FROZEN_METHODS, small_products
from clipsvd_app.engine.data.splits import draw_shots
from clipsvd_app.engine.statistics import metrics
from clipsvd_app.engine.statistics.metrics import Floats
from clipsvd_app.engine.statistics.power_law import fit_power_law

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.evaluation import Evaluation
    from clipsvd_app.engine.baselines.task import BaselineTask
    from clipsvd_app.jobs.lines import Report

_METHODS: tuple[MethodName, ...] = ("text_probe", "gda")
# Draws of each size: enough for a mean and a range; each one is a fit of both methods.
_DRAWS = 8
_TRAINED_SHARE = 0.75
"""Of the smallest class: its other images are needed for testing."""
# Examples of each class. Sizes double up to it, so that the curve takes seconds on any project.
_LARGEST = 64
# Three sizes, 1, 2 and 4, are the fewest through which a line says more than its two parameters.
_LEAST_LARGEST, _LEAST_SIZES = 4, 3
_AHEAD = 0.05
"""If CLIP-SVD is so far above the curve, the curve says nothing about what would improve CLIP-SVD."""
_WORTH = 0.03
"""Further examples are recommended if they promise this much more sensitivity."""


@dataclass(frozen=True, slots=True)
class _Curve:
    """Sensitivities (draws, classes) of one method at each size."""

    method: MethodName
    sizes: tuple[int, ...]
    recalls: tuple[Floats, ...]

    @property
    def means(self) -> list[float]:
        """Return the mean balanced accuracy at each size."""
        return [float(found.mean()) for found in self.recalls]

    def points(self) -> list[LearningPoint]:
        """Return mean and range over draws at each size."""
        found = []
        for size, recalls in zip(self.sizes, self.recalls, strict=True):
            values = recalls.mean(axis=1)
            spread = float(values.min()), float(values.max())
            found.append(LearningPoint(size, self.method, float(values.mean()), *spread, len(values)))
        return found


def learning_curve(
    task: BaselineTask, names: Sequence[str], adapted: LearningPoint | None, report: Report
) -> LearningCurve | None:
    """Train on more and more of the labelled images and test on other patients; None with too few of them.

    task: all labelled images. adapted: CLIP-SVD at its one size.
    """
    sizes = _sizes(task)
    if max(sizes, default=0) < _LEAST_LARGEST:
        return None
    curves = [curve for curve in _curves(task, sizes, report) if len(curve.sizes) >= _LEAST_SIZES]
    if not curves:
        return None
    best = max(curves, key=lambda curve: curve.means[-1])
    law = fit_power_law(best.sizes, [1 - found.mean(axis=1) for found in best.recalls])
    ahead = adapted is not None and adapted.balanced_accuracy > 1 - law.error(adapted.shots) + _AHEAD
    advice = _advice(task, names, best) if law.is_good and not ahead else ()
    points = [point for curve in curves for point in curve.points()] + ([adapted] if adapted else [])
    known = int(np.bincount(task.truth).min())
    gain = Gain(*law.gain(known, known)) if law.is_good and not advice and not ahead else None
    outlook: Outlook = "ahead" if ahead else "no_law" if not law.is_good else "classes" if advice else "all"
    return LearningCurve(tuple(points), advice, best.method, outlook, gain)


def adapted_point(evaluation: Evaluation, trained_labels: Sequence[int]) -> LearningPoint:
    """Return CLIP-SVD at the size of its fits: images of the smallest class without the test fold."""
    smallest = int(np.bincount(trained_labels).min())
    shots = round(smallest * (1 - 1 / evaluation.folds)) if evaluation.folds else smallest
    value = next(score.balanced_accuracy for score in evaluation.methods if score.method == "clip_svd")
    return LearningPoint(shots, "clip_svd", value, value, value, evaluation.repeats)


def _sizes(task: BaselineTask) -> list[int]:
    largest = min(_LARGEST, int(_TRAINED_SHARE * np.bincount(task.truth, minlength=task.classes).min()))
    # Powers of two, as the axis of examples is logarithmic, and the largest size itself.
    return sorted({*(2**power for power in range(20) if 2**power <= largest), largest} - {0})


def _curves(task: BaselineTask, sizes: Sequence[int], report: Report) -> list[_Curve]:
    found: dict[MethodName, dict[int, Floats]] = {method: {} for method in _METHODS}
    for done, size in enumerate(sizes):
        report("Learning curve", done, len(sizes))
        with small_products():
            recalls = [_recalls(task, size, task.seed + draw) for draw in range(_DRAWS)]
        for method in _METHODS:
            rows = [drawn[method] for drawn in recalls if method in drawn]
            if rows:
                found[method][size] = np.stack(rows)
    report("Learning curve", len(sizes), len(sizes))
    return [_Curve(method, tuple(by_size), tuple(by_size.values())) for method, by_size in found.items()]


def _recalls(task: BaselineTask, shots: int, seed: int) -> dict[MethodName, Floats]:
    """Return the sensitivities (classes,) of each method on one draw; none where a class is left out."""
    split = draw_shots(task.labels, task.patient_ids, shots, seed)
    train, test = task.subset(split.train), task.subset(split.test)
    drawn = np.bincount(train.truth, minlength=task.classes)
    if drawn.min() < shots or len(set(test.labels)) < task.classes:
        return {}
    found = {}
    for method in _METHODS:
        answers = FROZEN_METHODS[method](train).probabilities(test.features).argmax(axis=1)
        confusion = metrics.confusion_matrix(test.truth, answers, task.classes)
        found[method] = np.diagonal(confusion) / confusion.sum(axis=1)
    return found


def _advice(task: BaselineTask, names: Sequence[str], curve: _Curve) -> tuple[MoreExamples, ...]:
    """Return the classes in which further examples, at most as many as there are, promise sensitivity."""
    advice = []
    for index, name in enumerate(names):
        law = fit_power_law(curve.sizes, [1 - found[:, index] for found in curve.recalls])
        known = int((task.truth == index).sum())
        more = law.examples_for(known, _WORTH)
        # A line through so few points is not trusted beyond twice the examples.
        if not law.is_good or more > known:
            continue
        count = max(1, int(np.ceil(more)))
        first, last = (float(curve.recalls[place][:, index].mean()) for place in (0, -1))
        gain = Gain(*law.gain(known, count))
        advice.append(MoreExamples(name, count, curve.sizes[0], curve.sizes[-1], first, last, gain))
    return tuple(advice)
