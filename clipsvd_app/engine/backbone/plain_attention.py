"""open_clip's residual blocks as plain linear layers, so that their matrices can be adapted like any other.

``nn.MultiheadAttention`` keeps q, k and v in a bare parameter, ``in_proj_weight``, which no module can
replace, and the block asks an MLP's weight for its number type. The modules here hold the very same tensors,
give the same outputs, and keep the names of the checkpoint in their state dicts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Mapping

_STORED_NAMES = {"in_proj.weight": "in_proj_weight", "in_proj.bias": "in_proj_bias"}
_BLOCK = ("open_clip.transformer", "ResidualAttentionBlock")


def use_plain_attention(model: nn.Module) -> nn.Module:
    """Replace every residual block of an open_clip model, in place, and return the model.

    Models without such blocks stay as they are; other kinds of block do too, and have no table.
    """
    for blocks in list(model.modules()):
        if isinstance(blocks, nn.ModuleList):
            for index, block in enumerate(blocks):
                if _is_replaceable(block):
                    blocks[index] = PlainBlock(block)
    return model


class PlainBlock(nn.Module):
    """A pre-norm block over the parts of an open_clip ``ResidualAttentionBlock``, named as there."""

    def __init__(self, stock: nn.Module) -> None:
        super().__init__()
        self.ln_1, self.attn = cast("nn.LayerNorm", stock.ln_1), PlainAttention(_attention(stock))
        self.ls_1 = cast("nn.Module", stock.ls_1)
        self.ln_2, self.mlp = cast("nn.LayerNorm", stock.ln_2), cast("nn.Module", stock.mlp)
        self.ls_2 = cast("nn.Module", stock.ls_2)
        self.train(stock.training)

    def forward(
        self, x: Tensor, k_x: Tensor | None = None, v_x: Tensor | None = None, attn_mask: Tensor | None = None
    ) -> Tensor:
        """Map (batch, length, width), or (length, batch, width) if not batch first, to the same shape."""
        assert k_x is None
        assert v_x is None
        x = x + self.ls_1(self.attn(self.ln_1(x), attn_mask))
        return cast("Tensor", x + self.ls_2(self.mlp(self.ln_2(x))))

    def get_weight_dtype(self) -> torch.dtype:
        """Return the number type that embedded text is cast to."""
        return self.ln_1.weight.dtype


class PlainAttention(nn.Module):
    """Self-attention over the tensors of an ``nn.MultiheadAttention``."""

    def __init__(self, stock: nn.MultiheadAttention) -> None:
        super().__init__()
        self.heads, self.batch_first = stock.num_heads, stock.batch_first
        self.in_proj = _linear(cast("Tensor", stock.in_proj_weight), stock.in_proj_bias)
        self.out_proj = _linear(stock.out_proj.weight, stock.out_proj.bias)

    def forward(self, x: Tensor, attn_mask: Tensor | None = None) -> Tensor:
        """Attend within (batch, length, width), or (length, batch, width) if not batch first.

        attn_mask: additive, at least (length, length), or (batch * heads, length, length).
        """
        x = x if self.batch_first else x.transpose(0, 1)
        batch, length, width = x.shape
        split = self.in_proj(x).view(batch, length, 3, self.heads, width // self.heads)
        # (batch, length, 3, heads, width) to (3, batch, heads, length, width).
        q, k, v = split.permute(2, 0, 3, 1, 4)
        if attn_mask is not None:
            # The causal mask is made for the longest text.
            attn_mask = attn_mask.to(q.dtype)[..., :length, :length]
            if attn_mask.ndim == 3:
                attn_mask = attn_mask.view(batch, self.heads, length, length)
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=attn_mask)
        y = cast("Tensor", self.out_proj(mixed.transpose(1, 2).reshape(batch, length, width)))
        return y if self.batch_first else y.transpose(0, 1)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - nn.Module's own signature
        """Return the tensors under the names that checkpoints have for them."""
        state = super().state_dict(*args, **kwargs)
        prefix = kwargs.get("prefix", "")
        for name, stored in _STORED_NAMES.items():
            if prefix + name in state:
                state[prefix + stored] = state.pop(prefix + name)
        return state

    def _load_from_state_dict(
        self,
        state_dict: Mapping[str, Any],
        prefix: str,
        *args: Any,  # noqa: ANN401 - nn.Module's own signature
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        tensors = cast("dict[str, Any]", state_dict)
        for name, stored in _STORED_NAMES.items():
            if prefix + stored in tensors:
                tensors[prefix + name] = tensors.pop(prefix + stored)
        super()._load_from_state_dict(tensors, prefix, *args, **kwargs)


def _is_replaceable(block: nn.Module) -> bool:
    kind, attention = type(block), getattr(block, "attn", None)
    return (
        (kind.__module__, kind.__qualname__) == _BLOCK
        # A block with ln_1_kv is a cross-attention of the caption decoder.
        and not hasattr(block, "ln_1_kv")
        and type(attention) is nn.MultiheadAttention
        and attention.in_proj_weight is not None
        and attention.bias_k is None
        and not attention.add_zero_attn
        and attention.dropout == 0
    )


def _attention(block: nn.Module) -> nn.MultiheadAttention:
    return cast("nn.MultiheadAttention", block.attn)


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    """Return a linear layer that shares these parameters."""
    rows, columns = weight.shape
    # On the meta device: no memory and no random numbers for parameters that are replaced at once.
    linear = nn.Linear(columns, rows, bias=bias is not None, device="meta")
    linear.weight = cast("nn.Parameter", weight)
    linear.bias = cast("nn.Parameter", bias)
    return linear
