"""The forms of a training step that are timed against one another, each over the same random images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from msgspec.structs import replace
from torch import Tensor, nn
from torch.nn import functional

from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.recipe import recipe_for
from clipsvd_app.engine.backbone.architectures import architecture_of
from clipsvd_app.engine.backbone.backbone import Backbone, embed_images, embed_texts
from clipsvd_app.engine.data.examples import Examples
from clipsvd_app.engine.fitting.fit import accumulate, forward_for
from clipsvd_app.engine.fitting.learner import Learner
from clipsvd_app.engine.fitting.memory import free_memory, plan_memory
from clipsvd_app.engine.fitting.precision import autocast
from clipsvd_app.engine.sigma.layers import attach, shadow

if TYPE_CHECKING:
    from clipsvd_app.domain.towers import Tower
    from clipsvd_app.engine.sigma.basis import Basis

FormName = Literal["frozen", "reference", "ours", "ours_quick"]
FORMS: tuple[FormName, ...] = ("frozen", "reference", "ours", "ours_quick")
# What fills up a text for BERT; CLIP's own tokenizer fills up by itself.
_BERT_PADDING = 0
_FACTORED: dict[Tower, int] = {"image": 1, "text": 1}


@dataclass(frozen=True, slots=True)
class StepSettings:
    """What is timed: images and classes in a step, and the number type of the products.

    The reference form computes in fp32 whatever the others do: that is part of what it is.
    """

    batch: int
    classes: int
    dtype: torch.dtype

    def dtype_of(self, form: FormName) -> torch.dtype:
        """Return the number type in which a form multiplies."""
        return torch.float32 if form == "reference" else self.dtype


@dataclass(frozen=True, slots=True)
class StepForm:
    """One step, forward and backward, and how many numbers it trains."""

    step: Callable[[], None]
    trainable_parameters: int


def step_form(form: FormName, backbone: Backbone, basis: Basis | None, settings: StepSettings) -> StepForm:
    """Build a form; all but ``frozen`` need the basis."""
    if form == "frozen":
        return _frozen(backbone, settings)
    assert basis is not None
    if form == "reference":
        return _reference(backbone, basis, settings)
    return _ours(backbone, basis, settings, quick=form == "ours_quick")


def _frozen(backbone: Backbone, settings: StepSettings) -> StepForm:
    """Return the bound: the unmodified model, with gradients back to the first block of both towers."""
    model = shadow(backbone.model)
    architecture = architecture_of(model)
    for table in (architecture.image, architecture.text):
        first = next(model.get_submodule(table.blocks).children())
        first.register_forward_pre_hook(_as_leaf)
    images, tokens = _images(backbone, settings), backbone.tokenize(_prompts(settings))
    return StepForm(lambda: _classify(backbone, model, images, tokens, settings.dtype), 0)


def _reference(backbone: Backbone, basis: Basis, settings: StepSettings) -> StepForm:
    """Return every matrix factored, prompts padded to the length of the context, fp32."""
    attachment = attach(backbone.model, basis, _FACTORED)
    images, tokens = _images(backbone, settings), _padded(backbone, settings)

    def step() -> None:
        attachment.refresh()
        _classify(backbone, attachment.model, images, tokens, torch.float32)

    return StepForm(step, attachment.state.a.numel())


def _ours(backbone: Backbone, basis: Basis, settings: StepSettings, *, quick: bool) -> StepForm:
    """Return a step of the product's own training, with the number type of the benchmark."""
    recipe = replace(recipe_for("quick" if quick else "standard"), batch_size=settings.batch, views=1)
    classes = tuple(ClassSpec(prompt, (prompt,)) for prompt in _prompts(settings))
    learner = Learner(backbone, basis, classes, recipe, dtype=settings.dtype)
    examples = _examples(backbone, settings)
    forward = forward_for(learner, examples)
    inputs = forward.inputs(examples, range(settings.batch), seed=0, step=0)
    labels = torch.tensor(examples.labels, device=backbone.device)

    parts = plan_memory(backbone, settings.batch, free_memory(backbone.device)).parts

    def step() -> None:
        accumulate(forward, inputs, labels, parts)

    return StepForm(step, forward.attachment.state.a.numel())


def _classify(
    backbone: Backbone, model: nn.Module, images: Tensor, tokens: Tensor, dtype: torch.dtype
) -> None:
    with autocast(backbone.device, dtype):
        logits = backbone.logit_scale * (embed_images(model, images) @ embed_texts(model, tokens).T)
    labels = torch.arange(len(images), device=images.device) % len(tokens)
    functional.cross_entropy(logits.float(), labels).backward()


def _as_leaf(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return inputs[0].detach().requires_grad_(), *inputs[1:]


def _prompts(settings: StepSettings) -> list[str]:
    """Return prompts of eight single letters, which every vocabulary knows: ten tokens with their frame."""
    return [f"a s c a n o f {chr(ord('a') + number % 26)}" for number in range(settings.classes)]


def _padded(backbone: Backbone, settings: StepSettings) -> Tensor:
    tokens = backbone.tokenize(_prompts(settings))
    missing = backbone.tokenizer.context_length - tokens.shape[1]
    return functional.pad(tokens, (0, missing), value=_BERT_PADDING)


def _images(backbone: Backbone, settings: StepSettings) -> Tensor:
    size = backbone.preprocessing.size
    generator = torch.Generator().manual_seed(0)
    return torch.randn((settings.batch, 3, size, size), generator=generator).to(backbone.device)


def _examples(backbone: Backbone, settings: StepSettings) -> Examples:
    size, generator = backbone.preprocessing.size, torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (settings.batch, 3, size, size), dtype=torch.uint8, generator=generator)
    labels = tuple(number % settings.classes for number in range(settings.batch))
    # Steps read no frozen features.
    features = np.zeros((settings.batch, 1), np.float32)
    return Examples(pixels, pixels, features, labels, tuple(str(number) for number in range(settings.batch)))
