"""The parts of an image tower whose outputs add up to a ViT's class token.

Supported are timm's ViT and open_clip's own, with the class token as output and one linear projection. Other
towers (averaged tokens, a nonlinear head, gated heads) have no exact sum and are not opened.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from clipsvd_app.engine.backbone.architectures import architecture_of
from clipsvd_app.engine.fitting.last_block import use_class_token_only
from clipsvd_app.engine.sigma.layers import shadow

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, eq=False)
class BlockView:
    """One residual block: qkv and out are linear, ``attention_scale`` is its LayerScale (width,) if any.

    ``mlp_end`` is the module whose output is added to the stream after the MLP.
    """

    qkv: nn.Linear
    out: nn.Linear
    mlp_end: nn.Module
    attention_scale: Tensor | None
    q_norm: nn.Module
    k_norm: nn.Module

    def value_bias(self, heads: int) -> Tensor:
        """Return b_V (heads, head width)."""
        width = self.qkv.out_features // 3
        bias = self.qkv.bias
        return (torch.zeros(width) if bias is None else bias[2 * width :].detach()).view(heads, -1)

    def output_bias(self) -> Tensor:
        """Return b_O (width,)."""
        bias = self.out.bias
        return torch.zeros(self.out.out_features) if bias is None else bias.detach()


@dataclass(frozen=True, slots=True, eq=False)
class TowerView:
    """An image tower with its way out: z = projection (gamma (x - mean x) / sigma + beta) + bias.

    ``grid`` is rows and columns of patches, ``patch`` their side in pixels; ``prefix`` tokens come first.
    """

    block_list: nn.Module
    blocks: tuple[BlockView, ...]
    heads: int
    norm: nn.LayerNorm
    projection: Tensor
    bias: Tensor | None
    prefix: int
    grid: tuple[int, int]
    patch: int
    batch_first: bool = True

    def class_token(self, x: Tensor) -> Tensor:
        """Return the class tokens (batch, width) of a stream."""
        return x[:, 0] if self.batch_first else x[0]

    def split_heads(self, fused: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Split an output of qkv (batch, tokens, 3 width) into q, k, v (batch, heads, tokens, head width)."""
        batch, tokens, _ = fused.shape
        q, k, v = fused.view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return q, k, v

    def readings(self, texts: Tensor) -> Tensor:
        """Return r = centred(gamma * P^T t) (texts, width) fp64 of text directions (texts, embedding)."""
        r = texts.double() @ self.projection.double() * self.norm.weight.double()
        return r - r.mean(dim=-1, keepdim=True)

    def layer_readings(self, r: Tensor, block: BlockView) -> Tensor:
        """Return r for the output projection of this block, which its LayerScale follows."""
        return r if block.attention_scale is None else r * block.attention_scale.double()


@dataclass(slots=True)
class Trace:
    """The results of one pass, all fp64: the class token's parts and each head's mean of values.

    start, end: (batch, width) of the stream; mixed: (batch, heads, head width) a layer, b_V included;
    mlp: (batch, width) a layer; tokens: (batch, texts, heads, tokens) a layer, the share of each token in
    r W_O (sum_j a_j v_j) without b_V; embedding: (batch, embedding), not yet of unit length.
    """

    start: Tensor = field(default_factory=lambda: torch.empty(0))
    end: Tensor = field(default_factory=lambda: torch.empty(0))
    embedding: Tensor = field(default_factory=lambda: torch.empty(0))
    mixed: list[Tensor] = field(default_factory=list)
    mlp: list[Tensor] = field(default_factory=list)
    tokens: list[Tensor] = field(default_factory=list)


def open_tower(model: nn.Module) -> TowerView | None:
    """Return the view of a model's image tower, or None where it has no exact sum."""
    opened = {"timm-vit": _timm_view, "open-clip-vit": _open_clip_view}[architecture_of(model).image.name]
    return opened(cast("Any", model).visual)


def open_light(model: nn.Module) -> tuple[nn.Module, TowerView | None]:
    """Return a copy that computes the last block for the class token only where it can be, with its view.

    What a tower with an exact sum gives for images, and all that a trace keeps, is the same.
    """
    light = shadow(model)
    # Before the last block is replaced: the parts that are watched stay, and are called all the same.
    view = open_tower(light)
    if view is not None and use_class_token_only(light):
        view = replace(view, block_list=light.get_submodule(architecture_of(light).image.blocks))
    return light, view


@torch.no_grad()
def trace(model: nn.Module, view: TowerView, images: Tensor, r: Tensor | None = None) -> Trace:
    """Pass images (batch, 3, size, size) through the tower; r (texts, width) asks for shares of tokens."""
    found = Trace()
    with _watching(view, found, r):
        found.embedding = cast("Any", model).encode_image(images).double()
    return found


