"""A backbone with trained singular values folded in: what predicts and what is explained."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from clipsvd_app.engine.backbones import Backbone, embed_images
from clipsvd_app.engine.prompts import class_embeddings
from clipsvd_app.engine.sigma import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clipsvd_app.domain.classes import ClassSpec
    from clipsvd_app.engine.basis import Basis
    from clipsvd_app.engine.trained import Vector

_BATCH = 32


class AdaptedModel:
    """Image and class embeddings of the adapted model, or of the base inside ``with adapted.as_base():``.

    Images are preprocessed (images, 3, size, size) fp32; embeddings are unit vectors; logits are
    logit_scale times cosine, and the adapted model's probabilities are those of logits divided by
    ``temperature``. The backbone's own model is never changed.
    """

    def __init__(
        self,
        backbone: Backbone,
        basis: Basis,
        sigmas: Mapping[str, Vector],
        classes: tuple[ClassSpec, ...],
        temperature: float = 1.0,
    ) -> None:
        self.backbone = backbone
        self.basis = basis
        self.sigmas = dict(sigmas)
        self.classes = classes
        self.temperature = temperature
        self._folded = fold(backbone.model, basis, sigmas)
        self._is_base = False
        self._class_embeddings: dict[bool, Tensor] = {}

    @property
    def model(self) -> nn.Module:
        """The open_clip model of the moment: folded, or the base inside ``as_base``."""
        return self.backbone.model if self._is_base else self._folded

    @property
    def is_base(self) -> bool:
        """True inside ``as_base``."""
        return self._is_base

    @contextmanager
    def as_base(self) -> Iterator[AdaptedModel]:
        """Answer as the unadapted backbone inside the block."""
        before, self._is_base = self._is_base, True
        try:
            yield self
        finally:
            self._is_base = before

    def image_embeddings(self, images: Tensor) -> Tensor:
        """Return unit embeddings (images, width); gradients flow when they are enabled."""
        parts = [
            embed_images(self.model, part.to(self.backbone.device)) for part in torch.split(images, _BATCH)
        ]
        return torch.cat(parts)

    def class_embeddings(self) -> Tensor:
        """Return unit embeddings (classes, width) of the prompt ensembles, computed once for each state."""
        if self._is_base not in self._class_embeddings:
            with torch.no_grad():
                embedded = class_embeddings(self.model, self.backbone, self.classes)
            self._class_embeddings[self._is_base] = embedded
        return self._class_embeddings[self._is_base]

    def logits(self, images: Tensor) -> Tensor:
        """Return logit_scale * cosine (images, classes)."""
        return self.backbone.logit_scale * self.image_embeddings(images) @ self.class_embeddings().T

    def probabilities(self, images: Tensor) -> Tensor:
        """Return the softmax of the logits at the temperature (images, classes), without gradients."""
        with torch.no_grad():
            return self.softmax(self.logits(images))

    def softmax(self, logits: Tensor) -> Tensor:
        """Return the probabilities of logits (images, classes); the base was not calibrated."""
        return functional.softmax(logits if self._is_base else logits / self.temperature, dim=-1)
