"""Several single-threaded processes that learn together: on a busy machine threads waste far more."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import distributed

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Team:
    """This process's number among several; number 0 checks and saves. A team of one needs nothing."""

    rank: int = 0
    size: int = 1

    def average_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replace every gradient by its mean over the team."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients])
        distributed.all_reduce(flat)
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient) / self.size)

    def agree(self, value: float) -> float:
        """Return the value of number 0."""
        if self.size == 1:
            return value
        box = torch.tensor([value], dtype=torch.float64)
        distributed.broadcast(box, src=0)
        return float(box)


def join(work: Path, rank: int, size: int) -> Team:
    """Meet the others through a file in the work folder."""
    if size > 1:
        meeting = work / "meeting_point"
        if rank == 0:
            meeting.unlink(missing_ok=True)
            start_others(size)
        distributed.init_process_group(
            "gloo", init_method=meeting.resolve().as_uri(), rank=rank, world_size=size
        )
    return Team(rank, size)


def start_others(size: int) -> None:
    """Start this program again, once for every other number of the team."""
    script = str(Path(__file__).with_name("train.py"))
    for rank in range(1, size):
        subprocess.Popen([sys.executable, script, *sys.argv[1:], "--rank", str(rank)])
