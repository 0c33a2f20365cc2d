"""Choosing the learning rate on one patient-grouped inner split with shortened runs.

No single rate serves every task: optima lie a factor of 30 apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.domain.results.run import RunNote
from clipsvd_app.engine.data.splits import inner_split
from clipsvd_app.engine.fitting.fit import Fit, FitTask, fit
from clipsvd_app.engine.fitting.forward import probabilities
from clipsvd_app.engine.statistics import metrics
from clipsvd_app.jobs.lines import unreported

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipsvd_app.domain.results.run import StepMetrics
    from clipsvd_app.engine.data.examples import Examples
    from clipsvd_app.engine.fitting.learner import Learner
    from clipsvd_app.jobs.lines import Report

SEARCH_STAGE = "Tuning the learning rate"


@dataclass(frozen=True, slots=True)
class RateChoice:
    """The chosen peak rate, and why it is not a searched one where it is not."""

    learning_rate: float
    notes: tuple[RunNote, ...] = ()


def choose_rate(
    learner: Learner,
    examples: Examples,
    seed: int,
    on_step: Callable[[int, StepMetrics], None],
    stage: str = "",
    report: Report = unreported,
) -> RateChoice:
    """Return the rate of best balanced accuracy on the inner split, ties by likelihood.

    With fewer examples than a split needs, the middle rate. ``on_step`` gets candidate and step; ``stage``
    distinguishes this search from others of the same run.
    """
    recipe = learner.recipe
    rates = sorted(recipe.learning_rates)
    middle = rates[len(rates) // 2]
    counts = np.bincount(examples.labels)
    if len(rates) == 1 or counts.min() < recipe.min_images_to_search:
        return RateChoice(middle, (RunNote("few_images"),) if len(rates) > 1 else ())
    split = inner_split(examples.labels, examples.patient_ids, seed)
    if split is None:
        return RateChoice(middle, (RunNote("few_patients"),))
    train, test = examples.subset(split.train), examples.subset(split.test)
    scores: list[tuple[float, float, float]] = []
    steps = recipe.search_steps
    for candidate, rate in enumerate(rates):
        before, total = candidate * steps, len(rates) * steps
        task = FitTask(f"{stage}search {rate}", rate, steps, seed, stage, SEARCH_STAGE, before, total)
        # Scored in the same expression, so that a candidate's models are freed before the next are made.
        scores.append(
            (*_score(learner, fit(learner, train, task, partial(on_step, candidate), report), test), rate)
        )
    return RateChoice(max(scores)[2])


def _score(learner: Learner, fitted: Fit, examples: Examples) -> tuple[float, float]:
    """Return balanced accuracy and mean log-likelihood on unaugmented images; worst if not finite."""
    found = probabilities(fitted.forward, examples.plain).numpy().astype(np.float64)
    if not np.isfinite(found).all():
        return 0.0, -math.inf
    truth = np.asarray(examples.labels, dtype=np.int64)
    confusion = metrics.confusion_matrix(truth, found.argmax(axis=1), len(learner.classes))
    return metrics.balanced_accuracy(confusion), -metrics.negative_log_likelihood(truth, found)
