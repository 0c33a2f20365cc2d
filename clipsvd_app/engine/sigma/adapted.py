"""A backbone with trained singular values folded in: the model that predicts and is explained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from clipsvd_app.engine.backbone.backbone import Backbone, embed_images
from clipsvd_app.engine.backbone.prompts import class_embeddings
from clipsvd_app.engine.sigma.layers import fold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clipsvd_app.domain.classes import ClassSpec
    from clipsvd_app.engine.sigma.basis import Basis
    from clipsvd_app.engine.sigma.class_head import ClassHead
    from clipsvd_app.engine.sigma.trained import Vector

# Bounds the memory of one pass; more at once is not faster on a CPU.
_BATCH = 32


class AdaptedModel:
    """Image and class embeddings of the adapted model; ``base`` gives those of the unadapted one.

    Images are preprocessed (images, 3, size, size) fp32; embeddings are unit vectors; logits are
    logit_scale times cosine, with a class head as it states, and the adapted model's probabilities are those
    of logits divided by ``temperature``. The backbone's own model is never changed, and nothing here is
    switched: a short job may use the same object between two steps of a long one.
    """

    def __init__(
        self,
        backbone: Backbone,
        basis: Basis,
        sigmas: Mapping[str, Vector],
        classes: tuple[ClassSpec, ...],
        temperature: float = 1.0,
        head: ClassHead | None = None,
    ) -> None:
        self.backbone: Final = backbone
        self.basis: Final = basis
        self.sigmas: Final = dict(sigmas)
        self.classes: Final = classes
        self.temperature: Final = temperature
        self.head: Final = head
        # Folded once: every later pass costs what the base model costs.
        self.model: Final[nn.Module] = fold(backbone.model, basis, sigmas)
        """The open_clip model with the singular values folded in."""
        spectra = basis.sigma_base()
        same_towers = all(np.array_equal(sigmas[name], s0) for name, s0 in spectra.items())
        self.has_base_towers: Final = same_towers
        """Whether no singular value differs from the backbone's, so that no embedding does."""
        self.is_base: Final = same_towers and head is None
        """Whether every logit is the backbone's."""
        self._base: AdaptedModel | None = None
        self._class_embeddings: Tensor | None = None

    @property
    def base(self) -> AdaptedModel:
        """The unadapted backbone with the same classes and no head: an object of its own."""
        if self.is_base and self.temperature == 1:
            return self
        if self._base is None:
            self._base = AdaptedModel(self.backbone, self.basis, self.basis.sigma_base(), self.classes)
        return self._base

    def image_embeddings(self, images: Tensor) -> Tensor:
        """Return unit embeddings (images, width); gradients flow when they are enabled."""
        parts = [
            embed_images(self.model, part.to(self.backbone.device)) for part in torch.split(images, _BATCH)
        ]
        return torch.cat(parts)

    def class_embeddings(self) -> Tensor:
        """Return unit embeddings (classes, width) of the prompt ensembles, computed once."""
        if self._class_embeddings is None:
            with torch.no_grad():
                self._class_embeddings = class_embeddings(self.model, self.backbone, self.classes)
        return self._class_embeddings

    def class_vectors(self) -> Tensor:
        """Return what image embeddings are compared with (classes, width): class texts, moved by the head.

        Without a head they are the unit class embeddings, with one no unit vectors.
        """
        texts = self.class_embeddings()
        return texts if self.head is None else self.head.class_vectors(texts)

    def bias(self) -> Tensor:
        """Return what the head adds to every logit of a class (classes,), zeros without a head."""
        texts = self.class_embeddings()
        return texts.new_zeros(len(texts)) if self.head is None else self.head.bias_like(texts)

    def logits(self, images: Tensor) -> Tensor:
        """Return the logits (images, classes), before the temperature."""
        return self.logits_of(self.image_embeddings(images))

    def logits_of(self, embeddings: Tensor) -> Tensor:
        """Return the logits (images, classes) of images that are embedded already (images, width)."""
        return self.backbone.logit_scale * embeddings @ self.class_vectors().T + self.bias()

    def probabilities(self, images: Tensor) -> Tensor:
        """Return the softmax of the logits at the temperature (images, classes), without gradients."""
        with torch.no_grad():
            return self.softmax(self.logits(images))

    def softmax(self, logits: Tensor) -> Tensor:
        """Return the probabilities of logits (images, classes); those of the base are not calibrated."""
        return functional.softmax(logits / self.temperature, dim=-1)
