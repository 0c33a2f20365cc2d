"""Prompts to class embeddings: tokenised once, embedded in parts, averaged as unit vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from clipsvd_app.engine.backbone.backbone import Backbone, embed_texts, require_finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.classes import ClassSpec

# More tokens are embedded part by part, twice: 100 classes of five prompts then peak at 5.2 GB, not 7.8.
TOKENS_AT_ONCE = 2048
"""How many tokens a part of the prompts holds at most, padding counted, unless fewer are asked for."""


@dataclass(frozen=True, slots=True)
class PromptBatch:
    """All prompts of all classes: token ids (prompts, longest), how to average, and how to cut them.

    average: (classes, prompts). cuts: how many prompts each part has, and how long its longest is. Where
    there are several parts, prompts are sorted by length: short ones are not padded to the longest of all.
    """

    tokens: Tensor
    average: Tensor
    cuts: tuple[tuple[int, int], ...]

    @property
    def parts(self) -> tuple[Tensor, ...]:
        """Token ids of each part (prompts, longest of the part)."""
        rows = torch.split(self.tokens, [count for count, _ in self.cuts])
        return tuple(part[:, :length] for part, (_, length) in zip(rows, self.cuts, strict=True))

    @property
    def tokens_of_a_part(self) -> int:
        """How many tokens the largest part passes through the text tower, padding counted."""
        return max(count * length for count, length in self.cuts)

    @property
    def is_smallest(self) -> bool:
        """Whether every part is a single prompt, which cannot be cut further."""
        return all(count == 1 for count, _ in self.cuts)

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
    average = average.to(backbone.device)
    if tokens.numel() <= tokens_at_once:
        return PromptBatch(tokens, average, ((len(tokens), tokens.shape[1]),))
    order, cuts = cut_by_length(tokens, tokens_at_once)
    return PromptBatch(tokens[order], average[:, order], cuts)


def cut_by_length(
    tokens: Tensor, tokens_at_once: int = TOKENS_AT_ONCE
) -> tuple[list[int], tuple[tuple[int, int], ...]]:
    """Return the order of padded texts (texts, longest), shortest first, and the cuts of its parts.

    A cut is how many texts the part has, and how long its longest is: no text is padded beyond that.
    """
    lengths = _lengths(tokens)
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    return order, _cuts([lengths[place] for place in order], tokens_at_once)


@torch.no_grad()
def class_embeddings(model: nn.Module, backbone: Backbone, classes: Sequence[ClassSpec]) -> Tensor:
    """Return unit class embeddings (classes, width) under a model, without gradients."""
    return require_finite(prompt_batch(backbone, classes).class_embeddings(model))


def _lengths(tokens: Tensor) -> list[int]:
    """Return how many tokens each text has; where another number than 0 pads, that of the longest."""
    places = torch.arange(1, tokens.shape[1] + 1, device=tokens.device)
    # The last one that is not 0, rather than a count: CLIP's own vocabulary has a word with the number 0.
    found: list[int] = ((tokens != 0) * places).amax(dim=1).clamp_min(1).tolist()
    return found


def _cuts(lengths: Sequence[int], tokens_at_once: int) -> tuple[tuple[int, int], ...]:
    """Cut prompts, shortest first, into runs of at most so many padded tokens; no prompt itself is cut."""
    cuts = [(0, 0)]
    for length in lengths:
        count = cuts[-1][0] + 1
        if count > 1 and count * length > tokens_at_once:
            cuts.append((1, length))
        else:
            cuts[-1] = (count, length)
    return tuple(cuts)


def _averaging(counts: list[int]) -> Tensor:
    """Return (classes, prompts): each row averages its own run of prompts."""
    matrix = torch.zeros((len(counts), sum(counts)))
    first = 0
    for row, count in enumerate(counts):
        matrix[row, first : first + count] = 1 / count
        first += count
    return matrix
