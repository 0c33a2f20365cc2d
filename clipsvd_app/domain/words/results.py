"""Sentences about an evaluation that window, command line and report say alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.results.evaluation import METHOD_WORDS
from clipsvd_app.domain.words.counting import images_of_patients
from clipsvd_app.domain.words.numbers import percent

if TYPE_CHECKING:
    from clipsvd_app.domain.results.evaluation import Difference, Evaluation, Verdict

VERDICT_TITLES: dict[Verdict, str] = {
    "helped": "Adaptation helped",
    "harmed": "Adaptation harmed",
    "not_shown": "No difference shown",
}
NO_ESTIMATE = "No estimate for this run"


def verdict_title(evaluation: Evaluation) -> str:
    """Return the verdict in a few words."""
    return NO_ESTIMATE if evaluation.kind == "none" else VERDICT_TITLES[evaluation.verdict]


def split_text(evaluation: Evaluation) -> str:
    """Say how the patients were kept apart: “held out”, “5-fold cross-validation by patient”."""
    if evaluation.kind == "none":
        return ""
    if evaluation.kind == "locked":
        return "fixed test set"
    if evaluation.kind == "held_out":
        return "held-out test set"
    again = f", repeated {evaluation.repeats} times" if evaluation.repeats > 1 else ""
    return f"{evaluation.folds}-fold cross-validation by patient{again}"


def basis_text(evaluation: Evaluation) -> str:
    """Say on what an estimate rests: “41 images of 23 patients, held-out test set”."""
    if evaluation.kind == "none":
        return ""
    return f"{images_of_patients(evaluation.images, evaluation.patients)}, {split_text(evaluation)}"


def difference_text(difference: Difference) -> str:
    """Say what one method has over another, in points with their interval, and how sure that is."""
    low, high = (
        _minus(f"{bound * 100:.0f}") for bound in (difference.interval.low, difference.interval.high)
    )
    said = (
        f"{METHOD_WORDS[difference.method]} against {METHOD_WORDS[difference.against]}:"
        f" {_minus(f'{difference.value * 100:+.0f}')} points ({low} to {high})"
    )
    if difference.p_value is None:
        return said
    corrected = "" if difference.p_holm is None else f", {_p_text(difference.p_holm)} after Holm's correction"
    return f"{said}; McNemar mid-p {_p_text(difference.p_value)}{corrected}"


def _p_text(value: float) -> str:
    return "below 0.001" if value < 0.001 else f"{value:.3f}"


def _minus(number: str) -> str:
    return {"+0": "0", "-0": "0"}.get(number, number.replace("-", "\u2212"))


def abstention_text(evaluation: Evaluation) -> str:
    """State the error rate of all images and of the more certain half; empty without a curve."""
    points = evaluation.abstention
    if not points:
        return ""
    whole = max(points, key=lambda point: point.coverage)
    half = min(points, key=lambda point: abs(point.coverage - 0.5))
    if half is whole:
        return f"Error rate: {percent(whole.risk)} of all images."
    return (
        f"Error rate: {percent(whole.risk)} of all images, {percent(half.risk)} at a coverage of"
        f" {percent(half.coverage)}."
    )
