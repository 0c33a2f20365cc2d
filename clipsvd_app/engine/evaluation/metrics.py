"""Figures of merit and how sure they are: all fractions from 0 to 1, intervals of 95 %."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipsvd_app.domain.evaluation import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_Z = 1.959963984540054
RESAMPLES = 2000
_EPSILON = 1e-12


def confusion_matrix(truth: Integers, predicted: Integers, classes: int) -> Integers:
    """Return counts (classes, classes), rows true and columns predicted."""
    return np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def balanced_accuracy(confusion: Integers) -> float:
    """Return the mean sensitivity over the classes that occur."""
    return float(_mean_recall(confusion[None].astype(np.float64))[0])


def negative_log_likelihood(truth: Integers, probabilities: Floats) -> float:
    """Return the mean of -log p(true class)."""
    return float(-np.log(probabilities[np.arange(len(truth)), truth].clip(_EPSILON)).mean())


def brier(truth: Integers, probabilities: Floats) -> float:
    """Return the mean squared error over all classes, halved: 0 is perfect and 1 the worst."""
    wanted = np.eye(probabilities.shape[1])[truth]
    return float(np.square(probabilities - wanted).sum(axis=1).mean() / 2)


def macro_auroc(truth: Integers, probabilities: Floats) -> float | None:
    """Return the mean one-against-rest area under the ROC curve; None if a class is absent or alone."""
    areas = [_auroc(truth == label, probabilities[:, label]) for label in range(probabilities.shape[1])]
    known = [area for area in areas if area is not None]
    return float(np.mean(known)) if len(known) == len(areas) else None


def wilson(hits: float, total: float) -> Interval:
    """Return Wilson's score interval of a proportion (Wilson 1927); 0 to 1 when nothing was counted."""
    if total == 0:
        return Interval(0.0, 1.0)
    share = hits / total
    centre = share + _Z**2 / (2 * total)
    half = _Z * math.sqrt(share * (1 - share) / total + _Z**2 / (4 * total**2))
    scale = 1 + _Z**2 / total
    low = 0.0 if hits == 0 else max(0.0, (centre - half) / scale)
    high = 1.0 if hits == total else min(1.0, (centre + half) / scale)
    return Interval(low, high)


def bootstrap_balanced_accuracy(
    truth: Integers, predictions: Sequence[Integers], groups: Sequence[str], classes: int, seed: int = 0
) -> Floats:
    """Resample patients with replacement and return balanced accuracies (methods, RESAMPLES).

    All methods see the same resamples, so that differences of rows are paired. A resample in which a
    class is missing counts the classes that it has.
    """
    names, membership = np.unique(np.asarray(groups), return_inverse=True)
    counts = np.zeros((len(predictions), len(names), classes, classes))
    for method, predicted in enumerate(predictions):
        np.add.at(counts[method], (membership, truth, predicted), 1)
    generator = np.random.default_rng(seed)
    weights = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES)
    resampled = np.einsum("rg,mgtp->mrtp", weights.astype(np.float64), counts, optimize=True)
    return np.stack([_mean_recall(confusions) for confusions in resampled])


def percentile_interval(values: Floats, patients: int) -> Interval:
    """Return the central 95 % of resampled values, widened for few patients.

    A bootstrap of n patients is too narrow as a normal interval without Student's t is; the percentiles
    are moved outwards accordingly (the expanded percentile interval of Hesterberg 2015, section 5.3.2).
    """
    from scipy.stats import norm, t

    if patients < 2:
        return Interval(float(values.min()), float(values.max()))
    tail = 100 * norm.cdf(t.ppf(0.025, patients - 1) * math.sqrt(patients / (patients - 1)))
    low, high = np.percentile(values, [tail, 100 - tail])
    return Interval(float(low), float(high))


def balanced_interval(confusion: Floats, resampled: Floats, patients: int) -> Interval:
    """Return the interval of a balanced accuracy: resampled patients, and never surer than its counts.

    Where every image is right no resample differs from another, so Wilson's intervals of the classes are
    put together too (Zou and Donner 2008), and the wider bound counts on each side.
    """
    shares, spans = _class_intervals(confusion)
    value = float(shares.mean())
    below = math.sqrt(float(np.square(shares - spans[:, 0]).sum())) / len(shares)
    above = math.sqrt(float(np.square(spans[:, 1] - shares).sum())) / len(shares)
    drawn = percentile_interval(resampled, patients)
    return Interval(max(0.0, min(drawn.low, value - below)), min(1.0, max(drawn.high, value + above)))


def _class_intervals(confusion: Floats) -> tuple[Floats, Floats]:
    """Return sensitivities (classes,) and Wilson's bounds (classes, 2) of the classes that occur."""
    totals, hits = confusion.sum(axis=1), np.diagonal(confusion)
    known = totals > 0
    bounds = [wilson(float(h), float(n)) for h, n in zip(hits[known], totals[known], strict=True)]
    return hits[known] / totals[known], np.array([(bound.low, bound.high) for bound in bounds])


def _mean_recall(confusions: Floats) -> Floats:
    """Return balanced accuracies (n,) of confusion matrices (n, classes, classes)."""
    totals = confusions.sum(axis=2)
    hits = np.diagonal(confusions, axis1=1, axis2=2)
    recalls = np.divide(hits, totals, out=np.zeros_like(hits), where=totals > 0)
    present = (totals > 0).sum(axis=1).clip(1)
    return np.asarray(recalls.sum(axis=1) / present)


def _auroc(positive: NDArray[np.bool_], score: Floats) -> float | None:
    """Return the share of (positive, negative) pairs in the right order, ties counting half."""
    wins, losses = int(positive.sum()), int((~positive).sum())
    if wins == 0 or losses == 0:
        return None
    from scipy.stats import rankdata

    ranks = rankdata(score)
    return float((ranks[positive].sum() - wins * (wins + 1) / 2) / (wins * losses))
