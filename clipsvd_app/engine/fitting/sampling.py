"""Which images make a training step: every class equally often, every image of a class equally often.

A step's images follow only from the seed and the number of the step, so that a stopped fit can resume.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from clipsvd_app.adapter_file.generator import seed_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def balanced_batch(labels: Sequence[int], batch_size: int, seed: int, step: int) -> list[int]:
    """Return the image positions of one step; class counts within a batch differ by at most one.

    Each class shows all of its images in random order before any image returns. No batch is larger than
    twice the images there are: more copies of few images teach nothing. Classes alternate in the order in
    which they first occur, so that renumbering the classes changes no batch.
    """
    members: dict[int, list[int]] = {}
    for position, label in enumerate(labels):
        members.setdefault(label, []).append(position)
    streams = list(members.values())
    size = min(batch_size, 2 * max(len(stream) for stream in streams) * len(streams))
    draws = range(step * size, (step + 1) * size)
    return [
        _nth(streams[draw % len(streams)], draw // len(streams), f"{seed}/{draw % len(streams)}")
        for draw in draws
    ]


def step_generator(seed: int, step: int) -> torch.Generator:
    """Return the generator of a step's augmentation."""
    return torch.Generator().manual_seed(seed_of(f"augmentation/{seed}/{step}"))


def _nth(stream: list[int], place: int, name: str) -> int:
    """Return entry ``place`` of endless rounds through ``stream``, each in a new random order."""
    turn, index = divmod(place, len(stream))
    order = torch.randperm(
        len(stream), generator=torch.Generator().manual_seed(seed_of(f"order/{name}/{turn}"))
    )
    return stream[int(order[index])]
