"""Logistic regression on frozen features."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from clipsvd_app.engine.baselines.inner_folds import inner_folds
from clipsvd_app.engine.statistics.metrics import Floats, negative_log_likelihood

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.engine.data.features import Features

# Half a decade apart. C acts on features whose rows have a mean square of 1, so one grid serves all
# backbones.
_STRENGTHS = (1.0, 3.0, 10.0, 30.0)
_DEFAULT_STRENGTH = 3.0
# Far beyond what lbfgs needs here: a fit that does not converge is our bug, and raises.
_MAX_ITERATIONS = 10_000


@dataclass(frozen=True, slots=True)
class ScaledRegression:
    """A converged logistic regression on centred features, all divided by one number.

    One number for all: a few images do not determine each feature's own spread, and dividing by it raises
    the noise of weak features to the level of informative ones. Centred rows then have a mean square of 1, so
    that one grid of C serves backbones whose embeddings spread differently.
    """

    mean: Floats
    scale: float
    regression: Any

    def predict_proba(self, features: Features) -> Floats:
        """Return (images, trained classes)."""
        found: Floats = self.regression.predict_proba((features.astype(np.float64) - self.mean) / self.scale)
        return found


@dataclass(frozen=True, slots=True)
class LinearProbe:
    """A logistic regression on frozen features; C by patient-grouped inner validation."""

    classifier: ScaledRegression
    strength: float
    classes: int

    @property
    def trainable_parameters(self) -> int:
        """Count weights and offsets."""
        regression = self.classifier.regression
        return int(regression.coef_.size + regression.intercept_.size)

    @property
    def layer(self) -> tuple[Floats, Floats]:
        """Return weights (classes, width) and offsets (classes,); all classes were trained on."""
        regression = self.classifier.regression
        assert len(regression.classes_) == self.classes
        weights = regression.coef_ / self.classifier.scale
        offsets = regression.intercept_ - weights @ self.classifier.mean
        if self.classes == 2:  # one row says how much likelier the second class is
            return np.concatenate([-weights / 2, weights / 2]), np.concatenate([-offsets / 2, offsets / 2])
        return weights, offsets

    def probabilities(self, features: Features) -> Floats:
        """Return (images, classes); a class that was not trained on gets 0."""
        found = np.zeros((len(features), self.classes))
        found[:, self.classifier.regression.classes_] = self.classifier.predict_proba(features)
        return found


def fit_linear_probe(
    features: Features, labels: Sequence[int], patient_ids: Sequence[str], classes: int, seed: int
) -> LinearProbe:
    """Fit on unit features (images, width); with one patient in a class C is the default."""
    strength = choose_strength(features, labels, patient_ids, classes, seed)
    classifier = _fit(features, labels, strength)
    return LinearProbe(classifier, strength, classes)


def choose_strength(
    features: Features, labels: Sequence[int], patient_ids: Sequence[str], classes: int, seed: int
) -> float:
    """Return the C of least out-of-fold log loss, which tells more of few images than accuracy does."""
    splits = inner_folds(labels, patient_ids, classes, seed)
    if not splits:
        return _DEFAULT_STRENGTH
    truth = np.asarray([labels[position] for split in splits for position in split.test], dtype=np.int64)
    scores = []
    for strength in _STRENGTHS:
        found = np.concatenate(
            [
                _fit(features[list(split.train)], [labels[p] for p in split.train], strength).predict_proba(
                    features[list(split.test)]
                )
                for split in splits
            ]
        )
        scores.append((negative_log_likelihood(truth, found), strength))
    return min(scores)[1]


def _fit(features: Features, labels: Sequence[int], strength: float) -> ScaledRegression:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    wide = features.astype(np.float64)
    mean = wide.mean(axis=0)
    centred = wide - mean
    scale = float(np.sqrt((centred**2).sum(axis=1).mean())) or 1.0
    # Balanced, because balanced accuracy is compared: every class weighs the same, however many images it
    # has.
    regression = LogisticRegression(C=strength, max_iter=_MAX_ITERATIONS, class_weight="balanced")
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        return ScaledRegression(mean, scale, regression.fit(centred / scale, np.asarray(labels)))
