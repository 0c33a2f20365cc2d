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
    "not_shown": "Not shown either way",
}
NO_ESTIMATE = "No estimate for this run"


def verdict_title(evaluation: Evaluation) -> str:
    """Return the verdict in a few words."""
    return NO_ESTIMATE if evaluation.kind == "none" else VERDICT_TITLES[evaluation.verdict]


def split_text(evaluation: Evaluation) -> str:
    """Say how the patients were kept apart: “held out”, “5 folds by patient, 3 times over”."""
    if evaluation.kind == "none":
        return ""
    if evaluation.kind == "locked":
        return "set aside from every run"
    if evaluation.kind == "held_out":
        return "held out"
    again = f", {evaluation.repeats} times over" if evaluation.repeats > 1 else ""
    return f"{evaluation.folds} folds by patient{again}"


def basis_text(evaluation: Evaluation) -> str:
    """Say on what an estimate rests: “41 images of 23 patients, held out”."""
    if evaluation.kind == "none":
        return ""
    return f"{images_of_patients(evaluation.images, evaluation.groups)}, {split_text(evaluation)}"


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
    """Say what it buys to leave the least certain half to a person; empty without a curve."""
    points = evaluation.abstention
    if not points:
        return ""
    whole = max(points, key=lambda point: point.coverage)
    half = min(points, key=lambda point: abs(point.coverage - 0.5))
    if half is whole:
        return f"{percent(whole.risk)} of all answers are wrong."
    return (
        f"{percent(whole.risk)} of all answers are wrong; of the surest {percent(half.coverage)},"
        f" {percent(half.risk)} are."
    )
