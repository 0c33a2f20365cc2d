"""Where in the image the answer comes from: hide patches and watch the winning class's margin.

The control (Petsiuk et al. 2018, deletion): hiding patches in the order of their importance must
lower the margin faster than every one of ten random orders, by more than twice their spread, and
faster than from the centre out. Beating ten orders alone would trust one map of pure noise in eleven.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from clipsvd_app.engine.adapted import AdaptedModel
    from clipsvd_app.jobs import Report

Score = Callable[[Tensor], Tensor]
RANDOM_ORDERS = 10
_LARGEST_GRID = 8
_DELETION_STEPS = 12
_SPREADS = 2.0
_BATCH = 32


@dataclass(frozen=True, slots=True)
class Saliency:
    """Grid (rows, columns) of the fall of the margin, and whether the deletion control held."""

    falls: tuple[tuple[float, ...], ...]
    is_trusted: bool


def find_saliency(
    adapted: AdaptedModel, image: Tensor, patch: int, report: Report, seed: int = 0
) -> Saliency:
    """Occlude one preprocessed image (3, size, size) patch by patch under the adapted model."""
    return occlude(margin_score(adapted, image), image, grid_side(image.shape[-1], patch), report, seed)


def margin_score(adapted: AdaptedModel, image: Tensor) -> Score:
    """Return the function images -> logit of the winner minus that of the runner-up of the whole image."""
    with torch.no_grad():
        winner, runner_up = adapted.logits(image[None])[0].topk(2).indices.tolist()

    def score(images: Tensor) -> Tensor:
        with torch.no_grad():
            logits = adapted.logits(images).float().cpu()
        return logits[:, winner] - logits[:, runner_up]

    return score


def grid_side(size: int, patch: int) -> int:
    """Return how many cells a side has: whole patches each, at most eight."""
    patches = max(1, size // patch)
    return max(side for side in range(1, _LARGEST_GRID + 1) if patches % side == 0)


def occlude(score: Score, image: Tensor, side: int, report: Report, seed: int = 0) -> Saliency:
    """Hide each cell behind the image's mean colour; then test the order by deletion."""
    falls = _margin(score, image) - _scores(score, image, [[cell] for cell in range(side**2)], side, report)
    order = falls.argsort(descending=True).tolist()
    generator = torch.Generator().manual_seed(seed)
    rivals = [torch.randperm(side**2, generator=generator).tolist() for _ in range(RANDOM_ORDERS)]
    ours, from_centre, *random = (
        _deletion_area(score, image, path, side, report) for path in (order, _centre_out(side), *rivals)
    )
    grid = tuple(tuple(row) for row in falls.view(side, side).tolist())
    return Saliency(grid, is_trusted=ours < from_centre and _is_clearly_below(ours, random))


def hide(image: Tensor, cells: Sequence[int], side: int) -> Tensor:
    """Return a copy of the image (3, size, size) with the cells of a side x side grid in its mean colour."""
    hidden = image.clone()
    size = image.shape[-1]
    edges = [size * step // side for step in range(side + 1)]
    colour = image.mean(dim=(1, 2))[:, None, None]
    for cell in cells:
        row, column = divmod(cell, side)
        hidden[:, edges[row] : edges[row + 1], edges[column] : edges[column + 1]] = colour
    return hidden


def _is_clearly_below(value: float, others: Sequence[float]) -> bool:
    clear = statistics.mean(others) - _SPREADS * statistics.stdev(others)
    return value < min(others) and value < clear


def _deletion_area(score: Score, image: Tensor, order: Sequence[int], side: int, report: Report) -> float:
    """Return the mean margin while the cells are hidden one after the other in this order."""
    steps = min(_DELETION_STEPS, len(order))
    states = [list(order[: len(order) * step // steps]) for step in range(1, steps + 1)]
    return float(_scores(score, image, states, side, report).mean())


def _scores(
    score: Score, image: Tensor, states: Sequence[Sequence[int]], side: int, report: Report
) -> Tensor:
    parts = []
    for start in range(0, len(states), _BATCH):
        report("Hiding patches", start, len(states))
        batch = states[start : start + _BATCH]
        parts.append(score(torch.stack([hide(image, cells, side) for cells in batch])))
    return torch.cat(parts)


def _margin(score: Score, image: Tensor) -> Tensor:
    return score(image[None])[0]


def _centre_out(side: int) -> list[int]:
    middle = (side - 1) / 2
    return sorted(range(side**2), key=lambda cell: (cell // side - middle) ** 2 + (cell % side - middle) ** 2)
