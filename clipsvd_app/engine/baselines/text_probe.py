"""A linear classifier that starts from the text: robust with a handful of labels, instant to fit.

Class weights are the text embeddings plus a shrunken shift toward the mean of the class's images
(in the spirit of SS-Text, Silva-Rodriguez et al. 2025): one closed form, no iterations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.engine.data.features import Features
from clipsvd_app.engine.statistics.metrics import softmax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.engine.statistics.metrics import Floats

# The text counts as much as this many images of a class.
_TEXT_IMAGES = 1.0


@dataclass(frozen=True, slots=True)
class TextProbe:
    """Class weights (classes, width) against features from which ``centre`` (width,) is taken."""

    weights: Features
    centre: Features
    scale: float

    @property
    def trainable_parameters(self) -> int:
        """Count the weights and the centre."""
        return int(self.weights.size + self.centre.size)

    @property
    def layer(self) -> tuple[Floats, Floats]:
        """Return weights (classes, width) and offsets (classes,)."""
        weights = self.scale * self.weights.astype(np.float64)
        return weights, -weights @ self.centre.astype(np.float64)

    def probabilities(self, features: Features) -> Floats:
        """Return (images, classes)."""
        logits = self.scale * ((features - self.centre) @ self.weights.T).astype(np.float64)
        return softmax(logits)


def fit_text_probe(features: Features, labels: Sequence[int], texts: Features, scale: float) -> TextProbe:
    """Blend each class's text with the mean of its images (images, width), both about their own centres.

    Unless every class has a label, only the text decides.
    """
    known = np.asarray(labels, dtype=np.int64)
    counts = np.bincount(known, minlength=len(texts))
    if counts.min() == 0:
        return TextProbe(texts, np.zeros_like(texts[0]), scale)
    means = np.stack([features[known == index].mean(axis=0) for index in range(len(texts))])
    centre = means.mean(axis=0)
    share = (counts / (counts + _TEXT_IMAGES))[:, None].astype(np.float32)
    images = _unit(means - centre)
    weights = share * images + (1 - share) * _unit(texts - texts.mean(axis=0))
    return TextProbe(_unit(weights), centre, scale)


def _unit(rows: Features) -> Features:
    # A row of zeros stays zero: two classes with one text have no direction from their centre.
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-12), dtype=np.float32)
