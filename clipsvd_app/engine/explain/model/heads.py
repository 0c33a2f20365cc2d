"""How much each attention head changed: ||Delta OV_h|| / ||OV_h|| of its value and output matrices.

With Delta OV = O' Delta V + Delta O V = A B^T for A = [O', Delta O] and B = [Delta V^T, V^T], both tall, the
norm is that of the small product of their R factors: the difference of two large matrices is never formed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from clipsvd_app.domain.towers import Tower
from clipsvd_app.engine.device.torch_setup import one_thread
from clipsvd_app.engine.explain.model.attribution import heads_of

if TYPE_CHECKING:
    from clipsvd_app.engine.backbone.architectures import Target
    from clipsvd_app.engine.sigma.adapted import AdaptedModel


@dataclass(frozen=True, slots=True)
class OvChange:
    """One head of one tower with its relative change."""

    tower: Tower
    layer: int
    head: int
    relative_change: float


def ov_changes(adapted: AdaptedModel) -> tuple[OvChange, ...]:
    """Return the relative change of every head of both towers, in order."""
    targets = adapted.basis.targets
    heads = heads_of(adapted.backbone.model, targets)
    writing = {(target.tower, target.layer): target for target in targets if target.kind == "o"}
    changes = []
    for value in (target for target in targets if target.kind == "v"):
        out = writing[value.tower, value.layer]
        relative = relative_ov_change(*_ends(adapted, value), *_ends(adapted, out), heads[value.tower])
        changes += [
            OvChange(value.tower, value.layer, head, float(change)) for head, change in enumerate(relative)
        ]
    return tuple(changes)


def relative_ov_change(
    value: Tensor, value_after: Tensor, out: Tensor, out_after: Tensor, heads: int
) -> Tensor:
    """Return ||O'V' - OV|| / ||OV|| (heads,) of values (width, input) and outputs (output, width)."""
    v, v_after = (_by_head(weight.T, heads) for weight in (value, value_after))
    o, o_after = (_by_head(weight, heads) for weight in (out, out_after))
    changed = _product_norm(torch.cat([o_after, o_after - o], dim=-1), torch.cat([v_after - v, v], dim=-1))
    relative: Tensor = changed / _product_norm(o, v).clamp_min(1e-30)
    return relative


def _ends(adapted: AdaptedModel, target: Target) -> tuple[Tensor, Tensor]:
    models = adapted.backbone.model, adapted.model
    weights = (cast("Tensor", model.get_submodule(target.module_path).weight) for model in models)
    before, after = (target.block(weight).detach().cpu().double() for weight in weights)
    return before, after


def _by_head(weight: Tensor, heads: int) -> Tensor:
    """Split columns (rows, width) into (heads, rows, head width)."""
    by_head: Tensor = weight.unflatten(1, (heads, -1)).transpose(0, 1)
    return by_head


def _product_norm(a: Tensor, b: Tensor) -> Tensor:
    """Return the Frobenius norm of a b^T (heads,) for tall a and b (heads, rows, columns)."""
    with one_thread():
        r_a, r_b = (torch.linalg.qr(part, mode="r").R for part in (a, b))
    norms: Tensor = (r_a @ r_b.transpose(-2, -1)).flatten(1).norm(dim=1)
    return norms
