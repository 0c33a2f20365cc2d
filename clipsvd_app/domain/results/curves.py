"""Receiver operating characteristic of one class against the rest, from stored predictions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from clipsvd_app.domain.results.cases import best_known, evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clipsvd_app.domain.results.run import Prediction


@dataclass(frozen=True, slots=True)
class RocPoint:
    """Shares of the others taken for the class, and of the class that is found, from ``threshold`` on."""

    false_positive_rate: float
    sensitivity: float
    threshold: float


@dataclass(frozen=True, slots=True)
class Roc:
    """One class against all others: its curve from (0, 0) to (1, 1) and the area under it."""

    class_position: int
    positives: int
    negatives: int
    points: tuple[RocPoint, ...]
    area: float


@dataclass(frozen=True, slots=True)
class RocPair:
    """The curves of one class, after adaptation and before."""

    adapted: Roc
    zero_shot: Roc


def roc_curve(scores: Sequence[float], positive: Sequence[bool], class_position: int = 0) -> Roc | None:
    """Return the curve of scores, equal scores as one step; None unless both kinds occur (Fawcett 2006)."""
    positives = sum(positive)
    negatives = len(positive) - positives
    if not positives or not negatives:
        return None
    ranked = sorted(zip(scores, positive, strict=True), key=lambda pair: -pair[0])
    points = [RocPoint(0.0, 0.0, float("inf"))]
    hits = false_hits = 0
    for place, (score, is_positive) in enumerate(ranked):
        hits += is_positive
        false_hits += not is_positive
        if place + 1 == len(ranked) or ranked[place + 1][0] != score:
            points.append(RocPoint(false_hits / negatives, hits / positives, score))
    return Roc(class_position, positives, negatives, tuple(points), _area(points))


def roc_pairs(predictions: Iterable[Prediction], classes: int) -> tuple[RocPair, ...]:
    """Return the curves of every class that the unseen patients have with and without.

    Thresholds are on the probabilities that are shown: calibrated, where they are.
    """
    known = evidence(predictions)
    pairs = []
    for position in range(classes):
        positive = [p.label == position for p in known]
        adapted = roc_curve([best_known(p)[position] for p in known], positive, position)
        zero_shot = roc_curve([p.zero_shot[position] for p in known], positive, position)
        if adapted is not None and zero_shot is not None:
            pairs.append(RocPair(adapted, zero_shot))
    return tuple(pairs)


def _area(points: Sequence[RocPoint]) -> float:
    """Return the area by the trapezoidal rule, which counts ties as half."""
    return sum(
        (right.false_positive_rate - left.false_positive_rate) * (left.sensitivity + right.sensitivity) / 2
        for left, right in pairwise(points)
    )
