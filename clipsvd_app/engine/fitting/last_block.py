"""The last block of a timm ViT for the class token only: its other outputs are not used.

Keys and values still come from all tokens, so the result is the same. The query, output projection and MLP of
the other tokens are saved, forward and backward.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from torch import Tensor, nn
from torch.nn import functional

from clipsvd_app.engine.fitting.blocks import last_block, put_last_block, table_of
from clipsvd_app.engine.sigma.layers import SigmaLinear

if TYPE_CHECKING:
    from timm.layers.attention import Attention


class ClassTokenBlock(nn.Module):
    """A timm block that returns its class token only: (images, tokens, width) to (images, 1, width)."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor, *_: object, **__: object) -> Tensor:
        """Do what timm's ``Block`` does, for the first token."""
        block = self.block
        first = x[:, :1] + block.ls1(self._attend(block.norm1(x)))  # type: ignore[operator]
        return cast("Tensor", first + block.ls2(block.mlp(block.norm2(first))))  # type: ignore[operator]

    def _attend(self, rows: Tensor) -> Tensor:
        attention = cast("Attention", self.block.attn)
        images, tokens, _ = rows.shape
        split = attention.qkv(rows).view(images, tokens, 3, attention.num_heads, attention.head_dim)
        # (images, tokens, 3, heads, width) to (3, images, heads, tokens, width), as timm's Attention does.
        q, k, v = split.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(
            attention.q_norm(q[:, :, :1]), attention.k_norm(k), v, scale=attention.scale
        )
        return cast("Tensor", attention.proj(mixed.transpose(1, 2).reshape(images, 1, attention.attn_dim)))


def use_class_token_only(model: nn.Module) -> bool:
    """Replace the last image block, in place, where only its class token is used; return whether it was."""
    if table_of(model, "image").name != "timm-vit":
        return False
    trunk: Any = model.get_submodule("visual.trunk")
    block: Any = last_block(model, "image")
    # Average and attention pooling read every token of the last block.
    if trunk.global_pool != "token" or trunk.attn_pool is not None or not _is_plain(block):
        return False
    for layer in (block.attn.proj, block.mlp.fc1, block.mlp.fc2):
        if isinstance(layer, SigmaLinear):
            # One token an image is too few to pay for a product of whole matrices.
            layer.materialised = False
    put_last_block(model, "image", ClassTokenBlock(block))
    return True


def _is_plain(block: nn.Module) -> bool:
    """Whether a block is timm's own plain one, without gates, extra norms or stochastic depth."""
    if (type(block).__module__, type(block).__qualname__) != ("timm.models.vision_transformer", "Block"):
        return False
    attention = cast("Attention", block.attn)
    kind = (type(attention).__module__, type(attention).__qualname__)
    return (
        kind == ("timm.layers.attention", "Attention")
        and attention.gate is None
        and isinstance(attention.norm, nn.Identity)
        # Training mode may drop paths or attention, which ``ClassTokenBlock`` does not repeat.
        and not block.training
    )
