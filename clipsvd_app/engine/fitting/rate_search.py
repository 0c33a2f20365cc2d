"""Choosing the learning rate on one patient-grouped inner split with shortened runs.

No single rate serves every task: optima lie a factor of 30 apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from clipsvd_app.engine import metrics
from clipsvd_app.engine.backbones import embed_images
from clipsvd_app.engine.dataset import normalise
from clipsvd_app.engine.prompts import class_embeddings
from clipsvd_app.engine.splits import inner_split
from clipsvd_app.engine.train import Fit, Learner, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clipsvd_app.domain.results import StepMetrics
    from clipsvd_app.engine.examples import Examples

_BATCH = 32


@dataclass(frozen=True, slots=True)
class RateChoice:
    """The chosen peak rate, and why it is not a searched one where it is not."""

    learning_rate: float
    note: str = ""


def choose_rate(
    learner: Learner, examples: Examples, seed: int, on_step: Callable[[int, StepMetrics], None]
) -> RateChoice:
    """Return the rate of best balanced accuracy on the inner split, ties by likelihood.

    With fewer examples than a split needs, the middle rate. ``on_step`` gets candidate and step.
    """
    recipe = learner.recipe
    rates = sorted(recipe.learning_rates)
    middle = rates[len(rates) // 2]
    counts = np.bincount(examples.labels)
    if len(rates) == 1 or counts.min() < recipe.min_images_to_search:
        return RateChoice(
            middle, "With so few examples the learning rate is fixed." if len(rates) > 1 else ""
        )
    split = inner_split(examples.labels, examples.groups, seed)
    if split is None:
        return RateChoice(middle, "With so few patients the learning rate is fixed.")
    train, test = examples.subset(split.train), examples.subset(split.test)
    scores: list[tuple[float, float, float]] = []
    for candidate, rate in enumerate(rates):
        fitted = fit(
            learner,
            train,
            rate,
            recipe.search_steps,
            seed,
            lambda step, candidate=candidate: on_step(candidate, step),  # type: ignore[misc]
        )
        scores.append((*_score(learner, fitted, test), rate))
    return RateChoice(max(scores)[2])


def _score(learner: Learner, fitted: Fit, examples: Examples) -> tuple[float, float]:
    """Return balanced accuracy and mean log-likelihood on unaugmented pictures."""
    probabilities = predict_attached(learner, fitted, examples).numpy().astype(np.float64)
    truth = np.asarray(examples.labels, dtype=np.int64)
    confusion = metrics.confusion_matrix(truth, probabilities.argmax(axis=1), len(learner.classes))
    likelihood = -metrics.negative_log_likelihood(truth, probabilities)
    return metrics.balanced_accuracy(confusion), likelihood


@torch.no_grad()
def predict_attached(learner: Learner, fitted: Fit, examples: Examples) -> torch.Tensor:
    """Return probabilities (images, classes) of a fit, without folding it."""
    backbone, model = learner.backbone, fitted.attachment.model
    fitted.attachment.refresh()
    classes = class_embeddings(model, backbone, learner.classes)
    parts: Sequence[torch.Tensor] = [
        embed_images(model, normalise(pixels.to(backbone.device), backbone.preprocessing)) @ classes.T
        for pixels in torch.split(examples.plain, _BATCH)
    ]
    return functional.softmax(backbone.logit_scale * torch.cat(list(parts)), dim=-1).cpu()
