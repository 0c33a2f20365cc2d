"""Batches for learning: pictures, mirrored at random, with the teacher's features and fresh captions."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from . import phrasing, shards
from .towers import MEAN, STD

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

    from .targets import Targets

Scalar = TypeVar("Scalar", bound=np.generic)
HELD_OUT = 0
OTHER_SIDE = {"left": "right", "right": "left"}


@dataclass(frozen=True, slots=True)
class Batch:
    """Images, the teacher's features, captions of the first of them, and phrases with their meanings.

    tokens: (captions, length) ids padded to the longest. phrases: (phrases, length) ids. meanings: the
    sentence teacher's unit embeddings (phrases, 384).
    """

    images: torch.Tensor
    pooled: torch.Tensor
    spatial: torch.Tensor
    tokens: torch.Tensor
    captions: list[str]
    phrases: torch.Tensor
    meanings: torch.Tensor


@dataclass(frozen=True, slots=True)
class Phrases:
    """Sentences and the sentence teacher's embeddings of them (n, 384)."""

    texts: list[str]
    meanings: NDArray[np.float32]


class Supply:
    """All shards drawn so far, kept in memory; new ones are taken in when asked."""

    def __init__(
        self, cache: Path, tokenizer: Tokenizer, phrases: Phrases, targets: Targets, seed: int
    ) -> None:
        self._cache = cache
        self._tokenizer = tokenizer
        self._phrases = phrases
        self._targets = targets
        self._rng = np.random.default_rng(seed)
        self._shards: dict[str, shards.Shard] = {}
        self._alike: dict[str, list[tuple[shards.Shard, int]]] = defaultdict(list)
        self.refresh()

    def refresh(self) -> int:
        """Load shards that were drawn meanwhile; return how many pictures there are."""
        for path in sorted(self._cache.glob("shard_[0-9][0-9][0-9].npz")):
            if path.stem not in self._shards and path.stem != f"shard_{HELD_OUT:03d}":
                self._shards[path.stem] = shard = shards.load(path)
                for number, (modality, statements) in enumerate(shard.facts):
                    if statements:
                        self._alike[modality].append((shard, number))
        return sum(len(shard.pixels) for shard in self._shards.values())

    def batch(self, size: int, captioned: int, phrases: int, alike: float) -> Batch:
        """Draw a batch at random over all shards; a share of the batches, alike, from one modality alone."""
        places = self._of_one_modality(size) if self._rng.random() < alike else self._of_all(size)
        turned = self._rng.random(size) < 0.5
        images = _turned(np.stack([shard.pixels[i] for shard, i in places]).transpose(0, 3, 1, 2), turned)
        spatial = self._targets.spatial(_turned(np.stack([shard.spatial[i] for shard, i in places]), turned))
        captions = [
            side_aware(phrasing.caption(self._rng, *shard.facts[i]), bool(turn))
            for (shard, i), turn in zip(places[:captioned], turned, strict=False)
        ]
        chosen = self._rng.integers(len(self._phrases.texts), size=phrases)
        return Batch(
            normalised(self._shaded(torch.from_numpy(images))),
            self._targets.pooled(np.stack([shard.pooled[i] for shard, i in places])),
            spatial.flatten(2).transpose(1, 2),
            token_ids(self._tokenizer, captions),
            captions,
            token_ids(self._tokenizer, [self._phrases.texts[int(i)] for i in chosen]),
            torch.from_numpy(self._phrases.meanings[chosen]),
        )

    def _of_all(self, size: int) -> list[tuple[shards.Shard, int]]:
        stack = list(self._shards.values())
        return [
            (stack[int(self._rng.integers(len(stack)))], int(self._rng.integers(shards.LENGTH)))
            for _ in range(size)
        ]

    def _of_one_modality(self, size: int) -> list[tuple[shards.Shard, int]]:
        """Draw pictures with statements of one modality, the more often the more pictures it has."""
        counts = np.array([len(places) for places in self._alike.values()], dtype=float)
        places = list(self._alike.values())[int(self._rng.choice(len(counts), p=counts / counts.sum()))]
        return [places[int(i)] for i in self._rng.integers(len(places), size=size)]

    def kept_patches(self, size: int, count: int) -> torch.Tensor:
        """Draw which of the 64 patches each image keeps: (size, count)."""
        return torch.from_numpy(self._rng.random((size, 64)).argsort(axis=1)[:, :count])

    def _shaded(self, images: torch.Tensor) -> torch.Tensor:
        gain = torch.from_numpy(self._rng.uniform(0.85, 1.15, (len(images), 1, 1, 1)).astype(np.float32))
        shift = torch.from_numpy(self._rng.uniform(-12, 12, (len(images), 1, 1, 1)).astype(np.float32))
        return (images * gain + shift).clamp(0, 255)


def side_aware(caption: str, turned: bool) -> str:
    """Exchange left and right in the caption of a mirrored picture."""
    if not turned:
        return caption
    return re.sub(r"\b(left|right)\b", lambda found: OTHER_SIDE[found[0]], caption)


def normalised(images: torch.Tensor) -> torch.Tensor:
    """Turn (n, 3, 128, 128) in 0..255 into what the image tower expects."""
    mean, std = torch.tensor(MEAN)[:, None, None], torch.tensor(STD)[:, None, None]
    return (images / 255 - mean) / std


def token_ids(tokenizer: Tokenizer, captions: list[str]) -> torch.Tensor:
    """Encode captions, cut to 64 tokens and padded with 0 to the longest of them."""
    lists = [encoding.ids[:64] for encoding in tokenizer.encode_batch(captions)]
    longest = max(map(len, lists))
    return torch.tensor([ids + [0] * (longest - len(ids)) for ids in lists])


def _turned(stack: NDArray[Scalar], turned: NDArray[np.bool_]) -> NDArray[Scalar]:
    stack = np.ascontiguousarray(stack)
    stack[turned] = stack[turned][..., ::-1]
    return stack
