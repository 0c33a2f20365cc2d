"""The control of every map: mask the image in the map's order and measure the fall of the margin.

Deletion (Petsiuk et al. 2018): the mean margin while more and more is masked must be lower than in each of
ten random orders, by more than twice their standard deviation, and lower than from the centre outwards. Ten
orders without the second condition would pass one map of pure noise in eleven.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from clipsvd_app.domain.results.explanation import CaseMap, DeletionCurve, MapKind
from clipsvd_app.engine.backbone.backbone import embed_images

if TYPE_CHECKING:
    from torch import nn

    from clipsvd_app.engine.sigma.adapted import AdaptedModel
    from clipsvd_app.jobs.lines import Report

Score = Callable[[Tensor], Tensor]
Grid = tuple[tuple[float, ...], ...]
# Each costs three forward passes; with the spread condition noise passes in about one case of twenty.
RANDOM_ORDERS = 10
# Of the cells, closer together at the start, where a good map makes the margin fall.
SHARES = (0.0, 0.1, 0.3, 0.6, 1.0)
_SPREADS = 2.0
# Bounds memory, and the time between two reports.
_BATCH = 16


def margin_score(adapted: AdaptedModel, winner: int, runner_up: int, model: nn.Module | None = None) -> Score:
    """Return the function images -> logit of ``winner`` minus that of ``runner_up``.

    model: what embeds the images in place of the adapted model, giving the same.
    """
    encoder = adapted.model if model is None else model

    def score(images: Tensor) -> Tensor:
        with torch.no_grad():
            logits = adapted.logits_of(embed_images(encoder, images.to(adapted.backbone.device)))
            logits = logits.float().cpu()
        return logits[:, winner] - logits[:, runner_up]

    return score


@dataclass(frozen=True, slots=True, eq=False)
class Deletion:
    """One image with the curves that each of its maps must beat, over cells of (rows, columns)."""

    score: Score
    image: Tensor
    shape: tuple[int, int]
    random: tuple[DeletionCurve, ...]
    centre: DeletionCurve
    ends: tuple[float, float]

    def judge(self, kind: MapKind, grid: Tensor, report: Report) -> CaseMap:
        """Test a map (rows, columns) of what each cell adds to the margin."""
        order = grid.flatten().argsort(descending=True, stable=True).tolist()
        margins = _margins(self.score, self.image, _states(order), self.shape, report)
        curve = _curve((self.ends[0], *margins, self.ends[1]))
        areas = [rival.area for rival in self.random]
        passed = curve.area < self.centre.area and _is_clearly_below(curve.area, areas)
        values = tuple(tuple(row) for row in grid.double().tolist())
        return CaseMap(kind, values, passed, curve, self.random, self.centre)


def prepare_deletion(
    score: Score,
    image: Tensor,
    shape: tuple[int, int],
    report: Report,
    seed: int = 0,
    whole: float | None = None,
) -> Deletion:
    """Measure the curves to beat for an image (3, size, size): ten random orders, and the centre first.

    whole: the margin of the image with nothing masked, where it is known.
    """
    cells = shape[0] * shape[1]
    generator = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(cells, generator=generator).tolist() for _ in range(RANDOM_ORDERS)]
    states = [_states(order) for order in (_centre_out(shape), *orders)]
    first = float(score(image[None])[0]) if whole is None else whole
    # With all masked first: both ends are common to all orders.
    last, *margins = _margins(score, image, [range(cells), *chain(*states)], shape, report)
    width = len(states[0])
    centre, *random = (
        _curve((first, *margins[start : start + width], last)) for start in range(0, len(margins), width)
    )
    return Deletion(score, image, shape, tuple(random), centre, (first, last))


def hide(image: Tensor, cells: Sequence[int], shape: tuple[int, int]) -> Tensor:
    """Return a copy of the image (3, size, size) with cells of a grid (rows, columns) masked.

    Masked in the image's mean colour: black would itself be a finding in many modalities.
    """
    mask = torch.zeros(shape[0] * shape[1], dtype=torch.bool, device=image.device)
    mask[list(cells)] = True
    rows, columns = image.shape[-2:]
    across = torch.arange(columns, device=image.device) * shape[1] // columns
    down = torch.arange(rows, device=image.device) * shape[0] // rows
    hidden = mask.view(shape)[down][:, across]
    return torch.where(hidden, image.mean(dim=(1, 2))[:, None, None], image)


def _states(order: Sequence[int]) -> list[Sequence[int]]:
    """Return the cells that are masked at each point of a curve between its ends."""
    return [order[: max(1, round(share * len(order)))] for share in SHARES[1:-1]]


def _margins(
    score: Score,
    image: Tensor,
    states: Sequence[Sequence[int]],
    shape: tuple[int, int],
    report: Report,
) -> list[float]:
    """Return the margin with each of these sets of cells masked."""
    margins: list[float] = []
    # Parts of like size: a last part of one image would take longer an image.
    size = math.ceil(len(states) / math.ceil(len(states) / _BATCH))
    for start in range(0, len(states), size):
        report("Testing heat maps", start, len(states))
        batch = [hide(image, cells, shape) for cells in states[start : start + size]]
        margins += score(torch.stack(batch)).tolist()
    return margins


def _curve(margins: tuple[float, ...]) -> DeletionCurve:
    steps = zip(SHARES, SHARES[1:], margins, margins[1:], strict=False)
    area = sum((right - left) * (one + other) / 2 for left, right, one, other in steps)
    return DeletionCurve(SHARES, margins, area)


def _is_clearly_below(value: float, others: Sequence[float]) -> bool:
    clear = statistics.mean(others) - _SPREADS * statistics.stdev(others)
    return value < min(others) and value < clear


def _centre_out(shape: tuple[int, int]) -> list[int]:
    rows, columns = shape

    def distance(cell: int) -> float:
        down, across = (cell // columns + 0.5) / rows - 0.5, (cell % columns + 0.5) / columns - 0.5
        return down**2 + across**2

    return sorted(range(rows * columns), key=distance)
