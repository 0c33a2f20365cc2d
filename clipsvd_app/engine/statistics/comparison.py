"""Two methods on the same patients: tests of their difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Right = NDArray[np.bool_]


def mcnemar_mid_p(one: Right, other: Right, patient_ids: Sequence[str]) -> float:
    """Return McNemar's two-sided mid-p value of correct images (images,) of two methods, by patient.

    The exact conditional p-value minus half the probability of the observed table (Fagerland, Lydersen,
    Laake 2013): it keeps the nominal level without the exact test's loss of power. Images of one patient are
    not independent, so a patient counts once, for the method with more correct images; with one image per
    patient that is McNemar's own table. 1 without a discordant patient.
    """
    from scipy.stats import binom

    _, membership = np.unique(np.asarray(patient_ids), return_inverse=True)
    ahead = np.bincount(membership, one.astype(np.float64) - other)
    first, second = int((ahead > 0).sum()), int((ahead < 0).sum())
    fewer, discordant = min(first, second), first + second
    if not discordant:
        return 1.0
    seen = float(binom.pmf(fewer, discordant, 0.5))
    # The doubled tail would count the middle twice.
    if first == second:
        return 1.0 - seen / 2
    return min(1.0, 2 * float(binom.cdf(fewer, discordant, 0.5)) - seen)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return p-values corrected for their number, step by step from the smallest (Holm 1979)."""
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return tuple(adjusted)
