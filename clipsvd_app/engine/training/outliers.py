"""Images unlike the training images: far from them in frozen features, or of another modality.

Two distances are used, because each misses what the other detects: the Mahalanobis distance to the nearest
class, with the shrunken covariance of the Gaussian baseline (Lee et al. 2018), and the cosine distance to the
third-nearest training image (Sun et al. 2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from clipsvd_app.corpus import MODALITIES
from clipsvd_app.domain.results.cases import FEWEST_TO_CALL_FAR
from clipsvd_app.engine.backbone.backbone import embed_texts
from clipsvd_app.engine.baselines.gda import fit_gaussians
from clipsvd_app.engine.baselines.task import BaselineTask
from clipsvd_app.engine.data.splits import patient_folds
from clipsvd_app.engine.statistics.metrics import Floats

if TYPE_CHECKING:
    from clipsvd_app.engine.backbone.backbone import Backbone
    from clipsvd_app.engine.data.features import Features

# The third, so that one or two near-duplicates do not make an image usual.
_NEIGHBOURS = 3
# Up to twenty patients each is measured from all others; more folds change the distances very little.
_FOLDS = 20
_USUAL = 0.975
"""This share of the training images is near by each distance; by both together at least 95 %."""
_AGREED = 0.8
"""The modality is judged by prompts only if so many training images agree on one."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Novelty:
    """The range of training images: bounds (2,) of both distances to other patients."""

    task: BaselineTask
    bounds: Floats
    own: Floats

    def far(self, features: Features) -> Flags:
        """Return which images (images, width) are farther away than training images are from each other."""
        return np.asarray((_distances(self.task, features) > self.bounds).any(axis=1))

    def far_among_training(self) -> Flags:
        """Return which training images are far from those of the other patients."""
        return np.asarray((self.own > self.bounds).any(axis=1))


def learn_novelty(task: BaselineTask) -> Novelty | None:
    """Measure each training image from the other patients' images; None with too few patients."""
    if len(set(task.patient_ids)) < FEWEST_TO_CALL_FAR:
        return None
    folds = patient_folds(task.patient_ids, _FOLDS)
    own = np.empty((len(task.labels), 2))
    for fold in np.unique(folds):
        others = task.subset(np.flatnonzero(folds != fold).tolist())
        own[folds == fold] = _distances(others, task.features[folds == fold])
    return Novelty(task, np.quantile(own, _USUAL, axis=0, method="higher"), own)


def other_modality(backbone: Backbone, training: Features, features: Features) -> Flags:
    """Return which images (images, width) prompts assign to a modality that no training image has.

    None where the training images themselves are of many modalities by the prompts: then the backbone
    cannot distinguish modalities, or they are truly mixed.
    """
    with torch.no_grad():
        texts = embed_texts(backbone.model, backbone.tokenize(list(MODALITIES.values()))).cpu().numpy()
    known = np.bincount((training @ texts.T).argmax(axis=1), minlength=len(texts))
    if known.max(initial=0) < _AGREED * len(training):
        return np.zeros(len(features), dtype=bool)
    return np.asarray(known[(features @ texts.T).argmax(axis=1)] == 0)


def _distances(task: BaselineTask, features: Features) -> Floats:
    """Return both distances (images, 2)."""
    gaussians = fit_gaussians(task.features, task.truth, task.classes)
    likeness = np.sort(features @ task.features.T, axis=1)
    nearest = 1 - likeness[:, -min(_NEIGHBOURS, likeness.shape[1])]
    return np.stack([gaussians.distances(features).min(axis=1), nearest.astype(np.float64)], axis=1)
