"""What the image tower has to predict: the teacher's features, weighed by what tells like pictures apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from .shards import Shard

WIDTH = 256
WHITENING = 0.5
LIMIT = 6.0


@dataclass(frozen=True, slots=True)
class Targets:
    """An affine map of the pooled features (1280 to 256) and a standardisation of the 8x8 grid.

    Most of the teacher's variance tells an ultrasound image from a radiograph, which is soon learnt. The
    map is therefore fitted to what is left after each modality's mean is taken off: its 256 leading
    directions, each divided by the square root of its standard deviation (half way to whitening).
    """

    mean: torch.Tensor
    basis: torch.Tensor
    spatial_mean: torch.Tensor
    spatial_std: torch.Tensor

    def pooled(self, features: NDArray[np.float16]) -> torch.Tensor:
        """Map (n, 1280) to (n, 256)."""
        return ((torch.from_numpy(features).float() - self.mean) @ self.basis).clamp(-LIMIT, LIMIT)

    def spatial(self, features: NDArray[np.float16]) -> torch.Tensor:
        """Standardise (n, 112, 8, 8)."""
        values = torch.from_numpy(features).float()
        return ((values - self.spatial_mean) / self.spatial_std).clamp(-LIMIT, LIMIT)

    def save(self, path: Path) -> None:
        """Write the map."""
        parts = {name: getattr(self, name).numpy() for name in self.__slots__}
        np.savez(path, **parts)


def load(path: Path) -> Targets:
    """Read what save wrote."""
    with np.load(path) as arrays:
        return Targets(**{name: torch.from_numpy(arrays[name]) for name in Targets.__slots__})


def fit(shards: list[Shard]) -> Targets:
    """Fit the map on some shards of pictures."""
    pooled = np.concatenate([shard.pooled for shard in shards]).astype(np.float64)
    kinds = np.array([modality for shard in shards for modality, _ in shard.facts])
    rest = pooled.copy()
    for kind in np.unique(kinds):
        rest[kinds == kind] -= rest[kinds == kind].mean(axis=0)
    values, vectors = np.linalg.eigh(rest.T @ rest / len(rest))
    values, vectors = values[::-1][:WIDTH], vectors[:, ::-1][:, :WIDTH]
    scale = values ** (-WHITENING / 2)
    scale /= np.sqrt((values * scale**2).mean())
    spatial = np.concatenate([shard.spatial[:500] for shard in shards]).astype(np.float32)
    return Targets(
        torch.from_numpy(pooled.mean(axis=0)).float(),
        torch.from_numpy(vectors * scale).float(),
        torch.from_numpy(spatial.mean(axis=(0, 2, 3)))[:, None, None],
        torch.from_numpy(spatial.std(axis=(0, 2, 3)) + 1e-3)[:, None, None],
    )
