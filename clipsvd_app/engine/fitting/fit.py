"""Fitting the singular values: the steps of one fit, from the base model or from where it stopped."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from clipsvd_app.domain.results.run import RunNote, StepMetrics
from clipsvd_app.engine.backbone.prompts import TOKENS_AT_ONCE
from clipsvd_app.engine.fitting.checkpoints import FitNumbers, FitState, optimiser_vectors, restore_optimiser
from clipsvd_app.engine.fitting.forward import Forward, WholeForward
from clipsvd_app.engine.fitting.memory import free_memory, plan_memory
from clipsvd_app.engine.fitting.sampling import balanced_batch
from clipsvd_app.engine.fitting.schedule import learning_rate_at
from clipsvd_app.engine.fitting.upper_forward import UpperForward
from clipsvd_app.engine.sigma.class_head import ClassHead
from clipsvd_app.errors import Cancelled, UserError
from clipsvd_app.jobs.lines import unreported
from clipsvd_app.jobs.stages import TRAIN_STAGE

if TYPE_CHECKING:
    from clipsvd_app.engine.data.examples import Examples
    from clipsvd_app.engine.fitting.learner import Learner
    from clipsvd_app.jobs.lines import Report

# Each restart halves the rate. A fit that is not finite at a sixteenth of it has a fault that no rate cures.
_MAX_RESTARTS = 4
OnStep = Callable[[StepMetrics], None]


@dataclass(frozen=True, slots=True)
class FitTask:
    """One fit of a run; ``name`` is unique within the run and names its checkpoint."""

    name: str
    learning_rate: float
    steps: int
    seed: int
    fold: str = ""
    doing: str = TRAIN_STAGE
    """Reported after ``fold`` within long steps, as step ``before`` + step of ``total``."""
    before: int = 0
    total: int = 0
    head: ClassHead | None = None
    """Added to the class texts, and not trained further; None trains plain CLIP-SVD."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A finished fit: ``forward`` holds its models; ``a`` is a copy of what was trained, at ``peak`` rate."""

    forward: Forward
    a: Tensor
    curve: tuple[StepMetrics, ...]
    peak: float
    notes: tuple[RunNote, ...] = ()


def fit(
    learner: Learner, examples: Examples, task: FitTask, on_step: OnStep, report: Report = unreported
) -> Fit:
    """Minimise cross-entropy of the image-text logits over a; deterministic for a seed and a device.

    Resumes from a checkpoint of the same task, to the same last bit. A step that is not finite goes back to
    the last finite state and halves the rate. ``report`` gets the stages before the steps and within long
    ones, ``on_step`` every step.
    """
    training = _Training(learner, examples, task, report)
    # A resumed fit first repeats the points of its checkpoint, so that the curve has no gap.
    for point in training.curve:
        on_step(point)
    try:
        while training.steps_done < task.steps:
            on_step(training.step())
            # Also after the last step: a run stopped in a later fold must not repeat this fit.
            learner.checkpoints.keep(task.name, training.state, now=training.steps_done == task.steps)
    except Cancelled:
        learner.checkpoints.keep(task.name, training.state, now=True)
        raise
    # A copy, because averaging over seeds writes the mean into the state of the first fit.
    a = training.a.detach().clone()
    notes = (*training.notes, *learner.lower.notes)
    return Fit(training.forward, a, tuple(training.curve), training.peak, tuple(dict.fromkeys(notes)))


def forward_for(
    learner: Learner, examples: Examples, report: Report = unreported, stage: str = ""
) -> Forward:
    """Return the forward pass that the recipe asks for; ``stage`` is the prefix of reported stages."""
    if learner.recipe.trained_share >= 1:
        return WholeForward(learner)
    upper = UpperForward(learner)
    upper.prepare(examples, report, stage)
    return upper


