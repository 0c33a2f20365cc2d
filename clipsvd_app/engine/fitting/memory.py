"""How much memory a training step needs, and how it is computed when there is less."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

import psutil
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from clipsvd_app.domain.results.run import RunNote
from clipsvd_app.engine.backbone.architectures import list_targets, tokens_per_image
from clipsvd_app.engine.backbone.prompts import TOKENS_AT_ONCE
from clipsvd_app.engine.fitting.blocks import depth, replace_blocks
from clipsvd_app.engine.fitting.precision import quick_attention

if TYPE_CHECKING:
    from clipsvd_app.domain.towers import Tower
    from clipsvd_app.engine.backbone.backbone import Backbone

# An estimate for fp32, which bfloat16 stays below: what one block keeps of one token for its backward pass.
_BYTES_PER_TOKEN_AND_WIDTH = 64
# Two fp32 values, attention score and softmax, as an unfused kernel keeps them for each pair of tokens.
_BYTES_PER_TOKEN_PAIR_AND_HEAD = 8
# Of the ViT-B and BERT-base families; other widths only shift the estimate.
_HEAD_WIDTH = 64
# The estimate is rough, and a CPU short of memory swaps or kills the process in place of raising an error.
_SHARE_OF_FREE = 0.5
# A part of this size keeps a CPU busy: BiomedCLIP at batch 16 peaks at 3.0 GB in parts, at 3.7 GB whole.
_TOKENS_AT_ONCE = 2048


class Checkpointed(nn.Module):
    """A block that keeps only its input and recomputes the rest, in the same way, in the backward pass."""

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
    """Whether blocks are checkpointed from the start, and into how many parts a batch is cut.

    ``short``: there is less memory than the fastest way needs. ``prompt_tokens``: how many tokens a part of
    the prompts may hold.
    """

    short: bool = False
    checkpointed: bool = False
    parts: int = 1
    prompt_tokens: int = TOKENS_AT_ONCE

    @property
    def notes(self) -> tuple[RunNote, ...]:
        """Return what short memory led to; none if it is not short."""
        return (RunNote("recomputed"), RunNote("smaller_parts", self.parts)) if self.short else ()


def checkpoint_blocks(model: nn.Module, device: torch.device, dtype: torch.dtype) -> None:
    """Checkpoint every block of both towers, in place, for steps that multiply in ``dtype``."""
    replace_blocks(model, partial(Checkpointed, device=device, dtype=dtype))


def images_at_once(backbone: Backbone, batch_size: int) -> int:
    """Return how many images of a step are best computed at once when there is enough memory.

    On a CPU a part, since its activations are freed before the next part; on a GPU the whole batch, which
    keeps it busy.
    """
    if backbone.device.type != "cpu":
        return batch_size
    parts = math.ceil(batch_size * tokens_per_image(backbone.model) / _TOKENS_AT_ONCE)
    return math.ceil(batch_size / parts)


def plan_memory(backbone: Backbone, batch_size: int, free_bytes: int, prompt_tokens: int = 0) -> MemoryPlan:
    """Choose the fastest way to compute a step of ``batch_size`` images within the free memory.

    prompt_tokens: of all prompts, padding counted. Their graph stands while the images go through, unless
    they are cut into parts, which are computed twice and one at a time.
    """
    allowed = free_bytes * _SHARE_OF_FREE
    blocks = depth(backbone.model, "image")
    block, kept_input = _block_bytes(backbone)
    at_once = images_at_once(backbone, batch_size)
    images = at_once * blocks * block
    text_blocks, token = _text_bytes(backbone)
    if images + min(prompt_tokens, TOKENS_AT_ONCE) * text_blocks * token <= allowed:
        return MemoryPlan(parts=math.ceil(batch_size / at_once))
    if images <= allowed:
        tokens = _fewer(prompt_tokens, allowed / (text_blocks * token))
        return MemoryPlan(parts=math.ceil(batch_size / at_once), prompt_tokens=tokens)
    parts = math.ceil(batch_size / at_once)
    while batch_size / parts * (blocks * kept_input + block) > allowed and parts < batch_size:
        parts *= 2
    # Checkpointed prompts keep 4 bytes a token and width, their blocks' inputs. Where all of them need less
    # than an eighth of the memory they stay whole: parts would compute them twice more and save little.
    kept = prompt_tokens * (token + text_blocks * token // _BYTES_PER_TOKEN_AND_WIDTH * 4)
    tokens = prompt_tokens if kept <= allowed / 8 else _fewer(prompt_tokens, allowed / (text_blocks * token))
    return MemoryPlan(True, True, min(parts, batch_size), min(max(1, tokens), TOKENS_AT_ONCE))


def free_memory(device: torch.device) -> int:
    """Return how many bytes a step may still take: of the GPU, or what the system can hand out."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def _block_bytes(backbone: Backbone) -> tuple[int, int]:
    """Return what a block keeps of one image, and the size of its input, in bytes."""
    tokens = tokens_per_image(backbone.model)
    width = _width(backbone)
    heads = max(1, width // _HEAD_WIDTH)
    kept = tokens * (_BYTES_PER_TOKEN_AND_WIDTH * width + _BYTES_PER_TOKEN_PAIR_AND_HEAD * tokens * heads)
    # 4 bytes: fp32.
    return kept, 4 * tokens * width


def _text_bytes(backbone: Backbone) -> tuple[int, int]:
    """Return how many blocks the text tower has, and what each keeps of a token of a prompt, in bytes.

    Prompts are short beside an image, so pairs of tokens are left out of the estimate.
    """
    return depth(backbone.model, "text"), _BYTES_PER_TOKEN_AND_WIDTH * _width(backbone, "text")


def _fewer(tokens: int, allowed: float) -> int:
    """Return how many tokens a part may hold so that there are at least two parts; at least one token."""
    return max(1, min(tokens // 2, int(allowed), TOKENS_AT_ONCE))


def _width(backbone: Backbone, tower: Tower = "image") -> int:
    first = next(target for target in list_targets(backbone.model) if target.tower == tower)
    return int(first.block(backbone.weight(first)).shape[1])
