"""Sets of classes that hold the right one with a stated chance (split conformal prediction).

The score is 1 - p of the true class (Sadinle, Lei, Wasserman 2019). Images of one patient are no
independent evidence, so every patient weighs the same in all (Dunn, Wasserman, Ramdas 2022); with one
image a patient that is the plain rule: the ceil((n + 1)(1 - alpha))-th smallest score.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipsvd_app.domain.evaluation import ConformalSets, Interval
from clipsvd_app.engine.splits import patient_folds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.engine.evaluation.metrics import Floats, Integers

_ALPHAS = (0.05, 0.1, 0.2)
_FOLDS = 5
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Conformal:
    """The threshold for new images, and members (images, classes) by thresholds of other patients."""

    summary: ConformalSets
    members: NDArray[np.bool_]


def conformal_sets(probabilities: Floats, truth: Integers, groups: Sequence[str]) -> Conformal | None:
    """Calibrate on predictions (images, classes) that their fits never saw; None with too few patients.

    How often sets hold is counted on images whose threshold came from other patients.
    """
    patients = len(set(groups))
    alpha = alpha_for(patients)
    if alpha is None:
        return None
    scores = 1 - probabilities[np.arange(len(truth)), truth]
    names = np.asarray(groups)
    folds = patient_folds(groups, _FOLDS)
    members = np.zeros(probabilities.shape, dtype=bool)
    for fold in np.unique(folds):
        test = folds == fold
        members[test] = members_of(
            probabilities[test], threshold_of(scores[~test], names[~test].tolist(), alpha)
        )
    held = members[np.arange(len(truth)), truth]
    sizes = members.sum(axis=1)
    summary = ConformalSets(
        alpha=alpha,
        threshold=threshold_of(scores, groups, alpha),
        images=len(truth),
        coverage=float(held.mean()),
        coverage_range=coverage_range(patients, alpha),
        mean_size=float(sizes.mean()),
        single_share=float((sizes == 1).mean()),
        sentence="",
    )
    return Conformal(_with_sentence(summary, patients), members)


def alpha_for(patients: int) -> float | None:
    """Return the smallest chance of error that so many patients can promise: 19, 9 and 4 are the bounds."""
    return next((alpha for alpha in _ALPHAS if patients >= round(1 / alpha) - 1), None)


def threshold_of(scores: Floats, groups: Sequence[str], alpha: float) -> float:
    """Return the score up to which a class belongs to a set; 1, all classes, with too few patients."""
    images = Counter(groups)
    weights = np.array([1 / images[group] for group in groups])
    needed = math.ceil((len(images) + 1) * (1 - alpha) - _ROUNDING)
    order = np.argsort(scores, kind="stable")
    reached = np.flatnonzero(weights[order].cumsum() >= needed - _ROUNDING)
    return float(scores[order][reached[0]]) if len(reached) else 1.0


def members_of(probabilities: Floats, threshold: float) -> NDArray[np.bool_]:
    """Return which classes belong to the sets (images, classes); a set may be empty."""
    return np.asarray(1 - probabilities <= threshold + _ROUNDING)


def coverage_range(patients: int, alpha: float) -> Interval:
    """Return where 95 % of calibrations on so many patients land: a beta distribution (Vovk 2012)."""
    from scipy.stats import beta

    rank = math.ceil((patients + 1) * (1 - alpha) - _ROUNDING)
    low, high = beta.ppf([0.025, 0.975], rank, patients + 1 - rank)
    return Interval(float(low), float(high))


def _with_sentence(found: ConformalSets, patients: int) -> ConformalSets:
    from dataclasses import replace

    span = found.coverage_range
    return replace(
        found,
        sentence=(
            f"Sets made to hold the right class {100 * (1 - found.alpha):.0f} times in 100 held it"
            f" {100 * found.coverage:.0f} times here; a calibration on {patients} patients lands between"
            f" {100 * span.low:.0f} and {100 * span.high:.0f}. A set names {found.mean_size:.1f} classes on"
            f" average, and {100 * found.single_share:.0f} % name one alone."
        ),
    )