def accumulate(
    forward: Forward,
    inputs: Tensor,
    labels: Tensor,
    parts: int,
    head: ClassHead | None = None,
    pulse: Callable[[], None] = lambda: None,
) -> tuple[float, float]:
    """Add the gradient of a step to a, and return cross-entropy and accuracy.

    The images go through in ``parts``, the gradient of the classes gathered from all of them. Prompts that
    fit into one part go through once. Of more parts only the embeddings are kept, and each is computed again
    for its gradient: exact to rounding, in the memory of one part. ``pulse`` is called between parts.
    """
    attachment = forward.attachment
    texts = _Texts(forward, pulse)
    # Cut from the graph of the prompts: each part of the images adds to one gradient of the classes, and the
    # text tower is walked back once for all parts.
    classes = texts.classes.detach().requires_grad_()
    total = hits = 0.0
    for part, truth in zip(inputs.chunk(parts), labels.chunk(parts), strict=True):
        pulse()
        # The backward pass of a part frees the graph from a to sigma, so each part needs a new one.
        attachment.refresh()
        logits = forward.logits(part, classes, head)
        # Weighted by size, because the last part may be smaller: the sum is the mean over the whole batch.
        loss = functional.cross_entropy(logits, truth) * (len(part) / len(inputs))
        torch.autograd.backward(loss)
        total += float(loss.detach())
        hits += int((logits.detach().argmax(dim=1) == truth).sum())
    assert classes.grad is not None
    attachment.refresh()
    texts.backward(classes.grad)
    return total, hits / len(inputs)


class _Texts:
    """The embedded prompts of one step, and the way of their gradient back to a."""

    def __init__(self, forward: Forward, pulse: Callable[[], None]) -> None:
        self.forward, self.pulse = forward, pulse
        self.parts = range(len(forward.prompts.cuts))
        self.graph: Tensor | None = None
        rows = self._one() if len(self.parts) == 1 else self._many()
        self.rows = rows.detach().requires_grad_()
        self.classes = forward.classes_of(self.rows)

    def backward(self, gradient: Tensor) -> None:
        """Add the gradient of the class embeddings (classes, width) to a."""
        self.classes.backward(gradient)
        assert self.rows.grad is not None
        if self.graph is not None:
            self.graph.backward(self.rows.grad)
            return
        sizes = [count for count, _ in self.forward.prompts.cuts]
        for part, wanted in zip(self.parts, torch.split(self.rows.grad, sizes), strict=True):
            self.pulse()
            self.forward.attachment.refresh()
            self.forward.prompt_embeddings(part).backward(wanted)

    def _one(self) -> Tensor:
        self.forward.attachment.refresh()
        self.graph = self.forward.prompt_embeddings(0)
        return self.graph

    def _many(self) -> Tensor:
        rows = []
        for part in self.parts:
            self.pulse()
            self.forward.attachment.refresh()
            with torch.no_grad():
                rows.append(self.forward.prompt_embeddings(part))
        return torch.cat(rows)


