"""Each image among the others in frozen features: its position on a map and its nearest images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.engine.data.features import Features
    from clipsvd_app.engine.statistics.metrics import Floats

# Shown beside a case as the training images most like it.
_NEAREST = 5
# Rows at a time: all cosines of 10,000 images at once would take 400 MB.
_BLOCK = 512


def places_on_map(features: Features) -> Floats:
    """Return the first two principal components (images, 2), each with its longer tail on the right.

    The sign of a component is arbitrary; by its skewness it is the same on every machine.
    """
    rows = features.astype(np.float64)
    centred = rows - rows.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    found = centred @ axes[:, ::-1][:, :2]
    return np.asarray(found * np.where((found**3).sum(axis=0) < 0, -1.0, 1.0))


def nearest_training(
    features: Features, patient_ids: Sequence[str], trained_on: Sequence[int]
) -> list[tuple[int, ...]]:
    """Return for each image the positions of the most similar training images of other patients."""
    known = np.asarray(trained_on, dtype=np.int64)
    names = np.asarray(patient_ids)
    found: list[tuple[int, ...]] = []
    for start in range(0, len(features), _BLOCK):
        likeness = features[start : start + _BLOCK] @ features[known].T
        likeness[names[start : start + _BLOCK, None] == names[known]] = -np.inf
        for row in likeness:
            order = np.argsort(-row, kind="stable")[:_NEAREST]
            found.append(tuple(int(known[place]) for place in order if np.isfinite(row[place])))
    return found
