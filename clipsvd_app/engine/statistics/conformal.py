"""Prediction sets that contain the true class with a stated probability (split conformal prediction).

The score is 1 - p of the true class (Sadinle, Lei, Wasserman 2019). Images of one patient are not
independent, so every patient has the same total weight (Lee, Barber, Willett 2024, hierarchical conformal
prediction): the threshold is the smallest score at which the weights add up to (n + 1)(1 - alpha) of n
calibration patients. With one image per patient that is the ceil((n + 1)(1 - alpha))-th smallest score.

Guarantee: on average over exchangeable patients, a set contains the true class with probability at least
1 - alpha. It holds for each evaluated image, whose threshold comes from the other patients, because scores by
fits that never saw their patients are exchangeable too, and for new images if the evaluated fit is the one
that is kept. It is not known to hold for new images after cross-validation: the model that is kept is then
none of those that were scored, so it gets no sets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipsvd_app.domain.results.evaluation import ConformalSets, Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.engine.statistics.metrics import Floats, Integers

# The smallest is tried first; each needs 1 / alpha - 1 calibration patients for a rank to exist.
_ALPHAS = (0.05, 0.1, 0.2)
# Sums of weights such as 1/3 + 1/3 + 1/3 miss their whole number by rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Conformal:
    """A summary of the sets, and their members (images, classes) by thresholds of other patients."""

    summary: ConformalSets
    members: NDArray[np.bool_]


def conformal_sets(
    probabilities: Floats, truth: Integers, patient_ids: Sequence[str], *, kept_fit: bool
) -> Conformal | None:
    """Calibrate on predictions (images, classes) for unseen images; None with too few patients.

    ``kept_fit``: all predictions come from the one fit that is kept, so that there is a threshold for new
    images. Every patient is left out of its own calibration, so alpha is chosen for one patient less than
    there are.
    """
    patients = len(set(patient_ids))
    alpha = alpha_for(patients - 1)
    if alpha is None:
        return None
    scores = 1 - probabilities[np.arange(len(truth)), truth]
    bounds = _bounds_of_others(scores, patient_ids, alpha)
    members = np.asarray(1 - probabilities <= bounds[:, None] + _ROUNDING)
    sizes = members.sum(axis=1)
    summary = ConformalSets(
        alpha=alpha,
        threshold=threshold_of(scores, patient_ids, alpha) if kept_fit else None,
        images=len(truth),
        coverage_range=coverage_range(patients, alpha) if kept_fit else None,
        mean_size=float(sizes.mean()),
        single_share=float((sizes == 1).mean()),
        patients=patients,
    )
    return Conformal(summary, members)


def alpha_for(patients: int) -> float | None:
    """Return the smallest alpha that so many calibration patients allow: from 19, 9 and 4 patients on."""
    return next((alpha for alpha in _ALPHAS if patients >= round(1 / alpha) - 1), None)


def threshold_of(scores: Floats, patient_ids: Sequence[str], alpha: float) -> float:
    """Return the largest score of a class in a set; 1, which is all classes, with too few patients."""
    membership, weights = _by_patient(patient_ids)
    order = np.argsort(scores, kind="stable")
    return _threshold(scores[order], weights[order], int(membership.max()) + 1, alpha)


def members_of(probabilities: Floats, threshold: float) -> NDArray[np.bool_]:
    """Return which classes belong to the sets (images, classes); a set may be empty."""
    return np.asarray(1 - probabilities <= threshold + _ROUNDING)


def coverage_range(patients: int, alpha: float) -> Interval:
    """Return the central 95 % of the coverage of new patients, given one calibration on so many patients.

    A beta distribution (Vovk 2012), exact with one image per patient; with several the true range is
    narrower.
    """
    from scipy.stats import beta

    rank = math.ceil((patients + 1) * (1 - alpha) - _ROUNDING)
    low, high = beta.ppf([0.025, 0.975], rank, patients + 1 - rank)
    return Interval(float(low), float(high))


def _bounds_of_others(scores: Floats, patient_ids: Sequence[str], alpha: float) -> Floats:
    """Return for each image (images,) the threshold from the other patients' scores."""
    membership, weights = _by_patient(patient_ids)
    order = np.argsort(scores, kind="stable")
    ranked, heavy, owner = scores[order], weights[order], membership[order]
    patients = int(membership.max()) + 1
    bounds = [
        _threshold(ranked, np.where(owner == patient, 0.0, heavy), patients - 1, alpha)
        for patient in range(patients)
    ]
    return np.array(bounds)[membership]


def _by_patient(patient_ids: Sequence[str]) -> tuple[NDArray[np.int64], Floats]:
    """Return each image's patient number and weight; the weights of one patient add up to 1."""
    _, membership, images = np.unique(np.asarray(patient_ids), return_inverse=True, return_counts=True)
    return membership, 1 / images[membership]


def _threshold(ranked: Floats, weights: Floats, patients: int, alpha: float) -> float:
    """Return the first of ascending scores at which the weights reach the quantile; 1 if none does."""
    reached = weights.cumsum() >= (patients + 1) * (1 - alpha) - _ROUNDING
    return float(ranked[reached.argmax()]) if reached.any() else 1.0
