"""Batches for learning: the first half captioned and as drawn, the second half mirrored at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from . import phrasing, shards
from .towers import MEAN, STD

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

HELD_OUT = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Images, the teacher's features, and captions (token ids padded to the longest) of the first half."""

    images: torch.Tensor
    pooled: torch.Tensor
    spatial: torch.Tensor
    tokens: torch.Tensor
    captions: list[str]


class Supply:
    """All shards drawn so far, kept in memory; new ones are taken in when asked."""

    def __init__(self, cache: Path, tokenizer: Tokenizer, seed: int) -> None:
        self._cache = cache
        self._tokenizer = tokenizer
        self._rng = np.random.default_rng(seed)
        self._shards: dict[str, shards.Shard] = {}
        self.refresh()
        first = next(iter(self._shards.values()))
        self._pooled_mean, self._pooled_std = _moments(first.pooled, (0,))
        self._spatial_mean, self._spatial_std = _moments(first.spatial, (0, 2, 3))

    def refresh(self) -> int:
        """Load shards that were drawn meanwhile; return how many pictures there are."""
        for path in sorted(self._cache.glob("shard_[0-9][0-9][0-9].npz")):
            if path.stem not in self._shards and path.stem != f"shard_{HELD_OUT:03d}":
                self._shards[path.stem] = shards.load(path)
        return sum(len(shard.pixels) for shard in self._shards.values())

    def batch(self, size: int) -> Batch:
        """Draw a batch at random over all shards."""
        stack = list(self._shards.values())
        places = [
            (stack[int(self._rng.integers(len(stack)))], int(self._rng.integers(shards.LENGTH)))
            for _ in range(size)
        ]
        images = torch.from_numpy(np.stack([shard.pixels[i] for shard, i in places])).permute(0, 3, 1, 2)
        pooled = torch.from_numpy(np.stack([shard.pooled[i] for shard, i in places])).float()
        spatial = torch.from_numpy(np.stack([shard.spatial[i] for shard, i in places])).float()
        images, spatial = self._mirrored(
            images, (spatial - self._spatial_mean) / self._spatial_std, size // 2
        )
        captions = [phrasing.caption(self._rng, *shard.facts[i]) for shard, i in places[: size // 2]]
        return Batch(
            normalised(self._shaded(images)),
            (pooled - self._pooled_mean) / self._pooled_std,
            spatial.flatten(2).transpose(1, 2),
            token_ids(self._tokenizer, captions),
            captions,
        )

    def kept_patches(self, size: int, count: int) -> torch.Tensor:
        """Draw which of the 64 patches each image keeps: (size, count)."""
        return torch.from_numpy(self._rng.random((size, 64)).argsort(axis=1)[:, :count])

    def _mirrored(
        self, images: torch.Tensor, spatial: torch.Tensor, first: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        turn = torch.from_numpy(self._rng.random(len(images)) < 0.5)
        turn[:first] = False
        images, spatial = images.clone(), spatial.clone()
        images[turn], spatial[turn] = images[turn].flip(-1), spatial[turn].flip(-1)
        return images, spatial

    def _shaded(self, images: torch.Tensor) -> torch.Tensor:
        gain = torch.from_numpy(self._rng.uniform(0.85, 1.15, (len(images), 1, 1, 1)).astype(np.float32))
        shift = torch.from_numpy(self._rng.uniform(-12, 12, (len(images), 1, 1, 1)).astype(np.float32))
        return (images * gain + shift).clamp(0, 255)


def normalised(images: torch.Tensor) -> torch.Tensor:
    """Turn (n, 3, 128, 128) in 0..255 into what the image tower expects."""
    mean, std = torch.tensor(MEAN)[:, None, None], torch.tensor(STD)[:, None, None]
    return (images / 255 - mean) / std


def token_ids(tokenizer: Tokenizer, captions: list[str]) -> torch.Tensor:
    """Encode captions, cut to 64 tokens and padded with 0 to the longest of them."""
    lists = [encoding.ids[:64] for encoding in tokenizer.encode_batch(captions)]
    longest = max(map(len, lists))
    return torch.tensor([ids + [0] * (longest - len(ids)) for ids in lists])


def _moments(features: np.ndarray, axes: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    values = torch.from_numpy(features).float()
    keep = len(axes) > 1
    mean, std = values.mean(dim=axes, keepdim=keep), values.std(dim=axes, keepdim=keep)
    return (mean[0], std[0] + 1e-3) if keep else (mean, std + 1e-3)
