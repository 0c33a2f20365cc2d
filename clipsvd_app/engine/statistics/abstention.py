"""What is gained by leaving the least certain images to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.domain.results.evaluation import CoveragePoint

if TYPE_CHECKING:
    from clipsvd_app.engine.statistics.metrics import Floats, Integers

_POINTS = 20


def coverage_risk(probabilities: Floats, truth: Integers) -> tuple[CoveragePoint, ...]:
    """Return the error among the most certain share of images, from few to all (El-Yaniv, Wiener 2010).

    Of images that are equally certain a share counts by their common error, whatever their order.
    """
    confidence = probabilities.max(axis=1)
    _, level, images = np.unique(confidence, return_inverse=True, return_counts=True)
    errors = np.bincount(level, probabilities.argmax(axis=1) != truth) / images
    wrong = errors[level][np.argsort(-confidence, kind="stable")]
    total = len(truth)
    counts = sorted({max(1, round(total * step / _POINTS)) for step in range(1, _POINTS + 1)})
    return tuple(CoveragePoint(count / total, float(wrong[:count].mean())) for count in counts)
