"""Which images make a training step: every class equally often, every image of a class equally often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def balanced_batches(
    labels: Sequence[int], batch_size: int, generator: torch.Generator
) -> Iterator[list[int]]:
    """Yield batches of image positions for ever; class counts within a batch differ by at most one.

    Each class runs through its images in a new random order before any image returns. No batch is
    larger than twice the images there are: more copies of few images teach nothing.
    """
    members: dict[int, list[int]] = {}
    for position, label in enumerate(labels):
        members.setdefault(label, []).append(position)
    streams = [_endless(members[label], generator) for label in sorted(members)]
    size = min(batch_size, 2 * max(len(m) for m in members.values()) * len(streams))
    first = 0
    while True:
        yield [next(streams[(first + place) % len(streams)]) for place in range(size)]
        first = (first + size) % len(streams)


def _endless(positions: list[int], generator: torch.Generator) -> Iterator[int]:
    while True:
        for index in torch.randperm(len(positions), generator=generator).tolist():
            yield positions[index]