class _Training:
    """The state of one fit."""

    def __init__(self, learner: Learner, examples: Examples, task: FitTask, report: Report) -> None:
        self.recipe, self.task, self.examples, self.report = learner.recipe, task, examples, report
        device = learner.backbone.device
        self.labels = torch.tensor(examples.labels, device=device)
        self.forward = forward_for(learner, examples, report, task.fold)
        self.a = self.forward.attachment.state.a
        self.finite = self.a.detach().clone()
        self.peak, self.restarts, self.steps_done = task.learning_rate, 0, 0
        self.curve: list[StepMetrics] = []
        self.notes: list[RunNote] = []
        self.optimiser = self._new_optimiser()
        # First the memory plan, then the checkpoint, which replaces it by the plan that the fit began with.
        self.parts, self.checkpointed, self.prompt_tokens = 1, False, TOKENS_AT_ONCE
        self._save_memory_from_the_start(learner)
        if (kept := learner.checkpoints.load(task.name)) is not None:
            self._restore(kept)

    def step(self) -> StepMetrics:
        """Take one optimiser step and return its metrics."""
        step, task = self.steps_done, self.task
        rate = learning_rate_at(step, task.steps, self.peak, self.recipe.warmup_fraction)
        batch = balanced_batch(self.examples.labels, self.recipe.batch_size, task.seed, step)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        inputs = self.forward.inputs(self.examples, batch, task.seed, step)
        loss, accuracy = self._backward(inputs, self.labels[batch])
        gradient = self.a.grad
        if math.isfinite(loss) and gradient is not None and bool(gradient.isfinite().all()):
            # Before the update: a gave a finite loss, while the updated a is known only after the next step.
            self.finite.copy_(self.a.detach())
            self.optimiser.step()
            point = StepMetrics(step, loss, accuracy, rate)
        else:
            self._go_back()
            # None draws a gap in the curve, where 0 would look like the best step of all.
            point = StepMetrics(step, None, None, rate)
        self.steps_done += 1
        self.curve.append(point)
        return point

    def state(self) -> FitState:
        """Return all that the next step depends on."""
        vectors = {"a": self.a.detach().cpu().clone(), "finite": self.finite.cpu().clone()}
        remembered = optimiser_vectors(self.optimiser, self.a)
        vectors |= {f"optimiser.{name}": vector for name, vector in remembered.items()}
        numbers = FitNumbers(
            self.steps_done,
            self.peak,
            self.restarts,
            self.parts,
            self.checkpointed,
            self.prompt_tokens,
            tuple(self.curve),
            tuple(self.notes),
        )
        return FitState(vectors, numbers)

    def _restore(self, kept: FitState) -> None:
        numbers, prefix = kept.numbers, "optimiser."
        self.steps_done, self.peak, self.restarts = numbers.steps_done, numbers.peak, numbers.restarts
        self.curve, self.notes = list(numbers.curve), list(numbers.notes)
        # Sums depend on how a step is cut: a resumed fit is cut as before, whatever memory is free now.
        self.parts = numbers.parts
        self._cut_prompts(numbers.prompt_tokens)
        if numbers.checkpointed and not self.checkpointed:
            self.forward.save_memory()
            self.checkpointed = True
        with torch.no_grad():
            self.a.copy_(kept.vectors["a"])
            self.finite.copy_(kept.vectors["finite"])
        # AdamW's moments hold the gradient that was not finite.
        self.optimiser = self._new_optimiser()
        remembered = {n.removeprefix(prefix): v for n, v in kept.vectors.items() if n.startswith(prefix)}
        restore_optimiser(self.optimiser, self.a, remembered)

    def _backward(self, inputs: Tensor, labels: Tensor) -> tuple[float, float]:
        """Leave the gradient in a; when memory runs out, compute less at once and try again."""
        while True:
            self.optimiser.zero_grad(set_to_none=True)
            try:
                return accumulate(self.forward, inputs, labels, self.parts, self.task.head, self._pulse)
            except torch.OutOfMemoryError:
                if not self._take_less_memory(len(inputs)):
                    raise

    def _pulse(self) -> None:
        """Report between the parts of a long step, so that it can be cancelled and short jobs be answered."""
        if self.parts > 1 or len(self.forward.prompts.cuts) > 1:
            task = self.task
            self.report(task.fold + task.doing, task.before + self.steps_done, task.total or task.steps)

    def _save_memory_from_the_start(self, learner: Learner) -> None:
        backbone = learner.backbone
        free = free_memory(backbone.device)
        if backbone.device.type == "cpu":
            # The inner test images will enter the cache too, after this plan.
            free -= learner.lower.still_to_take(len(self.examples))
        prompts = sum(count * length for count, length in self.forward.prompts.cuts)
        plan = plan_memory(backbone, self.recipe.batch_size, free, prompts)
        if plan.checkpointed:
            self.forward.save_memory()
        self.checkpointed, self.parts = plan.checkpointed, plan.parts
        self._cut_prompts(plan.prompt_tokens)
        self.notes += plan.notes

    def _cut_prompts(self, tokens_at_once: int) -> None:
        if tokens_at_once != self.prompt_tokens:
            self.forward.cut_prompts(tokens_at_once)
        self.prompt_tokens = tokens_at_once

    def _take_less_memory(self, images: int) -> bool:
        """Keep only block inputs, then halve what is computed at once; False when nothing is left to try."""
        smallest = self.parts >= images and self.forward.prompts.is_smallest
        if self.checkpointed and smallest:
            return False
        if self.checkpointed:
            self.parts = min(2 * self.parts, images)
            self._cut_prompts(max(1, min(self.prompt_tokens, self.forward.prompts.tokens_of_a_part) // 2))
            self.notes.append(RunNote("smaller_parts", self.parts))
        else:
            self.forward.save_memory()
            self.checkpointed = True
            self.notes.append(RunNote("recomputed"))
        # PyTorch keeps the freed blocks of the failed step, in sizes that the smaller step may not fit.
        if self.a.is_cuda:
            torch.cuda.empty_cache()
        return True

    def _go_back(self) -> None:
        self.restarts += 1
        if self.restarts > _MAX_RESTARTS:
            raise UserError(
                "Training diverged with this backbone.",
                remedy="Check the backbone with “clipsvd doctor”, or choose another one.",
                code="not_finite",
            )
        with torch.no_grad():
            self.a.copy_(self.finite)
        self.peak /= 2
        self.optimiser = self._new_optimiser()
        self.notes.append(RunNote("not_finite"))

    def _new_optimiser(self) -> torch.optim.Optimizer:
        # No weight decay: what is kept of the change is chosen on unseen patients.
        return torch.optim.AdamW([self.a], lr=self.peak, weight_decay=0.0)
