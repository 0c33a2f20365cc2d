"""Gaussian discriminant analysis on frozen features, blended with the text (Wang et al. 2024).

"A Hard-to-Beat Baseline for Training-free CLIP-based Adaptation" (ICLR 2024): one Gaussian a class with a
shared covariance; logits = scale f W^T + alpha (f P m^T - m P m / 2), P the shrunken inverse covariance of
Kubokawa and Srivastava 2008, which exists with fewer images than features. Class priors are even.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.engine.baselines.inner_folds import choose
from clipsvd_app.engine.baselines.task import BaselineTask
from clipsvd_app.engine.statistics.metrics import Floats, softmax

if TYPE_CHECKING:
    from clipsvd_app.engine.data.features import Features
    from clipsvd_app.engine.statistics.metrics import Integers

# About half a decade apart around the default: how much the images weigh beside the text.
_ALPHAS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
_DEFAULT = 1.0


@dataclass(frozen=True, slots=True)
class Gaussians:
    """Class means (classes, width) and the inverse (width, width) of their shared covariance."""

    means: Floats
    precision: Floats

    @property
    def layer(self) -> tuple[Floats, Floats]:
        """Return weights (classes, width) and offsets (classes,) of the log-densities."""
        weights = self.means @ self.precision
        return weights, -0.5 * (weights * self.means).sum(axis=1)

    def logits(self, features: Features) -> Floats:
        """Return the log-densities (images, classes) up to a term that all classes share."""
        weights, offsets = self.layer
        return np.asarray(features.astype(np.float64) @ weights.T + offsets)

    def distances(self, features: Features) -> Floats:
        """Return squared Mahalanobis distances (images, classes)."""
        rows = features.astype(np.float64)
        apart = (rows - mean for mean in self.means)
        return np.stack([((part @ self.precision) * part).sum(axis=1) for part in apart], axis=1)


@dataclass(frozen=True, slots=True)
class Gda:
    """Gaussians combined with the text."""

    task: BaselineTask
    gaussians: Gaussians
    alpha: float
    temperature: float = 1.0

    @property
    def trainable_parameters(self) -> int:
        """Count the means and the distinct numbers of the covariance."""
        classes, width = self.gaussians.means.shape
        return int(classes * width + width * (width + 1) // 2)

    @property
    def layer(self) -> tuple[Floats, Floats]:
        """Return weights (classes, width) and offsets (classes,)."""
        weights, offsets = self.gaussians.layer
        texts = self.task.scale * self.task.texts.astype(np.float64)
        return (texts + self.alpha * weights) / self.temperature, self.alpha * offsets / self.temperature

    def probabilities(self, features: Features) -> Floats:
        """Return (images, classes)."""
        logits = self.task.zero_shot_logits(features) + self.alpha * self.gaussians.logits(features)
        return softmax(logits / self.temperature)


def fit_gda(task: BaselineTask) -> Gda:
    """Fit the Gaussians; alpha by patient-grouped inner validation."""
    chosen = choose(task, _ALPHAS, _DEFAULT, _answers)
    gaussians = fit_gaussians(task.features, task.truth, task.classes)
    return Gda(task, gaussians, chosen.setting, chosen.temperature)


def fit_gaussians(features: Features, labels: Integers, classes: int) -> Gaussians:
    """Estimate class means and precision; a class without images gets the mean of all."""
    rows = features.astype(np.float64)
    means = np.stack(
        [rows[labels == index].mean(axis=0) if (labels == index).any() else rows.mean(axis=0)
         for index in range(classes)]
    )  # fmt: skip
    centred = rows - means[labels]
    scatter = centred.T @ centred
    width, degrees = rows.shape[1], max(1, len(rows) - classes)
    # With one image a class there is no spread to measure: every direction weighs the same.
    ridge = np.trace(scatter) / degrees or 1.0
    # The estimate of Kubokawa and Srivastava: width * ((n - 1) S + tr(S) I)^-1, with (n - 1) S the scatter.
    return Gaussians(means, width * np.linalg.inv(scatter + ridge * np.eye(width)))


def _answers(task: BaselineTask, features: Features) -> list[Floats]:
    gaussians = fit_gaussians(task.features, task.truth, task.classes)
    text, images = task.zero_shot_logits(features), gaussians.logits(features)
    return [softmax(text + alpha * images) for alpha in _ALPHAS]
