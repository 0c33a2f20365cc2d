"""The origin for an image's concepts: the mean embedding of comparable images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from clipsvd_app.engine.explain.model.embedded_corpus import keep_array, recall_array, state_hash
from clipsvd_app.imaging.reading import PIXELS_VERSION

if TYPE_CHECKING:
    from torch import Tensor

    from clipsvd_app.engine.sigma.adapted import AdaptedModel

# The mean of fewer images is too much their own content to serve other cases.
FEWEST_IMAGES = 8
# The mean of 16 random orders varies a quarter as much as one of them.
_SHUFFLES = 16
_GRID = 8


@dataclass(frozen=True, slots=True, eq=False)
class Centre:
    """A mean image embedding (width,); ``of_run``: of the run's images, not of shuffled copies.

    ``base`` is the same mean under the unadapted model.
    """

    vector: NDArray[np.float32]
    base: NDArray[np.float32]
    of_run: bool


def centre_of_run(adapted: AdaptedModel, after: Tensor, before: Tensor) -> Centre:
    """Return the means of embeddings (images, width) of a run's images, cached for its cases.

    after, before: of the adapted and of the unadapted model, of any length.
    """
    vector, base = (
        functional.normalize(embeddings, dim=-1).mean(dim=0).cpu().numpy().astype(np.float32)
        for embeddings in (after, before)
    )
    if len(after) >= FEWEST_IMAGES:
        keep_array(_key(adapted), np.stack([vector, base]))
    return Centre(vector, base, of_run=True)


@torch.no_grad()
def centre_for_case(adapted: AdaptedModel, image: Tensor) -> Centre:
    """Return the run's centre if it is known here, else the mean of shuffled copies of the image.

    Copies with their 8 x 8 cells in random order keep the greys and textures and lose the content.
    """
    kept = recall_array(_key(adapted))
    if kept is not None and kept.ndim == 2 and len(kept) == 2 and np.isfinite(kept).all():
        return Centre(kept[0], kept[1], of_run=True)
    generator = torch.Generator().manual_seed(0)
    copies = torch.stack([_shuffled(image, generator) for _ in range(_SHUFFLES)])
    return Centre(*_both_means(adapted, copies), of_run=False)


def _both_means(adapted: AdaptedModel, images: Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the mean embedding (width,) of the adapted and of the unadapted model."""
    return _mean(adapted, images), _mean(adapted.base, images)


def _mean(adapted: AdaptedModel, images: Tensor) -> NDArray[np.float32]:
    return np.asarray(adapted.image_embeddings(images).mean(dim=0).cpu().numpy(), dtype=np.float32)


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
    return f"centres-v{PIXELS_VERSION}-{state_hash(adapted)[:48]}"
