"""One adaptation: choose the start, fit, and return the singular values and the class head."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import torch
from torch import Tensor

from clipsvd_app.domain.records import to_json
from clipsvd_app.domain.results.run import RunNote, StepMetrics
from clipsvd_app.engine.backbone.prompts import class_embeddings
from clipsvd_app.engine.device.devices import device_title
from clipsvd_app.engine.fitting.choice import choice_steps, choose
from clipsvd_app.engine.fitting.fit import FitTask, fit
from clipsvd_app.engine.fitting.forward import image_sensitivity
from clipsvd_app.engine.fitting.schedule import rate_factor
from clipsvd_app.engine.fitting.start import probe_head
from clipsvd_app.engine.fitting.upper_forward import UpperForward
from clipsvd_app.engine.sigma.adapted import AdaptedModel
from clipsvd_app.engine.sigma.layers import SigmaState
from clipsvd_app.engine.sigma.trained import TrainedSigma
from clipsvd_app.jobs.stages import CHOICE_STAGE, TRAIN_STAGE

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.engine.data.examples import Examples
    from clipsvd_app.engine.data.features import Features
    from clipsvd_app.engine.fitting.learner import Learner
    from clipsvd_app.engine.sigma.class_head import ClassHead
    from clipsvd_app.jobs.lines import Report


@dataclass(frozen=True, slots=True)
class _Trained:
    """What is kept of one fit: a hundred thousand numbers, and not the models that trained them."""

    state: SigmaState
    a: Tensor
    curve: tuple[StepMetrics, ...]
    peak: float
    notes: tuple[RunNote, ...]


def adapt(learner: Learner, examples: Examples, seed: int, report: Report, stage: str = "") -> TrainedSigma:
    """Adapt to the examples; ``stage`` names the fold in what is reported.

    With several seeds the trained a are averaged, which keeps one adapter as fast as one fit.
    """
    began = time.monotonic()
    recipe, asked = learner.recipe, choice_steps(learner)

    def on_choice(number: int, step: StepMetrics) -> None:
        report(stage + CHOICE_STAGE, number * recipe.choice_steps + step.step + 1, asked, step)

    rate = recipe.learning_rate * _rate_factor(learner, examples, seed)
    texts = class_texts(learner)
    choice = choose(learner, examples, texts, rate, seed, on_choice, stage, report)
    if asked and not choice.folds:
        report(stage + CHOICE_STAGE, asked, asked)
    head = probe_head(examples, texts, learner.backbone.logit_scale) if choice.start == "probe" else None
    # Where no change is kept there is nothing to train.
    seeds = recipe.seeds if choice.share else 0
    if not seeds:
        report(stage + TRAIN_STAGE, recipe.steps * recipe.seeds, recipe.steps * recipe.seeds)
    fits = [
        _fit(learner, examples, head, rate, seed + number, number, report, stage) for number in range(seeds)
    ]
    sigmas = learner.basis.sigma_base()
    if fits:
        # Every fit starts from the same spectra, so the mean of a means the same in the state of any of them.
        state = fits[0].state
        with torch.no_grad():
            state.a.copy_(choice.share * torch.stack([fitted.a for fitted in fits]).mean(dim=0))
        # The base spectra first: with an upper part trained, the lower matrices have no entry in the state.
        sigmas |= state.sigmas()
    notes = dict.fromkeys((*choice.notes, *(note for fitted in fits for note in fitted.notes)))
    return TrainedSigma(
        sigmas=sigmas,
        sigma_base=learner.basis.sigma_base(),
        learning_rate=fits[0].peak if fits else rate,
        curve=tuple(point for fitted in fits for point in fitted.curve),
        device=device_title(learner.backbone.device),
        seconds=time.monotonic() - began,
        notes=tuple(notes),
        head=head,
        start=choice.start,
        share=choice.share,
        choice_folds=choice.folds,
        temperature=choice.temperature,
    )


def logging_report(report: Report, file: Path) -> Report:
    """Return a report that also writes every point of the curves to a file, one JSON line each."""

    def both(stage: str, done: int, total: int, metrics: StepMetrics | None = None) -> None:
        if metrics is not None:
            # A full disk ends no training: the curve is stored with the run as well.
            with suppress(OSError), file.open("a", encoding="utf-8") as stream:
                point = {"stage": stage, "done": done, "total": total, **to_json(metrics)}
                stream.write(json.dumps(point) + "\n")
        report(stage, done, total, metrics)

    return both


def adapted_model(learner: Learner, trained: TrainedSigma) -> AdaptedModel:
    """Return the learner's backbone with what was trained."""
    return AdaptedModel(
        learner.backbone, learner.basis, trained.sigmas, learner.classes, trained.temperature, trained.head
    )


def plain_learner(learner: Learner) -> Learner:
    """Return the learner of plain CLIP-SVD: the paper's method with the same steps."""
    return replace(learner, recipe=msgspec.structs.replace(learner.recipe, plain=True))


@torch.no_grad()
def class_texts(learner: Learner) -> Features:
    """Return the unit class embeddings (classes, width) fp32 of the unadapted model."""
    found = class_embeddings(learner.backbone.model, learner.backbone, learner.classes)
    return np.asarray(found.float().cpu().numpy())


def _rate_factor(learner: Learner, examples: Examples, seed: int) -> float:
    """Return the unit of the rate: of the backbone, whatever share of it is trained."""
    upper = msgspec.structs.replace(learner.recipe, trained_share=learner.recipe.choice_blocks)
    forward = UpperForward(replace(learner, recipe=upper))
    return rate_factor(image_sensitivity(forward, examples, learner.basis, seed))


def _fit(
    learner: Learner,
    examples: Examples,
    head: ClassHead | None,
    rate: float,
    seed: int,
    number: int,
    report: Report,
    stage: str,
) -> _Trained:
    steps = learner.recipe.steps
    total, before = steps * learner.recipe.seeds, number * steps

    def on_step(step: StepMetrics) -> None:
        report(stage + TRAIN_STAGE, before + step.step + 1, total, step)

    # Stage and seed make the name unique in a run: fold 2's fit must not resume fold 1's checkpoint.
    task = FitTask(f"{stage}fit {seed}", rate, steps, seed, stage, TRAIN_STAGE, before, total, head)
    fitted = fit(learner, examples, task, on_step, report)
    state = fitted.forward.attachment.state
    return _Trained(state, fitted.a, fitted.curve, fitted.peak, fitted.notes)
