"""From pictures to logits in training: the whole of both towers, or their upper blocks alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from clipsvd_app.engine.architectures import tokens_per_image
from clipsvd_app.engine.backbones import embed_images
from clipsvd_app.engine.dataset import Augmentation, normalise
from clipsvd_app.engine.fitting.last_block import use_class_token_alone
from clipsvd_app.engine.fitting.memory import checkpoint_blocks
from clipsvd_app.engine.fitting.precision import autocast
from clipsvd_app.engine.fitting.sampling import step_generator
from clipsvd_app.engine.prompts import prompt_batch
from clipsvd_app.engine.sigma import Attachment, attach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.engine.examples import Examples
    from clipsvd_app.engine.fitting.learner import Learner

_BATCH = 32


class Forward(Protocol):
    """What a fit needs of a model: inputs of a step, and logits (images, classes) of inputs."""

    attachment: Attachment

    def inputs(self, examples: Examples, positions: Sequence[int], seed: int, step: int) -> Tensor:
        """Return what a step feeds, one row for each position, augmented as seed and step say."""

    def logits(self, inputs: Tensor) -> Tensor:
        """Return logits (rows, classes) with gradients to the singular values of the moment."""

    def plain_logits(self, pixels: Tensor) -> Tensor:
        """Return logits of unaugmented pictures (images, 3, size, size) uint8, without gradients."""

    def save_memory(self) -> None:
        """From now on keep only the input of every block and compute the rest again in the backward pass."""


class WholeForward:
    """All blocks of both towers are trained; every step sees newly augmented pictures."""

    def __init__(self, learner: Learner) -> None:
        recipe, self.backbone = learner.recipe, learner.backbone
        self.dtype = learner.compute_dtype
        self.prompts = prompt_batch(self.backbone, learner.classes)
        self.augment = Augmentation(self.backbone.preprocessing, recipe.crop_scale, recipe.flip)
        tokens = recipe.batch_size * tokens_per_image(self.backbone.model)
        self.attachment = attach(
            self.backbone.model,
            learner.basis,
            {"image": tokens, "text": self.prompts.tokens.numel()},
            self.dtype,
        )
        use_class_token_alone(self.attachment.model)

    def inputs(self, examples: Examples, positions: Sequence[int], seed: int, step: int) -> Tensor:
        """Return augmented images (positions, 3, size, size) fp32."""
        return self.augment(
            examples.large[list(positions)].to(self.backbone.device), step_generator(seed, step)
        )

    def logits(self, inputs: Tensor) -> Tensor:
        """Return logit_scale times cosine (images, classes)."""
        model = self.attachment.model
        with autocast(self.backbone.device, self.dtype):
            images, classes = embed_images(model, inputs), self.prompts.class_embeddings(model)
            return self.backbone.logit_scale * (images @ classes.T)

    @torch.no_grad()
    def plain_logits(self, pixels: Tensor) -> Tensor:
        """Return logits of pictures as they are."""
        preprocessing = self.backbone.preprocessing
        parts = [
            self.logits(normalise(part.to(self.backbone.device), preprocessing))
            for part in torch.split(pixels, _BATCH)
        ]
        return torch.cat(parts)

    def save_memory(self) -> None:
        """Checkpoint every block of both towers."""
        checkpoint_blocks(self.attachment.model, self.backbone.device, self.dtype)


def probabilities(forward: Forward, pixels: Tensor) -> Tensor:
    """Return fp32 probabilities (images, classes) of pictures as they are, on the CPU."""
    forward.attachment.refresh()
    return functional.softmax(forward.plain_logits(pixels).float(), dim=-1).cpu()
