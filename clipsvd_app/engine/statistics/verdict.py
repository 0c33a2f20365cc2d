"""Conclusions from the metrics: one verdict of three, one recommended method, a sentence for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.results.evaluation import (
    METHOD_TITLES,
    METHOD_WORDS,
    Difference,
    Interval,
    MethodName,
    MethodScore,
    Verdict,
)
from clipsvd_app.domain.words.counting import counted, images_of_patients
from clipsvd_app.domain.words.numbers import percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clipsvd_app.engine.statistics.metrics import Floats

# Standard normal points of a two-sided test at 5 % and of a power of 80 %.
_FOUND_95, _POWER_80 = 1.96, 0.84
_WISHED = 0.1
"""A difference in balanced accuracy that a user would not want to miss."""
_NOT_EXPORTED: dict[MethodName, str] = {
    "tip_adapter": " It cannot be exported: its file would hold features of your patients' images.",
    "clip_svd_blend": " It is not exported as one file: export CLIP-SVD and the linear probe instead.",
}
"""Why a recommended method cannot be exported; all others can."""
_OPENINGS: dict[Verdict, str] = {
    "helped": "Adaptation helped",
    "harmed": "Adaptation harmed",
    "not_shown": "It is not shown that adaptation changed anything",
}


def gain_of(differences: Sequence[Difference]) -> Difference:
    """Return the difference that the verdict rests on: CLIP-SVD minus zero-shot."""
    return next(d for d in differences if (d.method, d.against) == ("clip_svd", "zero_shot"))


def verdict_of(gain: Difference) -> Verdict:
    """Return helped or harmed only if the whole interval of CLIP-SVD minus zero-shot is on one side of 0."""
    if gain.interval.low > 0:
        return "helped"
    return "harmed" if gain.interval.high < 0 else "not_shown"


def detectable(interval: Interval) -> float:
    """Return the true difference that 80 % of such tests would show.

    From the width of the 95 % interval: (1.96 + 0.84) standard errors.
    """
    return (interval.high - interval.low) / 2 * (_FOUND_95 + _POWER_80) / _FOUND_95


def sentence_of(gain: Difference, values: Mapping[MethodName, float], images: int, patients: int) -> str:
    """Return a sentence on the gain of adaptation, and on the difference that such a test can show."""
    verdict = verdict_of(gain)
    text = (
        f"{_OPENINGS[verdict]}: balanced accuracy {percent(values['clip_svd'])}"
        f" against {percent(values['zero_shot'])} zero-shot, "
        f"a difference of {_points(gain.value)} points (95 % interval {_span(gain.interval)}) "
        f"on {images_of_patients(images, patients)} that took no part in training."
    )
    return text + _reach(gain.interval, patients) if verdict == "not_shown" else text


def _reach(interval: Interval, patients: int) -> str:
    """Return a sentence on what so few cases can show, and how many patients 10 points would take."""
    least = detectable(interval)
    if least >= 1:
        return " So few cases show no difference four times in five, however large it is."
    text = (
        f" With so many cases a true difference of {100 * least:.0f} points is shown four times in five,"
        " a smaller one less often."
    )
    if least > _WISHED:
        # The width of an interval falls with the square root of the number of patients.
        needed = _round(patients * (least / _WISHED) ** 2)
        text += f" For one of {100 * _WISHED:.0f} points it takes about {counted(needed, 'patient')}."
    return text


def _round(count: float) -> int:
    """Round to two digits."""
    return int(float(f"{count:.1e}"))


def recommend(
    scores: Sequence[MethodScore], resampled: Mapping[MethodName, Floats]
) -> tuple[MethodName, str]:
    """Return the simplest method within one standard error of the best, and why.

    resampled: balanced accuracies (resamples,) on the same resampled patients; their paired differences
    give the standard error (the rule of Breiman et al. 1984). METHOD_TITLES is the order of simplicity.
    """
    values = {score.method: score.balanced_accuracy for score in scores}
    ordered = [method for method in METHOD_TITLES if method in values]
    best = max(ordered, key=lambda method: values[method])
    for method in ordered:
        error = float((resampled[best] - resampled[method]).std(ddof=1))
        if values[best] - values[method] <= error:
            return method, _recommendation(method, best, values, error)
    return best, _recommendation(best, best, values, 0.0)


def _recommendation(
    method: MethodName, best: MethodName, values: Mapping[MethodName, float], error: float
) -> str:
    chosen = f"{METHOD_WORDS[method]} ({percent(values[method])})"
    kept_back = _NOT_EXPORTED.get(method, "")
    if method == best:
        return (
            f"Use {chosen}: it does best here, and no simpler method comes within one standard error of it."
            f"{kept_back}"
        )
    return (
        f"Use {chosen}: it is the simplest method within one standard error ({100 * error:.1f} points)"
        f" of the best, {METHOD_WORDS[best]} ({percent(values[best])}).{kept_back}"
    )


def _points(difference: float) -> str:
    return f"{100 * difference:+.0f}"


def _span(interval: Interval) -> str:
    return f"{_points(interval.low)} to {_points(interval.high)}"
