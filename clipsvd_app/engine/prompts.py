"""Prompts to class embeddings: tokenised once, embedded in one batch, averaged as unit vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from clipsvd_app.engine.backbones import Backbone, embed_texts

if TYPE_CHECKING:
    from clipsvd_app.domain.classes import ClassSpec


@dataclass(frozen=True, slots=True)
class PromptBatch:
    """All prompts of all classes: token ids (prompts, longest) and an averaging matrix (classes, prompts)."""

    tokens: Tensor
    average: Tensor

    def class_embeddings(self, model: nn.Module) -> Tensor:
        """Return the unit mean of the unit embeddings of each class's prompts (classes, width)."""
        return functional.normalize(self.average @ embed_texts(model, self.tokens), dim=-1)


def prompt_batch(backbone: Backbone, classes: tuple[ClassSpec, ...]) -> PromptBatch:
    """Tokenise the prompts of all classes, skipping empty ones."""
    kept = [[prompt for prompt in spec.prompts if prompt.strip()] for spec in classes]
    tokens = backbone.tokenize([prompt for prompts in kept for prompt in prompts])
    average = _averaging([len(prompts) for prompts in kept])
    return PromptBatch(tokens, average.to(backbone.device))


def class_embeddings(model: nn.Module, backbone: Backbone, classes: tuple[ClassSpec, ...]) -> Tensor:
    """Return unit class embeddings (classes, width) under a model with the backbone's tokenizer."""
    return prompt_batch(backbone, classes).class_embeddings(model)


def _averaging(counts: list[int]) -> Tensor:
    """Return (classes, prompts): each row averages its own run of prompts."""
    matrix = torch.zeros((len(counts), sum(counts)))
    first = 0
    for row, count in enumerate(counts):
        matrix[row, first : first + count] = 1 / count
        first += count
    return matrix
