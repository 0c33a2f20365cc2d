"""Choosing where training starts and how much of its change is kept.

What is kept is a share of the trained a: 0 is no change of the weights, 1 all of it, and in between lies the
mean of both models' weights (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", CVPR), so that
one fit gives the answers of all shares. They are judged from both starts, the probe and the class texts, by
fits of the upper blocks on folds of the training patients; with too few images for that, the probe's start
and the usual share are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import torch

from clipsvd_app.domain.recipe import STARTS, StartName
from clipsvd_app.domain.results.run import RunNote, StepMetrics
from clipsvd_app.engine.baselines.inner_folds import inner_folds
from clipsvd_app.engine.data.examples import Examples
from clipsvd_app.engine.data.features import Features
from clipsvd_app.engine.fitting.fit import FitTask, fit
from clipsvd_app.engine.fitting.learner import Learner
from clipsvd_app.engine.fitting.start import probe_head
from clipsvd_app.engine.statistics.calibration import PRIOR_MEAN, apply_temperature, fit_temperature
from clipsvd_app.engine.statistics.metrics import Floats, Integers, softmax
from clipsvd_app.jobs.lines import Report, unreported
from clipsvd_app.jobs.stages import CHOICE_STAGE

if TYPE_CHECKING:
    from clipsvd_app.engine.data.splits import Split
    from clipsvd_app.engine.fitting.fit import Fit
    from clipsvd_app.engine.sigma.class_head import ClassHead

# A probability of 0 has no logarithm.
_TINY = 1e-12
_USUAL_TEMPERATURE = float(np.exp(PRIOR_MEAN))
Candidate = tuple[StartName, float]
"""A start and a share of the change; the texts with no change are plain zero-shot CLIP."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a fit starts, the share of its change that is kept, and the temperature of its answers."""

    start: StartName
    share: float
    temperature: float
    notes: tuple[RunNote, ...] = ()
    folds: int = 0
    """Folds of the training patients that it was made on; 0 where nothing was fitted for it."""


def choose(
    learner: Learner,
    examples: Examples,
    texts: Features,
    rate: float,
    seed: int,
    on_step: Callable[[int, StepMetrics], None],
    stage: str = "",
    report: Report = unreported,
) -> Choice:
    """Return the start, and the share of least out-of-fold log loss.

    texts: unit class embeddings (classes, width) of the unadapted model; rate: the peak rate of the fit that
    the choice is for. ``on_step`` gets the number of the choice's fit and its step.
    """
    recipe = learner.recipe
    if recipe.plain:
        return Choice("text", 1.0, 1.0)
    usual = Choice("probe", recipe.share, _USUAL_TEMPERATURE)
    if np.bincount(examples.labels, minlength=len(texts)).min() < recipe.fewest_to_choose:
        return replace(usual, notes=(RunNote("few_images"),))
    folds = inner_folds(examples.labels, examples.patient_ids, len(texts), seed, recipe.choice_folds)
    if len(folds) < recipe.choice_folds:
        return replace(usual, notes=(RunNote("few_patients"),))
    judge = _Judge(learner, examples, texts, rate, seed, on_step, stage, report)
    tested = [place for fold in folds for place in fold.test]
    answers: dict[Candidate, Floats] = {}
    for place, start in enumerate(STARTS):
        found = judge.answers(start, folds, place * len(folds))
        answers |= {(start, share): rows for share, rows in zip(recipe.shares, found, strict=True)}
    truth = np.asarray(examples.labels)[tested]
    patient_ids = [examples.patient_ids[place] for place in tested]
    best = _best(answers, truth, patient_ids, ("probe", recipe.share))
    return replace(best, folds=len(folds))


def choice_steps(learner: Learner) -> int:
    """Return how many steps a choice takes in all."""
    recipe = learner.recipe
    return 0 if recipe.plain else len(STARTS) * recipe.choice_folds * recipe.choice_steps


