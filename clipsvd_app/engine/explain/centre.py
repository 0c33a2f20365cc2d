"""The point from which an image's content is measured: the mean embedding of comparable images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from clipsvd_app.engine.explain.embedded import keep_array, recall_array, state_hash

if TYPE_CHECKING:
    from torch import Tensor

    from clipsvd_app.engine.adapted import AdaptedModel

FEWEST_IMAGES = 8
_SHUFFLES = 16
_GRID = 8


@dataclass(frozen=True, slots=True, eq=False)
class Centre:
    """A mean image embedding (width,); ``of_run`` tells the run's images from shuffled copies."""

    vector: NDArray[np.float32]
    of_run: bool


@torch.no_grad()
def centre_of_run(adapted: AdaptedModel, images: Tensor) -> Centre:
    """Return the mean embedding of a run's images (images, 3, size, size), kept for its cases."""
    vector = adapted.image_embeddings(images).mean(dim=0).cpu().numpy().astype(np.float32)
    if len(images) >= FEWEST_IMAGES:
        keep_array(_key(adapted), vector)
    return Centre(vector, of_run=True)


@torch.no_grad()
def centre_for_case(adapted: AdaptedModel, image: Tensor) -> Centre:
    """Return the run's centre if it is known here, else the mean of shuffled copies of the image.

    Copies with their 8 x 8 cells in random order keep the greys and textures and lose the content.
    """
    kept = recall_array(_key(adapted))
    if kept is not None and kept.ndim == 1 and np.isfinite(kept).all():
        return Centre(kept, of_run=True)
    generator = torch.Generator().manual_seed(0)
    copies = torch.stack([_shuffled(image, generator) for _ in range(_SHUFFLES)])
    vector = adapted.image_embeddings(copies).mean(dim=0).cpu().numpy().astype(np.float32)
    return Centre(vector, of_run=False)


def _shuffled(image: Tensor, generator: torch.Generator) -> Tensor:
    cell = image.shape[-1] // _GRID
    cells = image[:, : cell * _GRID, : cell * _GRID].unfold(1, cell, cell).unfold(2, cell, cell)
    order = torch.randperm(_GRID * _GRID, generator=generator)
    mixed = cells.reshape(3, _GRID * _GRID, cell, cell)[:, order].reshape(3, _GRID, _GRID, cell, cell)
    result = image.clone()
    result[:, : cell * _GRID, : cell * _GRID] = mixed.permute(0, 1, 3, 2, 4).reshape(
        3, cell * _GRID, cell * _GRID
    )
    return result


def _key(adapted: AdaptedModel) -> str:
    return f"centre-{state_hash(adapted)[:48]}"
