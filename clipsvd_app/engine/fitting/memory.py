"""How much memory a training step asks for, and what is done when there is less."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

import psutil
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from clipsvd_app.engine.architectures import list_targets, tokens_per_image
from clipsvd_app.engine.fitting.precision import quick_attention
from clipsvd_app.engine.fitting.stacks import depth, replace_blocks

if TYPE_CHECKING:
    from clipsvd_app.engine.backbones import Backbone

# Measured on BiomedCLIP's architecture: what one block keeps of one token for its backward pass.
_BYTES_PER_TOKEN_AND_WIDTH = 64
_BYTES_PER_TOKEN_PAIR_AND_HEAD = 8
_HEAD_WIDTH = 64
_SHARE_OF_FREE = 0.5


class Checkpointed(nn.Module):
    """A block that keeps its input alone and computes the rest again, the same way, in the backward pass."""

    def __init__(self, block: nn.Module, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__()
        self.block, self.device, self.dtype = block, device, dtype

    def forward(self, *inputs: object, **options: object) -> Tensor:
        """Return what the block returns."""
        block = partial(self.block, **options)
        output = checkpoint(block, *inputs, use_reentrant=False, context_fn=self._contexts)
        return cast("Tensor", output)

    def _contexts(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        # The library restores autocast by itself, but not the choice of the attention kernel.
        return nullcontext(), quick_attention(self.device, self.dtype)


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Whether blocks are checkpointed from the start, and into how many parts a batch is cut."""

    checkpointed: bool = False
    parts: int = 1

    @property
    def note(self) -> str:
        """Say what was done, for the user; empty if nothing was."""
        if self.parts > 1:
            return f"Memory is short: each step is computed in {self.parts} parts."
        if self.checkpointed:
            return "Memory is short: each step computes its blocks twice."
        return ""


def checkpoint_blocks(model: nn.Module, device: torch.device, dtype: torch.dtype) -> None:
    """Checkpoint every block of both towers, in place, for steps that multiply in ``dtype``."""
    replace_blocks(model, partial(Checkpointed, device=device, dtype=dtype))


def plan_memory(backbone: Backbone, batch_size: int, free_bytes: int) -> MemoryPlan:
    """Choose the quickest way to compute a step of ``batch_size`` images within the free memory."""
    allowed = free_bytes * _SHARE_OF_FREE
    blocks = depth(backbone.model, "image")
    block, kept_input = _block_bytes(backbone)
    if batch_size * blocks * block <= allowed:
        return MemoryPlan()
    each = blocks * kept_input + block
    parts = 1
    while batch_size / parts * each > allowed and parts < batch_size:
        parts *= 2
    return MemoryPlan(checkpointed=True, parts=min(parts, batch_size))


def free_memory(device: torch.device) -> int:
    """Return how many bytes a step may still take: of the GPU, or what the system can hand out."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def _block_bytes(backbone: Backbone) -> tuple[int, int]:
    """Return what a block keeps of one image, and the size of its input alone, in bytes."""
    tokens = tokens_per_image(backbone.model)
    width = _width(backbone)
    heads = max(1, width // _HEAD_WIDTH)
    kept = tokens * (_BYTES_PER_TOKEN_AND_WIDTH * width + _BYTES_PER_TOKEN_PAIR_AND_HEAD * tokens * heads)
    return kept, 4 * tokens * width


def _width(backbone: Backbone) -> int:
    first = list_targets(backbone.model)[0]
    return int(first.block(backbone.weight(first)).shape[1])
