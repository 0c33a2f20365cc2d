"""Which cases stand behind a cell, and in which order they are worth a look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from clipsvd_app.domain.evaluation import MethodName
from clipsvd_app.domain.results import Prediction, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

Order = Literal["errors", "uncertain", "confident"]
Cases = tuple[Prediction, ...]

ORDER_TITLES: dict[Order, str] = {
    "errors": "Confident errors first",
    "uncertain": "Uncertain first",
    "confident": "Most confident first",
}
ROLE_SENTENCES: dict[Role, str] = {
    "train": "Used for training: not evidence",
    "test": "Not seen in training",
    "out_of_fold": "Judged by a model that never saw this patient",
    "pool": "Not labelled when the run was made",
}


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases are shown: one cell of a method's confusion matrix, or all of a kind."""

    method: MethodName = "clip_svd"
    cell: tuple[int, int] | None = None
    evidence_only: bool = True


def has_cases(method: MethodName) -> bool:
    """Tell whether single predictions of a method are kept; the linear probe leaves only its counts."""
    return method in ("clip_svd", "zero_shot")


def is_evidence(prediction: Prediction) -> bool:
    """Only patients that took no part in training say how good the model is."""
    return prediction.role in ("test", "out_of_fold")


def probabilities(prediction: Prediction, method: MethodName) -> tuple[float, ...]:
    """Return the probabilities by which ``method`` judged the image."""
    return prediction.zero_shot if method == "zero_shot" else prediction.adapted


def winner(values: tuple[float, ...]) -> int:
    """Return the position of the largest probability; the first of equals."""
    return values.index(max(values))


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
    return tuple(sorted(predictions, key=lambda prediction: (not wrong(prediction), -top(prediction))))


def _fits(prediction: Prediction, wanted: CaseFilter) -> bool:
    if wanted.cell is None:
        return is_evidence(prediction) or not wanted.evidence_only
    predicted = winner(probabilities(prediction, wanted.method))
    return is_evidence(prediction) and (prediction.label, predicted) == wanted.cell
