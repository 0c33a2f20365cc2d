"""How similar a new image is to an adapter's training images, judged by 21 numbers in the adapter.

An adapter holds no feature of an image. Similarity is therefore measured by the cosines of frozen features
with ten public sentences, one for each kind of image (`corpus.MODALITIES`): their means and standard
deviations over the training images are twenty numbers. The last one bounds the distance (root mean square of
the ten deviations in standard deviations) of images of unseen patients of the same kind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from clipsvd_app.corpus import MODALITIES
from clipsvd_app.domain.results.cases import FEWEST_TO_CALL_FAR
from clipsvd_app.engine.backbone.backbone import embed_texts
from clipsvd_app.engine.data.splits import patient_folds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clipsvd_app.adapter_file.document import RecipeValue
    from clipsvd_app.engine.backbone.backbone import Backbone
    from clipsvd_app.engine.data.features import Features
    from clipsvd_app.engine.statistics.metrics import Floats

RECIPE_KEY = "likeness_1"
"""The numbers' name in an adapter's document; the 1 stands for the ten sentences as they are."""
# The usual 5 %. Measured: 4.0 to 4.8 % of films of unseen patients (docs/benchmarks.md).
FALSE_ALARMS = 0.05
# Up to twenty patients, each is left out once; more folds change a mean over the others very little.
_FOLDS = 20
# Near-identical images have a spread near zero, and dividing by it would mark every other image.
_LEAST_SPREAD = 0.01


@dataclass(frozen=True, slots=True)
class Likeness:
    """Mean and spread (kinds,) of the cosines of training images, and the largest usual distance."""

    mean: tuple[float, ...]
    spread: tuple[float, ...]
    bound: float

    @property
    def kind(self) -> str:
        """The kind of image whose sentence the training images agree with best."""
        return _nearest(np.asarray(self.mean))

    def recipe_value(self) -> tuple[float, ...]:
        """Return the numbers as the document stores them; the bound is rounded up, never tightened."""
        return (*(round(x, 4) for x in (*self.mean, *self.spread)), math.ceil(self.bound * 1000) / 1000)

    def unlike(self, cosines: Floats) -> list[str | None]:
        """Return for each image (images, kinds) its kind if it is unlike the training images, else None."""
        distances = _distances(cosines, np.asarray(self.mean), np.asarray(self.spread))
        kinds = [_nearest(row) for row in cosines]
        return [
            None if distance <= self.bound else kind for distance, kind in zip(distances, kinds, strict=True)
        ]


def kind_cosines(backbone: Backbone, features: Features) -> Floats:
    """Return the cosines (images, kinds) of frozen features with the sentence of each kind of image."""
    with torch.no_grad():
        texts = embed_texts(backbone.model, backbone.tokenize(list(MODALITIES.values()))).cpu().numpy()
    return np.asarray(features.astype(np.float64) @ texts.T.astype(np.float64))


def learn_likeness(cosines: Floats, patient_ids: Sequence[str]) -> Likeness | None:
    """Learn from training images (images, kinds) and their patients; None with too few patients.

    Every patient weighs the same. The bound is that of split conformal prediction at 5 % over patients,
    each measured from the others, or the largest distance while fewer than 19 leave no such rank.
    """
    patients = len(set(patient_ids))
    if patients < FEWEST_TO_CALL_FAR:
        return None
    folds = patient_folds(patient_ids, _FOLDS)
    weights = _patient_weights(patient_ids)
    own = np.empty(len(cosines))
    for fold in np.unique(folds):
        inside = folds == fold
        own[inside] = _distances(cosines[inside], *_moments(cosines[~inside], weights[~inside]))
    order = np.argsort(own, kind="stable")
    # Sums of weights such as 1/3 + 1/3 + 1/3 miss their whole number by rounding: 1e-9 lets them reach it.
    reached = weights[order].cumsum() >= (patients + 1) * (1 - FALSE_ALARMS) - 1e-9
    bound = own[order][reached.argmax()] if reached.any() else own.max()
    mean, spread = _moments(cosines, weights)
    return Likeness(tuple(mean.tolist()), tuple(spread.tolist()), float(bound))


def likeness_of(recipe: Mapping[str, RecipeValue]) -> Likeness | None:
    """Return the numbers of an adapter's document; None where it has none or they are malformed."""
    value = recipe.get(RECIPE_KEY)
    kinds = len(MODALITIES)
    if not isinstance(value, tuple) or len(value) != 2 * kinds + 1 or min(value[kinds:]) <= 0:
        return None
    return Likeness(value[:kinds], value[kinds:-1], value[-1])


def _moments(cosines: Floats, weights: Floats) -> tuple[Floats, Floats]:
    mean = np.average(cosines, axis=0, weights=weights)
    variance = np.average((cosines - mean) ** 2, axis=0, weights=weights)
    return mean, np.maximum(np.sqrt(variance), _LEAST_SPREAD)


def _distances(cosines: Floats, mean: Floats, spread: Floats) -> Floats:
    return np.asarray(np.sqrt((((cosines - mean) / spread) ** 2).mean(axis=1)))


def _patient_weights(patient_ids: Sequence[str]) -> Floats:
    """Return the weight of each image; those of one patient add up to 1."""
    _, membership, images = np.unique(np.asarray(patient_ids), return_inverse=True, return_counts=True)
    return np.asarray(1 / images[membership])


def _nearest(cosines: Floats) -> str:
    return list(MODALITIES)[int(cosines.argmax())]
