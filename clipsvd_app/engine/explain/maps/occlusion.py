"""The occlusion map: mask one cell after another and measure the fall of the margin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from clipsvd_app.engine.explain.maps.deletion import Score, hide

if TYPE_CHECKING:
    from clipsvd_app.jobs.lines import Report

# 64 cells, one forward pass each: a finer grid takes longer, and single patches change the margin little.
_LARGEST_GRID = 8
_BATCH = 16


def grid_side(size: int, patch: int) -> int:
    """Return how many cells a side has: whole patches each, at most eight."""
    patches = max(1, size // patch)
    return max(side for side in range(1, _LARGEST_GRID + 1) if patches % side == 0)


def occlusion_map(
    score: Score, image: Tensor, side: int, report: Report, whole: float | None = None
) -> Tensor:
    """Return the fall of the margin (side, side) when that cell takes the image's mean colour.

    whole: the margin with nothing masked, where it is known.
    """
    unmasked = float(score(image[None])[0]) if whole is None else whole
    parts = []
    for start in range(0, side**2, _BATCH):
        report("Masking patches", start, side**2)
        cells = range(start, min(start + _BATCH, side**2))
        parts.append(score(torch.stack([hide(image, [cell], (side, side)) for cell in cells])))
    return (unmasked - torch.cat(parts)).view(side, side)
