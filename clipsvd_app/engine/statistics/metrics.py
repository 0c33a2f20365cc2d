"""Metrics and their 95 % confidence intervals: all fractions from 0 to 1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipsvd_app.domain.results.evaluation import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# The 97.5 % point of the standard normal distribution.
_Z = 1.959963984540054
# Each end of a 95 % interval then has 50 resamples beyond it.
RESAMPLES = 2000
# Keeps the logarithm of a probability of 0 finite.
_EPSILON = 1e-12


def softmax(logits: Floats) -> Floats:
    """Return probabilities (images, classes)."""
    # The largest logit is taken off, so that no exponential overflows.
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def confusion_matrix(truth: Integers, predicted: Integers, classes: int) -> Integers:
    """Return counts (classes, classes), rows true and columns predicted."""
    return np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def balanced_accuracy(confusion: Integers) -> float:
    """Return the mean sensitivity over the classes that occur."""
    return float(_mean_recall(confusion[None].astype(np.float64))[0])


def negative_log_likelihood(truth: Integers, probabilities: Floats) -> float:
    """Return the mean of -log p(true class) over images."""
    return float(-np.log(probabilities[np.arange(len(truth)), truth].clip(_EPSILON)).mean())


def brier(truth: Integers, probabilities: Floats) -> float:
    """Return the mean squared error over all classes, halved: 0 is perfect and 1 the worst."""
    wanted = np.eye(probabilities.shape[1])[truth]
    return float(np.square(probabilities - wanted).sum(axis=1).mean() / 2)


def macro_auroc(truth: Integers, probabilities: Floats) -> float | None:
    """Return the mean one-against-rest area under the ROC curve; None unless two classes are present."""
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
    # Exactly 0 and 1 where nothing or everything was hit, which rounding would miss.
    low = 0.0 if hits == 0 else max(0.0, (centre - half) / scale)
    high = 1.0 if hits == total else min(1.0, (centre + half) / scale)
    return Interval(low, high)


def share_interval(right: Floats, patient_ids: Sequence[str]) -> Interval:
    """Return Wilson's interval of the share of images (images,) that are right, by patients.

    right: 0 or 1, or a mean over repeats. The number of images is divided by the design effect of the
    patients (Rao and Scott 1992). Where all images are right, or all wrong, that effect cannot be estimated,
    and patients are counted in place of images.
    """
    images = len(right)
    if images == 0:
        return wilson(0, 0)
    _, membership, counts = np.unique(np.asarray(patient_ids), return_inverse=True, return_counts=True)
    patients, share = len(counts), float(right.mean())
    size = float(patients)
    if patients == images:
        size = float(images)
    elif patients > 1 and 0 < share < 1:
        residuals = np.bincount(membership, right) - share * counts
        variance = patients / (patients - 1) * float(np.square(residuals).sum()) / images**2
        size = max(1.0, images / max(1.0, variance * images / (share * (1 - share))))
    return wilson(share * size, size)


def bootstrap_balanced_accuracy(
    truth: Integers, predictions: Sequence[Integers], patient_ids: Sequence[str], classes: int, seed: int = 0
) -> Floats:
    """Resample patients with replacement and return balanced accuracies (methods, RESAMPLES).

    All methods see the same resamples, so that differences of rows are paired. A resample in which a
    class is missing counts the classes that it has.
    """
    names, membership = np.unique(np.asarray(patient_ids), return_inverse=True)
    counts = np.zeros((len(predictions), len(names), classes, classes))
    for method, predicted in enumerate(predictions):
        np.add.at(counts[method], (membership, truth, predicted), 1)
    generator = np.random.default_rng(seed)
    weights = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES)
    resampled = np.einsum("rg,mgtp->mrtp", weights.astype(np.float64), counts, optimize=True)
    return np.stack([_mean_recall(confusions) for confusions in resampled])


def percentile_interval(values: Floats, patients: int) -> Interval:
    """Return the central 95 % of resampled values, widened for few patients.

    A bootstrap of n patients is too narrow, as is a normal interval without Student's t; the percentiles are
    moved outwards accordingly (the expanded percentile interval of Hesterberg 2015, section 5.3.2).
    """
    from scipy.stats import norm, t

    if patients < 2:
        # One patient has no degree of freedom for Student's t.
        return Interval(float(values.min()), float(values.max()))
    tail = 100 * norm.cdf(t.ppf(0.025, patients - 1) * math.sqrt(patients / (patients - 1)))
    low, high = np.percentile(values, [tail, 100 - tail])
    return Interval(float(low), float(high))


def balanced_interval(
    right: Floats, truth: Integers, patient_ids: Sequence[str], resampled: Floats, patients: int
) -> Interval:
    """Return the interval of a balanced accuracy from resampled patients, never narrower than its counts.

    right: (images,), 0 or 1, or means over repeats. Where every image is right all resamples are equal, so
    Wilson's intervals of the classes are combined as well, and the wider bound is taken on each side.
    """
    names = np.asarray(patient_ids)
    classes = [truth == label for label in np.unique(truth)]
    shares = [float(right[own].mean()) for own in classes]
    spans = [share_interval(right[own], names[own].tolist()) for own in classes]
    counted = _mean_interval(shares, spans)
    drawn = percentile_interval(resampled, patients)
    return Interval(max(0.0, min(drawn.low, counted.low)), min(1.0, max(drawn.high, counted.high)))


def difference_interval(
    change: Floats, truth: Integers, patient_ids: Sequence[str], resampled: Floats, patients: int
) -> Interval:
    """Return the interval of a difference of balanced accuracies from resampled patients.

    change: (images,), one method's correctness minus the other's, from -1 to 1. Where all resamples are
    equal, as with two methods of equal predictions, the patients of each class bound the share in which the
    methods can differ.
    """
    if float(np.ptp(resampled)) > _EPSILON:
        return percentile_interval(resampled, patients)
    names = np.asarray(patient_ids)
    classes = [truth == label for label in np.unique(truth)]
    changes = [float(change[own].mean()) for own in classes]
    spans = [
        _change_interval(value, len(set(names[own]))) for value, own in zip(changes, classes, strict=True)
    ]
    return _mean_interval(changes, spans)


def _change_interval(change: float, patients: int) -> Interval:
    """Return Wilson's interval of a share that changed, by number of patients, on its side of 0."""
    span = wilson(abs(change) * patients, patients)
    if change == 0:
        return Interval(-span.high, span.high)
    return span if change > 0 else Interval(-span.high, -span.low)


def _mean_interval(values: Sequence[float], spans: Sequence[Interval]) -> Interval:
    """Return the interval of the mean of independent values with their own intervals (Zou, Donner 2008)."""
    mean = sum(values) / len(values)
    below = math.hypot(*(value - span.low for value, span in zip(values, spans, strict=True)))
    above = math.hypot(*(span.high - value for value, span in zip(values, spans, strict=True)))
    return Interval(mean - below / len(values), mean + above / len(values))


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
