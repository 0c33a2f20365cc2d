"""The training data of a method on frozen features, and the interface of a fitted method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from clipsvd_app.engine.data.features import Features

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.engine.statistics.metrics import Floats, Integers


@dataclass(frozen=True, slots=True)
class BaselineTask:
    """Labelled training images as unit features (images, width), and the texts of the classes.

    texts: unit embeddings (classes, width); scale: the factor from cosine to logit.
    """

    features: Features
    labels: tuple[int, ...]
    patient_ids: tuple[str, ...]
    texts: Features
    scale: float
    seed: int

    @property
    def classes(self) -> int:
        """Count the classes."""
        return len(self.texts)

    @property
    def truth(self) -> Integers:
        """Return the labels (images,)."""
        return np.asarray(self.labels, dtype=np.int64)

    @property
    def one_hot(self) -> Floats:
        """Return the labels (images, classes), 1 in the column of the class."""
        return np.asarray(np.eye(self.classes)[self.truth])

    def subset(self, positions: Sequence[int]) -> BaselineTask:
        """Return the task with only these training images."""
        rows = list(positions)
        return BaselineTask(
            self.features[rows],
            tuple(self.labels[row] for row in rows),
            tuple(self.patient_ids[row] for row in rows),
            self.texts,
            self.scale,
            self.seed,
        )

    def zero_shot_logits(self, features: Features) -> Floats:
        """Return the logits of the unadapted model (images, classes)."""
        return np.asarray(self.scale * features.astype(np.float64) @ self.texts.astype(np.float64).T)


class Fitted(Protocol):
    """A fitted method."""

    @property
    def trainable_parameters(self) -> int:
        """Count the trained numbers."""

    def probabilities(self, features: Features) -> Floats:
        """Return (images, classes)."""


class Linear(Fitted, Protocol):
    """A method whose prediction is the softmax of one linear layer on the features."""

    @property
    def layer(self) -> tuple[Floats, Floats]:
        """Return weights (classes, width) and offsets (classes,)."""
