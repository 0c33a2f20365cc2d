"""From images to logits in training: the whole of both towers, or only their upper blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from clipsvd_app.engine.backbone.architectures import tokens_per_image
from clipsvd_app.engine.backbone.backbone import embed_images, embed_texts
from clipsvd_app.engine.backbone.prompts import prompt_batch
from clipsvd_app.engine.data.images import Augmentation, normalise
from clipsvd_app.engine.fitting.blocks import put_patch_drop
from clipsvd_app.engine.fitting.last_block import use_class_token_only
from clipsvd_app.engine.fitting.memory import checkpoint_blocks, images_at_once
from clipsvd_app.engine.fitting.precision import autocast
from clipsvd_app.engine.fitting.sampling import step_generator
from clipsvd_app.engine.sigma.layers import Attachment, attach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.engine.backbone.prompts import PromptBatch
    from clipsvd_app.engine.data.examples import Examples
    from clipsvd_app.engine.fitting.learner import Learner
    from clipsvd_app.engine.sigma.basis import Basis
    from clipsvd_app.engine.sigma.class_head import ClassHead

# Bounds the memory of predictions without gradients; more at once is not faster on a CPU.
IMAGES_AT_ONCE = 32


class Forward(Protocol):
    """What a fit needs of a model: inputs of a step, and logits (images, classes) of inputs."""

    attachment: Attachment
    prompts: PromptBatch

    def inputs(self, examples: Examples, positions: Sequence[int], seed: int, step: int) -> Tensor:
        """Return what a step feeds, one row for each position, augmented as seed and step say."""

    def prompt_embeddings(self, part: int) -> Tensor:
        """Return unit embeddings (prompts, width) of one part of the prompts, with gradients to sigma."""

    def classes_of(self, prompts: Tensor) -> Tensor:
        """Return unit class embeddings (classes, width) of all embedded prompts (prompts, width)."""

    def cut_prompts(self, tokens_at_once: int) -> None:
        """From now on embed the prompts in parts of at most so many tokens."""

    def logits(self, inputs: Tensor, classes: Tensor, head: ClassHead | None = None) -> Tensor:
        """Return fp32 logits (rows, classes) with gradients to the singular values and to ``classes``."""

    def plain_logits(self, pixels: Tensor, head: ClassHead | None = None) -> Tensor:
        """Return logits of unaugmented images (images, 3, size, size) uint8, without gradients."""

    def save_memory(self) -> None:
        """From now on keep only the input of every block and compute the rest again in the backward pass."""


class WholeForward:
    """All blocks of both towers are trained; every step sees newly augmented images."""

    def __init__(self, learner: Learner) -> None:
        recipe, self.backbone = learner.recipe, learner.backbone
        self.dtype = learner.compute_dtype
        self.classes = learner.classes
        self.prompts = prompt_batch(self.backbone, learner.classes)
        self.augment = Augmentation(self.backbone.preprocessing, recipe.crop_scale, recipe.flip)
        tokens = images_at_once(self.backbone, recipe.batch_size) * tokens_per_image(self.backbone.model)
        self.attachment = attach(
            self.backbone.model,
            learner.basis,
            {"image": round(tokens * recipe.kept_patches), "text": self.prompts.tokens_of_a_part},
            self.dtype,
        )
        self.patches = put_patch_drop(self.attachment.model, recipe.kept_patches)
        use_class_token_only(self.attachment.model)

    def inputs(self, examples: Examples, positions: Sequence[int], seed: int, step: int) -> Tensor:
        """Return augmented images (positions, 3, size, size) fp32, and draw the patches that are read."""
        generator = step_generator(seed, step)
        images = self.augment(examples.large[list(positions)].to(self.backbone.device), generator)
        if self.patches is not None:
            self.patches.choose(generator)
        return images

    def prompt_embeddings(self, part: int) -> Tensor:
        """Return the unit embeddings (prompts, width) of one part of the prompts."""
        with autocast(self.backbone.device, self.dtype):
            return embed_texts(self.attachment.model, self.prompts.parts[part])

    def classes_of(self, prompts: Tensor) -> Tensor:
        """Return the unit means of embedded prompts (classes, width)."""
        with autocast(self.backbone.device, self.dtype):
            return self.prompts.classes_of(prompts)

    def cut_prompts(self, tokens_at_once: int) -> None:
        """From now on embed the prompts in parts of at most so many tokens."""
        self.prompts = prompt_batch(self.backbone, self.classes, tokens_at_once)

    def logits(self, inputs: Tensor, classes: Tensor, head: ClassHead | None = None) -> Tensor:
        """Return logit_scale times cosine (images, classes), or what the head makes of it."""
        with autocast(self.backbone.device, self.dtype):
            images = embed_images(self.attachment.model, inputs)
        return class_logits(self.backbone.logit_scale, images, classes, head)

    @torch.no_grad()
    def plain_logits(self, pixels: Tensor, head: ClassHead | None = None) -> Tensor:
        """Return logits of images without augmentation, from all of their patches."""
        if self.patches is not None:
            self.patches.keep_all()
        preprocessing, classes = self.backbone.preprocessing, class_embeddings(self)
        parts = [
            self.logits(normalise(part.to(self.backbone.device), preprocessing), classes, head)
            for part in torch.split(pixels, IMAGES_AT_ONCE)
        ]
        return torch.cat(parts)

    def save_memory(self) -> None:
        """Checkpoint every block of both towers."""
        checkpoint_blocks(self.attachment.model, self.backbone.device, self.dtype)


def class_logits(scale: float, images: Tensor, classes: Tensor, head: ClassHead | None) -> Tensor:
    """Return fp32 logits (images, classes) of unit image embeddings and unit class texts."""
    # In fp32 whatever the towers compute in: a head's vectors are long, and their products nearly cancel.
    texts = classes.float()
    if head is None:
        return scale * (images.float() @ texts.T)
    return scale * (images.float() @ head.class_vectors(texts).T) + head.bias_like(texts)


# Single images differ from their mean by up to 42 % (standard deviation, bundled model, three data sets).
_SENSITIVITY_IMAGES = 4


def image_sensitivity(forward: Forward, examples: Examples, basis: Basis, seed: int) -> float:
    """Return how strongly the margins of a few images answer to a at its present value.

    See ``rate_factor``. Where only upper blocks are trained, theirs stand for all of the image tower.
    """
    state, towers = forward.attachment.state, {target.name: target.tower for target in basis.targets}
    sizes = zip(state.names, state.sizes, strict=True)
    of_image = torch.cat([torch.full((size,), towers[name] == "image") for name, size in sizes])
    of_image = of_image.to(state.a.device)
    total = sum(matrix.rank for name, matrix in basis.matrices.items() if towers[name] == "image")
    forward.attachment.refresh()
    classes, found = class_embeddings(forward), []
    count = min(_SENSITIVITY_IMAGES, len(examples))
    for place in (number * len(examples) // count for number in range(count)):
        # The backward pass frees the graph from a to sigma.
        forward.attachment.refresh()
        row = forward.logits(forward.inputs(examples, [place], seed, 0), classes)[0]
        label = examples.labels[place]
        margin = row[label] - torch.cat([row[:label], row[label + 1 :]]).mean()
        (gradient,) = torch.autograd.grad(margin, state.a)
        found.append(float(gradient[of_image].abs().mean()))
    return total * sum(found) / count


@torch.no_grad()
def class_embeddings(forward: Forward) -> Tensor:
    """Return unit class embeddings (classes, width) under the present singular values."""
    parts = [forward.prompt_embeddings(part) for part in range(len(forward.prompts.cuts))]
    return forward.classes_of(torch.cat(parts))
