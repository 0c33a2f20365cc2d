"""Which cases stand behind a cell, and in which order they are worth a look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from clipsvd_app.domain.results.cases import best_known, doubts, is_evidence, winner
from clipsvd_app.domain.results.evaluation import MethodName
from clipsvd_app.domain.results.run import Doubt, Prediction, Role

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

Order = Literal["errors", "mistakes", "uncertain", "confident"]
Cases = tuple[Prediction, ...]

ORDER_TITLES: dict[Order, str] = {
    "errors": "Confident errors first",
    "mistakes": "Likely label mistakes",
    "uncertain": "Uncertain first",
    "confident": "Most confident first",
}
ROLE_SENTENCES: dict[Role, str] = {
    "train": "Training image: not evidence",
    "test": "Not seen in training",
    "out_of_fold": "Predicted by a model not trained on this patient",
    "pool": "Not labelled at the time of the run",
}
DOUBT_TITLES: dict[Doubt, str] = {
    "far_from_training": "unlike all training images",
    "other_modality": "another modality",
    "set_not_single": "more than one class possible",
    "nearly_as_likely": "two classes almost equally likely",
}
SUSPICIOUS = 0.5
"""From here on the other patients speak rather against a label than for it."""


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases are shown: one cell of a method's confusion matrix, one doubt, or all of a kind."""

    method: MethodName = "clip_svd"
    cell: tuple[int, int] | None = None
    doubt: Doubt | None = None
    evidence_only: bool = True


def has_cases(method: MethodName) -> bool:
    """Tell whether single predictions of a method are kept; the other baselines leave only their counts."""
    return method in ("clip_svd", "zero_shot")


def probabilities(prediction: Prediction, method: MethodName) -> tuple[float, ...]:
    """Return the probabilities by which ``method`` judged the image, as they are shown."""
    return prediction.zero_shot if method == "zero_shot" else best_known(prediction)


def filtered(predictions: Iterable[Prediction], wanted: CaseFilter) -> Cases:
    """Return the cases of a filter; a cell counts only evidence, as the matrix does."""
    return tuple(prediction for prediction in predictions if _fits(prediction, wanted))


def ordered(predictions: Iterable[Prediction], order: Order, method: MethodName = "clip_svd") -> Cases:
    """Sort cases; ties keep their order."""

    def top(prediction: Prediction) -> float:
        return max(probabilities(prediction, method))

    def wrong(prediction: Prediction) -> bool:
        return prediction.label is not None and winner(probabilities(prediction, method)) != prediction.label

    if order == "uncertain":
        return tuple(sorted(predictions, key=top))
    if order == "confident":
        return tuple(sorted(predictions, key=lambda prediction: -top(prediction)))
    if order == "mistakes":
        return tuple(sorted(predictions, key=lambda prediction: -(prediction.suspicion or 0.0)))
    return tuple(sorted(predictions, key=lambda prediction: (not wrong(prediction), -top(prediction))))


def likely_mistakes(predictions: Iterable[Prediction], settled: Collection[int] = ()) -> Cases:
    """Return labelled cases against whose label the other patients speak, the most suspicious first."""
    suspicious = (p for p in predictions if (p.suspicion or 0.0) >= SUSPICIOUS and p.image_id not in settled)
    return ordered(suspicious, "mistakes")


def likelier_class(prediction: Prediction) -> int:
    """Return the class that the evidence speaks for instead of the label."""
    others = [p if c != prediction.label else -1.0 for c, p in enumerate(prediction.adapted)]
    return winner(others)


def _fits(prediction: Prediction, wanted: CaseFilter) -> bool:
    if wanted.doubt is not None:
        return is_evidence(prediction) and wanted.doubt in doubts(prediction)
    if wanted.cell is None:
        return is_evidence(prediction) or not wanted.evidence_only
    predicted = winner(probabilities(prediction, wanted.method))
    return is_evidence(prediction) and (prediction.label, predicted) == wanted.cell
