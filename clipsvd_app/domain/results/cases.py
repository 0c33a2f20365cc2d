"""What a stored prediction says, and which ones say anything about unseen patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clipsvd_app.domain.results.run import Doubt, Prediction

NEARLY_AS_LIKELY = 0.1
"""Two classes whose probabilities differ by less are nearly as likely."""
FEWEST_TO_CALL_FAR = 8
"""Training patients from which on images are called far from them."""


def winner(values: Sequence[float]) -> int:
    """Return the position of the largest probability; the first of equals."""
    return max(range(len(values)), key=lambda position: values[position])


def best_known(prediction: Prediction) -> tuple[float, ...]:
    """Return what is shown of an image: calibrated probabilities if known, else the adapted model's own."""
    return prediction.calibrated or prediction.adapted


def is_evidence(prediction: Prediction) -> bool:
    """Only patients that took no part in training say how good the model is."""
    return prediction.role in ("test", "out_of_fold")


def evidence(predictions: Iterable[Prediction]) -> tuple[Prediction, ...]:
    """Return the labelled predictions of unseen patients."""
    return tuple(p for p in predictions if is_evidence(p) and p.label is not None)


def is_error(prediction: Prediction) -> bool:
    """Whether the adapted model contradicts the label."""
    return prediction.label is not None and winner(prediction.adapted) != prediction.label


def doubts(prediction: Prediction) -> tuple[Doubt, ...]:
    """Return why not to trust a prediction; a run without an estimate left only its probabilities."""
    if prediction.doubts or len(prediction.adapted) < 2:
        return prediction.doubts
    top, second = sorted(best_known(prediction), reverse=True)[:2]
    return ("nearly_as_likely",) if top - second < NEARLY_AS_LIKELY else ()
