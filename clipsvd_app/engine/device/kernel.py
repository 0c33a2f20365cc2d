"""A small transformer block with fixed numbers, by which a device is tested before it is used."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

# Heads 64 wide, as in the models; an odd number of tokens, because kernels err at the edges of their tiles.
_BATCH, _TOKENS, _WIDTH, _HEADS = 2, 33, 128, 2


def deviation(device: torch.device, *, bfloat16: bool) -> float:
    """Return the largest deviation of the block from the same block in fp64 on the CPU.

    Of the output and of every gradient, relative to that tensor's largest number. Weights stay fp32 and
    bfloat16 is autocast's, as in training. Raises RuntimeError when it cannot run.
    """
    cpu = torch.device("cpu")
    # The caller may be inside no_grad or autocast.
    with torch.inference_mode(mode=False), torch.enable_grad():
        with torch.autocast("cpu", enabled=False), torch.autocast(device.type, enabled=False):
            expected = _run(_numbers(cpu, torch.float64))
        numbers = _numbers(device, torch.float32)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16):
            found = [tensor.to(cpu, torch.float64) for tensor in _run(numbers)]
        pairs = zip(found, expected, strict=True)
        return float(
            torch.stack([(one - other).abs().max() / other.abs().max() for one, other in pairs]).max()
        )


def _numbers(device: torch.device, kind: torch.dtype) -> dict[str, Tensor]:
    """Draw tokens and weights on the CPU, the same for every device."""
    generator = torch.Generator().manual_seed(0)
    shapes = {
        "tokens": (_BATCH, _TOKENS, _WIDTH),
        "gain": (_WIDTH,),
        "qkv": (3 * _WIDTH, _WIDTH),
        "out": (_WIDTH, _WIDTH),
    }
    drawn = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    for name in ("qkv", "out"):
        # Keeps the products at the scale of their inputs, so that a relative deviation means the same in
        # each.
        drawn[name] *= _WIDTH**-0.5
    return {name: tensor.to(device, kind).requires_grad_() for name, tensor in drawn.items()}


def _run(numbers: dict[str, Tensor]) -> list[Tensor]:
    """Return LayerNorm, attention and projection of the tokens, and the gradient of each number."""
    tokens = numbers["tokens"]
    rows = functional.layer_norm(tokens, (_WIDTH,), numbers["gain"])
    mixed = functional.linear(rows, numbers["qkv"])
    heads = mixed.reshape(_BATCH, _TOKENS, 3, _HEADS, _WIDTH // _HEADS).permute(2, 0, 3, 1, 4)
    attended = functional.scaled_dot_product_attention(heads[0], heads[1], heads[2])
    joined = attended.transpose(1, 2).reshape(_BATCH, _TOKENS, _WIDTH)
    result = tokens + functional.linear(joined, numbers["out"])
    gradients = torch.autograd.grad(result.square().mean(), list(numbers.values()))
    return [tensor.detach() for tensor in (result, *gradients)]
