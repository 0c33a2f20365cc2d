"""What was found out about why a model decides as it does, as it is stored and shown.

Every probability is a fraction from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tower = Literal["image", "text"]


@dataclass(frozen=True, slots=True)
class MatrixChange:
    """How much one weight matrix moved: ||W' - W||_F / ||W||_F, both computed from sigma alone."""

    name: str
    tower: Tower
    layer: int
    kind: Literal["q", "k", "v", "o", "fc1", "fc2"]
    relative_change: float


@dataclass(frozen=True, slots=True)
class Phrase:
    """A corpus phrase with its score (cosine with a direction, or concept weight)."""

    text: str
    score: float


@dataclass(frozen=True, slots=True)
class DirectionChange:
    """One singular direction that adaptation changed, ranked by the change it makes in the output.

    ``effect`` is |sigma' - sigma| times the RMS of the input along the right singular vector.
    Phrases describe the two poles of the output direction; empty where no phrase stands out.
    """

    matrix: str
    tower: Tower
    layer: int
    index: int
    sigma_base: float
    sigma: float
    effect: float
    positive: tuple[Phrase, ...]
    negative: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class CaseExplanation:
    """Why one image got its probabilities, with the control that each statement passed."""

    image_id: int
    class_names: tuple[str, ...]
    adapted: tuple[float, ...]
    zero_shot: tuple[float, ...]
    concepts: tuple[Phrase, ...]
    concepts_cosine: float
    """Cosine of the embedding with its rebuilding from the concepts; below 0.6 they do not explain it."""
    saliency: tuple[tuple[float, ...], ...]
    """Grid (rows, columns) of the fall of the winning class's margin when that patch is hidden."""
    saliency_trusted: bool
    """Hiding patches in this order lowers the score faster than in random orders."""
    text: str
    how_we_know: str


@dataclass(frozen=True, slots=True)
class RunExplanation:
    """What adaptation changed in the model, from its singular values."""

    matrices: tuple[MatrixChange, ...]
    directions: tuple[DirectionChange, ...]
    text: str
    how_we_know: str
