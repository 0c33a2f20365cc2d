"""What a stored prediction says, and which ones say anything about unseen patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.results.explanation import Statement
from clipsvd_app.domain.words.numbers import percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clipsvd_app.domain.results.run import Doubt, Prediction

DOUBT_SENTENCES: dict[Doubt, str] = {
    "far_from_training": "Unlike all training images: the prediction is a guess.",
    "other_modality": "A different modality from the training images.",
    "set_not_single": "More than one class is possible: treat it as undecided.",
    "nearly_as_likely": "Two classes are almost equally likely: treat it as undecided.",
}
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


def set_sentence(prediction: Prediction, names: Sequence[str], alpha: float) -> str:
    """Say which classes the conformal set holds; empty where none could be calibrated."""
    if prediction.conformal is None:
        return ""
    times = round(100 * (1 - alpha))
    promise = f"holds the right class at least {times} times in 100, on average over patients"
    if not prediction.conformal:
        return f"No class is likely enough for a list that {promise}."
    listed = " or ".join(names[position] for position in prediction.conformal)
    return f"Possible: {listed}. Such a list {promise}."


def as_unseen(prediction: Prediction | None, names: Sequence[str]) -> tuple[Statement, ...]:
    """Say what the answer of a run's model is worth for an image that it was trained on.

    An image judged out of fold has a second answer, by a model that never saw its patient.
    """
    if prediction is None or prediction.role not in ("train", "out_of_fold"):
        return ()
    seen = "The model explained here was trained on this image"
    if prediction.role == "train":
        return (Statement(f"{seen}, so its answer says nothing of unseen patients.", "The run's own list."),)
    shown = best_known(prediction)
    best = winner(shown)
    return (
        Statement(
            f"{seen}. Trained on other patients alone, it answers “{names[best]}” ({percent(shown[best])}).",
            "The second answer is that of the estimate's fits which had not seen this patient; Inspect rests "
            "on it.",
        ),
    )
