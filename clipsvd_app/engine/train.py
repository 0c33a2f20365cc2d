"""Fitting the singular values, and choosing the learning rate they are fitted with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.domain.results import StepMetrics
from clipsvd_app.engine import torch_setup
from clipsvd_app.engine.architectures import tokens_per_image
from clipsvd_app.engine.backbones import Backbone, embed_images
from clipsvd_app.engine.basis import Basis
from clipsvd_app.engine.dataset import Augmentation
from clipsvd_app.engine.prompts import PromptBatch, prompt_batch
from clipsvd_app.engine.sampling import balanced_batches
from clipsvd_app.engine.schedule import learning_rate_at
from clipsvd_app.engine.sigma import Attachment, attach
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from clipsvd_app.engine.examples import Examples

_MAX_RESTARTS = 4
OnStep = Callable[[StepMetrics], None]


@dataclass(frozen=True, slots=True)
class Learner:
    """What every fit of a run has in common."""

    backbone: Backbone
    basis: Basis
    classes: tuple[ClassSpec, ...]
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Fit:
    """A finished fit: the attachment holds the trained a, which ``a`` copies."""

    attachment: Attachment
    a: Tensor
    curve: tuple[StepMetrics, ...]
    notes: tuple[str, ...] = ()


def fit(
    learner: Learner, examples: Examples, learning_rate: float, steps: int, seed: int, on_step: OnStep
) -> Fit:
    """Minimise cross-entropy of the image-text logits over a; deterministic for a seed and a device.

    A step that is not finite goes back to the last finite state and halves the rate.
    """
    training = _Training(learner, examples, learning_rate, seed)
    curve: list[StepMetrics] = []
    for step in range(steps):
        rate = learning_rate_at(step, steps, training.peak, learner.recipe.warmup_fraction)
        metrics = training.step(step, rate)
        curve.append(metrics)
        on_step(metrics)
    attachment = training.attachment
    return Fit(attachment, attachment.state.a.detach().clone(), tuple(curve), tuple(training.notes))


class _Training:
    """The state of one fit."""

    def __init__(self, learner: Learner, examples: Examples, peak: float, seed: int) -> None:
        recipe, backbone = learner.recipe, learner.backbone
        self.recipe, self.backbone, self.examples, self.peak = recipe, backbone, examples, peak
        self.generator = torch.Generator().manual_seed(seed)
        self.batches = balanced_batches(examples.labels, recipe.batch_size, self.generator)
        self.augment = Augmentation(backbone.preprocessing, recipe.crop_scale, recipe.flip)
        self.prompts: PromptBatch = prompt_batch(backbone, learner.classes)
        self.labels = torch.tensor(examples.labels, device=backbone.device)
        tokens = recipe.batch_size * tokens_per_image(backbone.model)
        self.attachment = attach(
            backbone.model, learner.basis, {"image": tokens, "text": self.prompts.tokens.numel()}
        )
        self.optimiser = self._new_optimiser()
        self.finite = self.attachment.state.a.detach().clone()
        self.parts = 1
        self.restarts = 0
        self.notes: list[str] = []

    def step(self, step: int, rate: float) -> StepMetrics:
        """Take one optimiser step at ``rate`` and say how it went."""
        batch = next(self.batches)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        images = self.augment(self.examples.large[batch].to(self.backbone.device), self.generator)
        loss, accuracy = self._backward(images, self.labels[batch])
        gradient = self.attachment.state.a.grad
        if not math.isfinite(loss) or gradient is None or not bool(gradient.isfinite().all()):
            self._go_back()
            return StepMetrics(step, 0.0 if not math.isfinite(loss) else loss, accuracy, rate)
        self.finite.copy_(self.attachment.state.a.detach())
        self.optimiser.step()
        return StepMetrics(step, loss, accuracy, rate)

    def _backward(self, images: Tensor, labels: Tensor) -> tuple[float, float]:
        """Leave the gradient in a; when memory runs out, halve the images that are in flight at once."""
        while True:
            self.optimiser.zero_grad(set_to_none=True)
            try:
                pieces = zip(images.chunk(self.parts), labels.chunk(self.parts), strict=True)
                done = [self._accumulate(part, truth, len(images)) for part, truth in pieces]
            except torch.OutOfMemoryError:
                if self.parts >= len(images):
                    raise
                self.parts *= 2
                torch.cuda.empty_cache()
                self.notes.append("Memory ran short: each step was computed in smaller parts.")
                continue
            return sum(loss for loss, _ in done), sum(hits for _, hits in done) / len(images)

    def _accumulate(self, images: Tensor, labels: Tensor, total: int) -> tuple[float, int]:
        share = len(images) / total
        self.attachment.refresh()
        model = self.attachment.model
        with autocast(self.backbone.device):
            logits = self.backbone.logit_scale * (
                embed_images(model, images) @ self.prompts.class_embeddings(model).T
            )
        loss = functional.cross_entropy(logits.float(), labels)
        penalty = self.recipe.penalty * self.attachment.state.a.square().mean()
        torch.autograd.backward(share * (loss + penalty))
        return share * float(loss.detach()), int((logits.detach().argmax(dim=1) == labels).sum())

    def _go_back(self) -> None:
        self.restarts += 1
        if self.restarts > _MAX_RESTARTS:
            raise UserError(
                "Training does not stay finite with this backbone.",
                remedy="Check the backbone with “clipsvd doctor”, or choose another one.",
                code="not_finite",
            )
        with torch.no_grad():
            self.attachment.state.a.copy_(self.finite)
        self.peak /= 2
        self.optimiser = self._new_optimiser()
        self.notes.append("A step was not finite: training went back and halved the learning rate.")

    def _new_optimiser(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW([self.attachment.state.a], lr=self.peak, weight_decay=0.0)


@contextmanager
def autocast(device: torch.device) -> Iterator[None]:
    """Compute in bfloat16 where the hardware does, with attention in a form that is fast there."""
    if not torch_setup.has_fast_bfloat16(device.type):
        yield
        return
    with ExitStack() as stack:
        stack.enter_context(torch.autocast(device.type, dtype=torch.bfloat16))
        if device.type == "cpu":
            # The flash kernel's backward pass in bfloat16 is slower on a CPU than the plain products.
            stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        yield
