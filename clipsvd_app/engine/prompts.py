"""Prompts to class embeddings: tokenised once, embedded in parts, averaged as unit vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from clipsvd_app.engine.backbones import Backbone, embed_texts, require_finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.classes import ClassSpec

TOKENS_AT_ONCE = 2048
"""How many tokens a part of the prompts holds at most, padding counted, where nobody asks for fewer."""


@dataclass(frozen=True, slots=True)
class PromptBatch:
    """All prompts of all classes: token ids in parts (prompts, longest of the part), and how to average.

    average: (classes, prompts), its columns in the order of the parts. Where there is more than one part,
    prompts are sorted by length, so that short ones are not padded to the longest of all.
    """

    parts: tuple[Tensor, ...]
    average: Tensor

    @property
    def tokens(self) -> int:
        """How many tokens the largest part passes through the text tower."""
        return max(part.numel() for part in self.parts)

    @property
    def is_smallest(self) -> bool:
        """Tell that every part is one prompt, which nothing cuts further."""
        return all(len(part) == 1 for part in self.parts)

    def classes_of(self, prompts: Tensor) -> Tensor:
        """Return the unit means (classes, width) of each class's embedded prompts (prompts, width)."""
        return functional.normalize(self.average @ prompts, dim=-1)

    def class_embeddings(self, model: nn.Module) -> Tensor:
        """Return unit class embeddings (classes, width) under a model."""
        return self.classes_of(torch.cat([embed_texts(model, part) for part in self.parts]))


def prompt_batch(
    backbone: Backbone, classes: Sequence[ClassSpec], tokens_at_once: int = TOKENS_AT_ONCE
) -> PromptBatch:
    """Tokenise the prompts of all classes, skipping empty ones, in parts of at most so many tokens."""
    kept = [[prompt for prompt in spec.prompts if prompt.strip()] for spec in classes]
    prompts = [prompt for of_class in kept for prompt in of_class]
    tokens = backbone.tokenize(prompts)
    average = _averaging([len(of_class) for of_class in kept])
    if tokens.numel() <= tokens_at_once:
        return PromptBatch((tokens,), average.to(backbone.device))
    lengths = [backbone.tokenize([prompt]).shape[1] for prompt in prompts]
    order = sorted(range(len(prompts)), key=lengths.__getitem__)
    parts = _parts(order, lengths, tokens_at_once)
    return PromptBatch(
        tuple(tokens[part, : lengths[part[-1]]] for part in parts), average[:, order].to(backbone.device)
    )


@torch.no_grad()
def class_embeddings(model: nn.Module, backbone: Backbone, classes: Sequence[ClassSpec]) -> Tensor:
    """Return unit class embeddings (classes, width) under a model, without gradients."""
    return require_finite(prompt_batch(backbone, classes).class_embeddings(model))


def _parts(order: Sequence[int], lengths: Sequence[int], tokens_at_once: int) -> list[list[int]]:
    """Cut prompts, the shortest first, into runs of so many tokens when padded; one prompt is never cut."""
    parts: list[list[int]] = [[]]
    for place in order:
        if parts[-1] and (len(parts[-1]) + 1) * lengths[place] > tokens_at_once:
            parts.append([])
        parts[-1].append(place)
    return parts


def _averaging(counts: list[int]) -> Tensor:
    """Return (classes, prompts): each row averages its own run of prompts."""
    matrix = torch.zeros((len(counts), sum(counts)))
    first = 0
    for row, count in enumerate(counts):
        matrix[row, first : first + count] = 1 / count
        first += count
    return matrix
