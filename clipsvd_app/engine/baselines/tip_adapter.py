"""Tip-Adapter: the training images as a cache that votes by similarity, beside the text (Zhang et al. 2022).

Training-free form, equation 6 of "Tip-Adapter: Training-free Adaption of CLIP for Few-shot Classification"
(ECCV 2022): logits = alpha exp(-beta (1 - f F^T)) L + scale f W^T. Each class's images vote with the same
total weight, so that a class with more of them does not win by number.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.engine.baselines.inner_folds import choose
from clipsvd_app.engine.baselines.task import BaselineTask
from clipsvd_app.engine.statistics.calibration import apply_temperature
from clipsvd_app.engine.statistics.metrics import softmax

if TYPE_CHECKING:
    from clipsvd_app.engine.data.features import Features
    from clipsvd_app.engine.statistics.metrics import Floats

# About a factor of 3 apart around the published values. Larger betas serve backbones whose images all lie
# close together, where small ones would count every training image alike.
_ALPHAS = (0.5, 1.0, 3.0, 10.0, 30.0)
_BETAS = (1.0, 5.5, 20.0, 60.0, 180.0)
_SETTINGS = tuple(product(_ALPHAS, _BETAS))
_DEFAULT = (1.0, 5.5)
"""The published values, used where there are too few patients to choose."""


@dataclass(frozen=True, slots=True)
class TipAdapter:
    """A cache of training images; alpha weighs it against the text, beta is the sharpness of similarity."""

    task: BaselineTask
    alpha: float
    beta: float
    temperature: float = 1.0

    @property
    def trainable_parameters(self) -> int:
        """Nothing is trained: alpha and beta are chosen."""
        return 0

    def probabilities(self, features: Features) -> Floats:
        """Return (images, classes)."""
        return apply_temperature(_answer(self.task, features, self.alpha, self.beta), self.temperature)


def fit_tip_adapter(task: BaselineTask) -> TipAdapter:
    """Keep the training images; alpha and beta by patient-grouped inner validation."""
    chosen = choose(
        task,
        _SETTINGS,
        _DEFAULT,
        lambda part, features: [_answer(part, features, *setting) for setting in _SETTINGS],
    )
    return TipAdapter(task, *chosen.setting, chosen.temperature)


def _answer(task: BaselineTask, features: Features, alpha: float, beta: float) -> Floats:
    likeness = (features @ task.features.T).astype(np.float64)
    votes = task.one_hot
    shares = votes * (len(votes) / task.classes / votes.sum(axis=0).clip(1))
    return softmax(alpha * np.exp(beta * (likeness - 1)) @ shares + task.zero_shot_logits(features))
