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


def join(meeting: Path, rank: int, size: int, arguments: list[str]) -> Team:
    """Meet the others through a file; number 0 starts them with the same arguments."""
    if size > 1:
        if rank == 0:
            meeting.unlink(missing_ok=True)
            script = str(Path(__file__).with_name("train.py"))
            for other in range(1, size):
                subprocess.Popen([sys.executable, script, *arguments, "--rank", str(other)])
        distributed.init_process_group(
            "gloo", init_method=meeting.resolve().as_uri(), rank=rank, world_size=size
        )
    return Team(rank, size)


def leave(team: Team) -> None:
    """Part from the others."""
    if team.size > 1:
        distributed.destroy_process_group()
