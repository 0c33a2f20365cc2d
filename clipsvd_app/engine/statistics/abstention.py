"""The error rate when the least certain images are left to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.domain.results.evaluation import CoveragePoint

if TYPE_CHECKING:
    from clipsvd_app.engine.statistics.metrics import Floats, Integers

# Steps of 5 % of the images.
_POINTS = 20


def coverage_risk(probabilities: Floats, truth: Integers) -> tuple[CoveragePoint, ...]:
    """Return the error rate of the most certain share of images, from few to all (El-Yaniv, Wiener 2010).

    Images of equal certainty count with their mean error, so that their order has no influence.
    """
    confidence = probabilities.max(axis=1)
    _, level, images = np.unique(confidence, return_inverse=True, return_counts=True)
    errors = np.bincount(level, probabilities.argmax(axis=1) != truth) / images
    wrong = errors[level][np.argsort(-confidence, kind="stable")]
    total = len(truth)
    counts = sorted({max(1, round(total * step / _POINTS)) for step in range(1, _POINTS + 1)})
    return tuple(CoveragePoint(count / total, float(wrong[:count].mean())) for count in counts)
