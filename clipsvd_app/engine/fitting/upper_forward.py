"""Training the upper blocks of both towers over the lower blocks' outputs for a fixed set of views.

The lower blocks stay those of the base model, so their output for an image never changes: it is computed once
for each image and view, and shared by the rate search, the folds of the estimate and the final fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from clipsvd_app.adapter_file.generator import seed_of
from clipsvd_app.engine.backbone.architectures import tokens_per_image
from clipsvd_app.engine.backbone.backbone import embed_images, embed_texts
from clipsvd_app.engine.backbone.prompts import prompt_batch
from clipsvd_app.engine.data.images import Augmentation, normalise
from clipsvd_app.engine.fitting.blocks import batch_first, first_trained, lower_part, put_upper_part
from clipsvd_app.engine.fitting.forward import IMAGES_AT_ONCE, class_embeddings, class_logits
from clipsvd_app.engine.fitting.last_block import use_class_token_only
from clipsvd_app.engine.fitting.memory import checkpoint_blocks, images_at_once
from clipsvd_app.engine.fitting.precision import autocast
from clipsvd_app.engine.fitting.sampling import step_generator
from clipsvd_app.engine.sigma.layers import attach
from clipsvd_app.jobs.lines import unreported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.towers import Tower
    from clipsvd_app.engine.data.examples import Examples
    from clipsvd_app.engine.fitting.learner import Learner
    from clipsvd_app.engine.sigma.class_head import ClassHead
    from clipsvd_app.jobs.lines import Report

PREPARING_STAGE = "Preparing images"


class UpperForward:
    """The upper ``recipe.trained_share`` of the blocks; inputs are activations (images, tokens, width)."""

    def __init__(self, learner: Learner) -> None:
        recipe, self.backbone, self.cache = learner.recipe, learner.backbone, learner.lower
        model = self.backbone.model
        # ``Recall`` puts activations in with the batch in front; the lower part stores them the same way.
        assert batch_first(model)
        self.views = recipe.views
        self.dtype = learner.compute_dtype
        self.classes = learner.classes
        self.prompts = prompt_batch(self.backbone, learner.classes)
        self.augment = Augmentation(self.backbone.preprocessing, recipe.crop_scale, recipe.flip)
        first = first_trained(model, recipe.trained_share)
        self.cut = f"{first['image']}-{first['text']}"
        self.lower, self.ends = lower_part(model, first)
        tokens: dict[Tower, int] = {
            "image": images_at_once(self.backbone, recipe.batch_size) * tokens_per_image(model),
            "text": self.prompts.tokens_of_a_part,
        }
        targets = [t for t in learner.basis.targets if t.layer >= first[t.tower]]
        self.attachment = attach(model, learner.basis, tokens, self.dtype, targets)
        self.starts = put_upper_part(self.attachment.model, first, self._blank_image())
        use_class_token_only(self.attachment.model)

    def inputs(self, examples: Examples, positions: Sequence[int], seed: int, step: int) -> Tensor:
        """Return the activations of one of the fixed views of each image, drawn by seed and step."""
        generator = step_generator(seed, step)
        drawn = torch.randint(self.views, (len(positions),), generator=generator).tolist()
        rows = [
            self.cache.of(
                examples.large[place : place + 1], self._name(f"view {view}"), self._view, self._lower_images
            )
            for place, view in zip(positions, drawn, strict=True)
        ]
        return torch.cat(rows).to(self.backbone.device)

    def prepare(self, examples: Examples, report: Report = unreported, stage: str = "") -> None:
        """Compute all views of all images in large batches, before steps ask for single ones."""
        total = self.views * len(examples)
        for view in range(self.views):

            def pulse(done: int, before: int = view * len(examples)) -> None:
                report(stage + PREPARING_STAGE, before + done, total)

            self.cache.fill(examples.large, self._name(f"view {view}"), self._view, self._lower_images, pulse)

    def prompt_embeddings(self, part: int) -> Tensor:
        """Return the unit embeddings (prompts, width) of one part of the prompts."""
        tokens = self.prompts.parts[part]
        lower = self.cache.text(tokens, self._lower_texts, self.cut)
        self.starts["text"].activations = lower.to(self.backbone.device)
        with autocast(self.backbone.device, self.dtype):
            return embed_texts(self.attachment.model, tokens)

    def classes_of(self, prompts: Tensor) -> Tensor:
        """Return the unit means of embedded prompts (classes, width)."""
        with autocast(self.backbone.device, self.dtype):
            return self.prompts.classes_of(prompts)

    def cut_prompts(self, tokens_at_once: int) -> None:
        """From now on embed the prompts in parts of at most so many tokens."""
        self.prompts = prompt_batch(self.backbone, self.classes, tokens_at_once)

    def logits(self, inputs: Tensor, classes: Tensor, head: ClassHead | None = None) -> Tensor:
        """Return logit_scale times cosine (images, classes), or what the head makes of it."""
        self.starts["image"].activations = inputs
        with autocast(self.backbone.device, self.dtype):
            # Only the number of rows is read: the blanked stem returns zeros, and ``Recall`` replaces them.
            images = embed_images(self.attachment.model, inputs.new_zeros((len(inputs), 1)))
        return class_logits(self.backbone.logit_scale, images, classes, head)

    @torch.no_grad()
    def plain_logits(self, pixels: Tensor, head: ClassHead | None = None) -> Tensor:
        """Return logits of images without augmentation."""
        classes = class_embeddings(self)
        parts = [
            self.logits(
                self.cache.of(part, self._name("plain"), self._plain, self._lower_images).to(
                    self.backbone.device
                ),
                classes,
                head,
            )
            for part in torch.split(pixels, IMAGES_AT_ONCE)
        ]
        return torch.cat(parts)

    def save_memory(self) -> None:
        """Checkpoint every block that is left."""
        checkpoint_blocks(self.attachment.model, self.backbone.device, self.dtype)

    def _name(self, view: str) -> str:
        # With the cut: a run's choice may be made on fewer blocks than its fit.
        return f"{self.cut}/{view}"

    def _view(self, image: Tensor, key: str) -> Tensor:
        # Seeded by content and view, so that a view is the same in every fold, fit and resumed run.
        generator = torch.Generator().manual_seed(seed_of(key))
        return self.augment(image.to(self.backbone.device), generator)

    def _plain(self, image: Tensor, _: str) -> Tensor:
        return normalise(image.to(self.backbone.device), self.backbone.preprocessing)

    @torch.no_grad()
    def _lower_images(self, images: Tensor) -> Tensor:
        with autocast(self.backbone.device, self.dtype):
            self.lower.encode_image(images)  # type: ignore[operator]
        return self.ends["image"].seen

    @torch.no_grad()
    def _lower_texts(self, tokens: Tensor) -> Tensor:
        with autocast(self.backbone.device, self.dtype):
            self.lower.encode_text(tokens)  # type: ignore[operator]
        return self.ends["text"].seen

    def _blank_image(self) -> Tensor:
        size = self.backbone.preprocessing.size
        return torch.zeros((1, 3, size, size), device=self.backbone.device)
