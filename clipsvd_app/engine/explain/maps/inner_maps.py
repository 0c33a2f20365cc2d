"""Maps of the margin from activations and gradients inside the image tower."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from torch import nn

    from clipsvd_app.engine.explain.model.image_tower import TowerView


def patch_grid(view: TowerView, tokens: Tensor) -> Tensor:
    """Return values of tokens (..., tokens) as a grid (..., rows, columns) of patches."""
    grid: Tensor = tokens[..., view.prefix :].unflatten(-1, view.grid)
    return grid


def gradient_map(
    model: nn.Module, view: TowerView, image: Tensor, direction: Tensor, logit_scale: float
) -> Tensor:
    """Return what more attention to each patch would add to the score, (rows, columns).

    As in LeGrad (Bousselham et al. 2024): the positive part of dscore/dA of every layer, head and query.
    With y = A v the gradient of A is (dscore/dy) . v, so no attention is formed. The score is logit_scale
    times the cosine of the image (3, size, size) with ``direction`` (embedding,), which need not be unit.
    """
    values: list[Tensor] = []
    mixed: list[Tensor] = []
    with ExitStack() as stack, torch.enable_grad():
        for block in view.blocks:
            stack.callback(block.qkv.register_forward_hook(_value_keeper(view, values)).remove)
            stack.callback(block.out.register_forward_pre_hook(_mix_keeper(mixed)).remove)
        embedding: Tensor = model.encode_image(image[None])  # type: ignore[operator]
        score = logit_scale * (functional.normalize(embedding, dim=-1)[0] @ direction.to(embedding))
        gradients = torch.autograd.grad(score, mixed)
    with torch.no_grad():
        layers = zip(gradients, values, strict=True)
        total = sum(_attention_gain(gradient, value) for gradient, value in layers)
    assert isinstance(total, Tensor)
    return patch_grid(view, total)


def _attention_gain(gradient: Tensor, values: Tensor) -> Tensor:
    """Return relu(dscore/dA) (tokens,), a mean over heads and queries; values: (1, heads, tokens, width).

    gradient: (1, queries, heads * width). Queries that are left out have no influence: they count as zero.
    """
    heads, tokens, width = values.shape[1:]
    by_head = gradient.view(-1, heads, width).transpose(0, 1)
    return (by_head @ values[0].transpose(-2, -1)).relu().sum(dim=(0, 1)) / (heads * tokens)


def _value_keeper(view: TowerView, values: list[Tensor]) -> Any:  # noqa: ANN401 - a hook
    def keep(_: object, __: object, fused: Tensor) -> Tensor:
        # No weight asks for a gradient, so the first layer begins the graph.
        kept = fused if fused.requires_grad else fused.detach().requires_grad_()
        values.append(view.split_heads(kept)[2].detach())
        return kept

    return keep


def _mix_keeper(mixed: list[Tensor]) -> Any:  # noqa: ANN401 - a hook
    def keep(_: object, arguments: tuple[Tensor, ...]) -> None:
        mixed.append(arguments[0])

    return keep