@dataclass(frozen=True, slots=True)
class _Judge:
    """The fits of one choice: on the upper blocks only, whose lower activations all of them share."""

    learner: Learner
    examples: Examples
    texts: Features
    rate: float
    seed: int
    on_step: Callable[[int, StepMetrics], None]
    stage: str
    report: Report

    def answers(self, start: StartName, folds: Sequence[Split], before: int) -> list[Floats]:
        """Return the out-of-fold logits (images, classes) of each share."""
        found = [self._answers(start, fold, before + place) for place, fold in enumerate(folds)]
        return [np.concatenate(rows) for rows in zip(*found, strict=True)]

    def _answers(self, start: StartName, fold: Split, number: int) -> list[Floats]:
        recipe = self.learner.recipe
        steps = recipe.choice_steps
        recipe_of_fits = msgspec.structs.replace(
            recipe, trained_share=min(recipe.trained_share, recipe.choice_blocks)
        )
        train, test = self.examples.subset(fold.train), self.examples.subset(fold.test)
        scale = self.learner.backbone.logit_scale
        head = probe_head(train, self.texts, scale) if start == "probe" else None
        task = FitTask(
            name=f"{self.stage}choice {number}",
            # As much rate in fewer steps, so that a share means the same change as in the fit itself.
            learning_rate=self.rate * recipe.steps / steps,
            steps=steps,
            seed=self.seed,
            fold=self.stage,
            doing=CHOICE_STAGE,
            before=number * steps,
            total=choice_steps(self.learner),
            head=head,
        )
        fitted = fit(
            replace(self.learner, recipe=recipe_of_fits),
            train,
            task,
            lambda step: self.on_step(number, step),
            self.report,
        )
        return _along(fitted, head, test, recipe.shares)


@torch.no_grad()
def _along(fitted: Fit, head: ClassHead | None, examples: Examples, shares: Sequence[float]) -> list[Floats]:
    """Return the logits (images, classes) at each share of the trained change, on unaugmented images."""
    attachment, found = fitted.forward.attachment, []
    for share in shares:
        attachment.state.a.copy_(share * fitted.a)
        attachment.refresh()
        found.append(fitted.forward.plain_logits(examples.plain, head).double().cpu().numpy())
    return found


def _best(
    answers: dict[Candidate, Floats], truth: Integers, patient_ids: Sequence[str], usual: Candidate
) -> Choice:
    """Return the candidate of least log loss, each at its own temperature, or the usual one.

    Every class weighs the same. The usual one stays unless another is better by more than the standard error
    of the mean difference between patients: a choice on a few dozen images is mostly noise.
    """
    judged = {candidate: _calibrated(logits, truth) for candidate, logits in answers.items()}
    best = min(judged, key=lambda candidate: judged[candidate][0].mean())
    lost = judged[usual][0] - judged[best][0]
    members = np.unique(np.asarray(patient_ids), return_inverse=True)[1]
    gains = np.bincount(members, lost) * len(set(patient_ids)) / len(truth)
    # An endless loss of the usual one has no standard error.
    if np.isfinite(gains).all() and gains.mean() <= gains.std(ddof=1) / np.sqrt(len(gains)):
        best = usual
    return Choice(*best, judged[best][1])


def _calibrated(logits: Floats, truth: Integers) -> tuple[Floats, float]:
    """Return the weighted log loss of each image (images,) at the temperature that fits them, and the latter.

    Logits that are not finite have an endless loss.
    """
    if not np.isfinite(logits).all():
        return np.full(len(truth), np.inf), _USUAL_TEMPERATURE
    probabilities = softmax(logits)
    temperature = fit_temperature(probabilities, truth)
    scaled = apply_temperature(probabilities, temperature)
    counts = np.bincount(truth, minlength=scaled.shape[1])
    weights = (len(truth) / np.count_nonzero(counts) / counts.clip(1))[truth]
    return -weights * np.log(scaled[np.arange(len(truth)), truth].clip(_TINY)), temperature
