"""The precision of training: bfloat16 where the hardware multiplies in it, fp32 elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from clipsvd_app.engine.device.devices import has_fast_bfloat16

if TYPE_CHECKING:
    from collections.abc import Iterator


def compute_dtype(device: torch.device) -> torch.dtype:
    """Return the number type in which a training step multiplies matrices."""
    return torch.bfloat16 if has_fast_bfloat16(device.type) else torch.float32


@contextmanager
def autocast(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Compute products in ``dtype``, with attention in a form that is fast there; fp32 changes nothing."""
    if dtype == torch.float32:
        yield
        return
    with torch.autocast(device.type, dtype=dtype), quick_attention(device, dtype):
        yield


@contextmanager
def quick_attention(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Choose the attention kernel that trains fastest."""
    if device.type == "cpu" and dtype == torch.bfloat16:
        # The flash kernel's backward pass in bfloat16 is slower on a CPU than the plain products.
        with sdpa_kernel(SDPBackend.MATH):
            yield
    else:
        yield
