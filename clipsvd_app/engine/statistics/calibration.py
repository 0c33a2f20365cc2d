"""Calibration of predicted probabilities: one temperature, tested on patients it was not fitted on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.domain.results.evaluation import FEW_IMAGES, Calibration, ReliabilityBin
from clipsvd_app.engine.data.splits import patient_folds
from clipsvd_app.engine.statistics import metrics
from clipsvd_app.engine.statistics.metrics import Floats, softmax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.engine.statistics.metrics import Integers

PRIOR_MEAN, PRIOR_SPREAD = 0.5, 0.7
"""Normal prior of log T: fits on few images are overconfident, typically by a factor of e^0.5 = 1.6."""
# Of log T: more than six standard deviations of the prior to either side, so that they never decide.
_BOUNDS = (-4.0, 5.0)
# One temperature needs few images; five folds leave four fifths of the patients to fit it.
_FOLDS = 5
# Keeps the logarithm of a probability of 0 finite.
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The temperature for all images, and probabilities (images, classes) at temperatures of other patients.

    The latter only show how good the calibration is; images are shown with the one temperature, which is
    also the adapter's.
    """

    summary: Calibration
    probabilities: Floats


def calibrate(probabilities: Floats, truth: Integers, patient_ids: Sequence[str]) -> Calibrated:
    """Fit one temperature to predictions (images, classes) for images that their fits never saw."""
    temperature = fit_temperature(probabilities, truth)
    folds = patient_folds(patient_ids, _FOLDS)
    crossed = np.empty_like(probabilities)
    for fold in np.unique(folds):
        test = folds == fold
        crossed[test] = apply_temperature(
            probabilities[test], fit_temperature(probabilities[~test], truth[~test])
        )
    before = metrics.negative_log_likelihood(truth, probabilities)
    after = metrics.negative_log_likelihood(truth, crossed)
    summary = Calibration(
        temperature=temperature,
        brier_before=metrics.brier(truth, probabilities),
        brier_after=metrics.brier(truth, crossed),
        negative_log_likelihood_before=before,
        negative_log_likelihood_after=after,
        bins=reliability_bins(crossed, truth, patient_ids),
    )
    return Calibrated(summary, crossed)


def fit_temperature(probabilities: Floats, truth: Integers) -> float:
    """Return the maximum a posteriori T, with log T normal about PRIOR_MEAN; without images the prior's."""
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(truth))

    def cost(log_temperature: float) -> float:
        scaled = apply_temperature(probabilities, math.exp(log_temperature))
        surprise = -np.log(scaled[rows, truth].clip(_TINY)).sum()
        return float(surprise + (log_temperature - PRIOR_MEAN) ** 2 / (2 * PRIOR_SPREAD**2))

    # Of log T: a millionth is far below what can be seen of a probability.
    found = minimize_scalar(cost, bounds=_BOUNDS, method="bounded", options={"xatol": 1e-6})
    return math.exp(float(found.x))


def apply_temperature(probabilities: Floats, temperature: float) -> Floats:
    """Return the softmax of logits divided by the temperature (images, classes)."""
    return softmax(np.log(probabilities.clip(_TINY)) / temperature)


def reliability_bins(
    probabilities: Floats, truth: Integers, patient_ids: Sequence[str]
) -> tuple[ReliabilityBin, ...]:
    """Return the accuracy of images of similar confidence; empty bins are left out."""
    # With few images, five bins: in ten most would hold none or one.
    edges = np.linspace(0, 1, (10 if len(truth) >= FEW_IMAGES else 5) + 1)
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    places, names = np.digitize(confidence, edges[1:-1]), np.asarray(patient_ids)
    found = []
    for place in np.unique(places):
        inside = places == place
        found.append(
            ReliabilityBin(
                low=float(edges[place]),
                high=float(edges[place + 1]),
                images=int(inside.sum()),
                confidence=float(confidence[inside].mean()),
                accuracy=float(right[inside].mean()),
                interval=metrics.share_interval(right[inside].astype(float), names[inside].tolist()),
            )
        )
    return tuple(found)
