"""What the figures amount to: one verdict of three, one method to use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.results.evaluation import METHOD_TITLES, Difference, MethodName, MethodScore, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clipsvd_app.engine.statistics.metrics import Floats


def verdict_of(gain: Difference) -> Verdict:
    """Return helped or harmed only if the whole interval of CLIP-SVD minus zero-shot is on one side of 0."""
    if gain.interval.low > 0:
        return "helped"
    return "harmed" if gain.interval.high < 0 else "not_shown"


def recommend(
    scores: Sequence[MethodScore], resampled: Mapping[MethodName, Floats]
) -> tuple[MethodName, float]:
    """Return the simplest method within one standard error of the best, and that error.

    resampled: balanced accuracies (resamples,) on the same resampled patients; their paired differences
    give the standard error (the rule of Breiman et al. 1984). METHOD_TITLES is the order of simplicity.
    """
    values = {score.method: score.balanced_accuracy for score in scores}
    ordered = [method for method in METHOD_TITLES if method in values]
    best = max(ordered, key=lambda method: values[method])
    for method in ordered:
        error = float((resampled[best] - resampled[method]).std(ddof=1))
        if values[best] - values[method] <= error:
            return method, error
    return best, 0.0