@contextmanager
def _watching(view: TowerView, found: Trace, r: Tensor | None) -> Iterator[None]:
    with ExitStack() as hooks:

        def watch_start(_: object, arguments: tuple[Tensor, ...]) -> None:
            found.start = view.class_token(arguments[0]).double()

        def watch_end(_: object, __: object, output: Tensor) -> None:
            found.end = view.class_token(output).double()

        layers = list(view.block_list.children())
        hooks.callback(layers[0].register_forward_pre_hook(watch_start).remove)
        hooks.callback(layers[-1].register_forward_hook(watch_end).remove)
        for block in view.blocks:
            hooks.callback(block.qkv.register_forward_hook(_attention_watcher(view, block, found, r)).remove)
            hooks.callback(block.mlp_end.register_forward_hook(_mlp_watcher(view, found)).remove)
        yield


def _mlp_watcher(view: TowerView, found: Trace) -> Any:  # noqa: ANN401 - a hook
    def watch(_: object, __: object, output: Tensor) -> None:
        found.mlp.append(view.class_token(output).double())

    return watch


def _attention_watcher(view: TowerView, block: BlockView, found: Trace, r: Tensor | None) -> Any:  # noqa: ANN401
    weights = None if r is None else head_weights(view, block, view.layer_readings(r, block))
    bias = block.value_bias(view.heads)

    def watch(_: object, __: object, fused: Tensor) -> None:
        q, k, v = view.split_heads(fused)
        query = block.q_norm(q[:, :, :1]).double()
        attention = (query @ block.k_norm(k).double().transpose(-2, -1) * q.shape[-1] ** -0.5).softmax(-1)
        values = v.double()
        found.mixed.append((attention @ values).squeeze(2))
        if weights is not None:
            shares = torch.einsum("bhjd,chd->bchj", values - bias.to(v.device).double()[:, None], weights)
            found.tokens.append(attention.transpose(1, 2) * shares)

    return watch


def head_weights(view: TowerView, block: BlockView, r: Tensor) -> Tensor:
    """Return W_O^T r by heads (texts, heads, head width) fp64."""
    return (r @ block.out.weight.double()).view(len(r), view.heads, -1)


def _timm_view(visual: Any) -> TowerView | None:  # noqa: ANN401 - any open_clip tower
    trunk, head = visual.trunk, visual.head
    linears = [part for part in head.modules() if isinstance(part, nn.Linear)]
    bends = [part for part in head.modules() if isinstance(part, nn.GELU | nn.ReLU | nn.SiLU)]
    class_token = trunk.global_pool == "token" and trunk.attn_pool is None
    plain_end = isinstance(trunk.norm, nn.LayerNorm) and isinstance(trunk.fc_norm, nn.Identity)
    if not (class_token and plain_end and len(linears) == 1 and not bends):
        return None
    blocks = []
    for block in trunk.blocks:
        attention = block.attn
        if getattr(attention, "gate", None) is not None or not _is_nothing(getattr(attention, "norm", None)):
            return None
        scale = None if _is_nothing(block.ls1) else block.ls1.gamma.detach()
        parts = attention.qkv, attention.proj, block.ls2, scale, attention.q_norm, attention.k_norm
        blocks.append(BlockView(*parts))
    embed = trunk.patch_embed
    return TowerView(
        block_list=trunk.blocks,
        blocks=tuple(blocks),
        heads=trunk.blocks[0].attn.num_heads,
        norm=trunk.norm,
        projection=linears[0].weight.detach(),
        bias=None if linears[0].bias is None else linears[0].bias.detach(),
        prefix=trunk.num_prefix_tokens,
        grid=(embed.grid_size[0], embed.grid_size[1]),
        patch=embed.patch_size[0],
    )


def _open_clip_view(visual: Any) -> TowerView | None:  # noqa: ANN401 - any open_clip tower
    if visual.pool_type != "tok" or visual.attn_pool is not None or visual.proj is None:
        return None
    blocks = []
    for block in visual.transformer.resblocks:
        scale = None if _is_nothing(block.ls_1) else block.ls_1.gamma.detach()
        attention = block.attn
        none = nn.Identity()
        blocks.append(BlockView(attention.in_proj, attention.out_proj, block.ls_2, scale, none, none))
    return TowerView(
        block_list=visual.transformer.resblocks,
        blocks=tuple(blocks),
        heads=visual.transformer.resblocks[0].attn.heads,
        norm=visual.ln_post,
        projection=visual.proj.detach().T,
        bias=None,
        prefix=1,
        grid=tuple(visual.grid_size),
        patch=visual.conv1.kernel_size[0],
        batch_first=visual.transformer.batch_first,
    )


def _is_nothing(module: nn.Module | None) -> bool:
    return module is None or isinstance(module, nn.Identity)
