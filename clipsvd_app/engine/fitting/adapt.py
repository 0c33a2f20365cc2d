"""One adaptation: choose the learning rate, fit, and return the singular values."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from clipsvd_app.domain.records import to_json
from clipsvd_app.domain.results.run import RunNote, StepMetrics
from clipsvd_app.engine.device.devices import device_title
from clipsvd_app.engine.fitting.fit import TRAIN_STAGE, FitTask, fit
from clipsvd_app.engine.fitting.rate_search import SEARCH_STAGE, choose_rate
from clipsvd_app.engine.sigma.layers import SigmaState
from clipsvd_app.engine.sigma.trained import TrainedSigma

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.engine.data.examples import Examples
    from clipsvd_app.engine.fitting.learner import Learner
    from clipsvd_app.jobs.lines import Report


@dataclass(frozen=True, slots=True)
class _Trained:
    """What is kept of one fit: a hundred thousand numbers, and not the models that trained them."""

    state: SigmaState
    a: Tensor
    curve: tuple[StepMetrics, ...]
    notes: tuple[RunNote, ...]


def adapt(learner: Learner, examples: Examples, seed: int, report: Report, stage: str = "") -> TrainedSigma:
    """Adapt to the examples; ``stage`` names the fold in what is reported.

    With several seeds the trained a are averaged, which keeps one adapter as fast as one fit.
    """
    start = time.monotonic()
    recipe = learner.recipe
    searched = len(recipe.learning_rates) * recipe.search_steps

    def on_search(candidate: int, step: StepMetrics) -> None:
        done = candidate * recipe.search_steps + step.step + 1
        report(stage + SEARCH_STAGE, done, searched, step)

    choice = choose_rate(learner, examples, seed, on_search, stage, report)
    fits = [
        _fit(learner, examples, choice.learning_rate, seed + number, number, report, stage)
        for number in range(recipe.seeds)
    ]
    # Every fit starts from the same spectra, so the mean of a means the same in the state of any of them.
    state = fits[0].state
    with torch.no_grad():
        state.a.copy_(torch.stack([fitted.a for fitted in fits]).mean(dim=0))
    notes = dict.fromkeys((*choice.notes, *(note for fitted in fits for note in fitted.notes)))
    return TrainedSigma(
        # The base spectra first: with an upper part trained, the lower matrices have no entry in the state.
        sigmas=learner.basis.sigma_base() | state.sigmas(),
        sigma_base=learner.basis.sigma_base(),
        learning_rate=choice.learning_rate,
        curve=tuple(point for fitted in fits for point in fitted.curve),
        device=device_title(learner.backbone.device),
        seconds=time.monotonic() - start,
        notes=tuple(notes),
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


def _fit(
    learner: Learner, examples: Examples, rate: float, seed: int, number: int, report: Report, stage: str
) -> _Trained:
    steps = learner.recipe.steps
    total, before = steps * learner.recipe.seeds, number * steps

    def on_step(step: StepMetrics) -> None:
        report(stage + TRAIN_STAGE, before + step.step + 1, total, step)

    # Stage and seed make the name unique in a run: fold 2's fit must not resume fold 1's checkpoint.
    task = FitTask(f"{stage}fit {seed}", rate, steps, seed, stage, TRAIN_STAGE, before, total)
    fitted = fit(learner, examples, task, on_step, report)
    return _Trained(fitted.forward.attachment.state, fitted.a, fitted.curve, fitted.notes)
