"""open_clip's own towers: the same residual blocks in the ViT and in both of its text towers.

Their fused ``in_proj_weight`` belongs to ``nn.MultiheadAttention`` until ``plain_attention`` has made it a
linear layer ``in_proj``, which is what the tables list. The text tower is part of the model itself
in the CLIP class, and under ``text`` in CustomTextCLIP.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from clipsvd_app.engine.backbone.architectures.targets import (
    MatrixKind,
    Target,
    TowerTable,
    fused_thirds,
    layer_paths,
    plain_matrices,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from clipsvd_app.domain.towers import Tower

_BLOCK: tuple[tuple[str, MatrixKind], ...] = (
    ("attn.out_proj", "o"),
    ("mlp.c_fc", "fc1"),
    ("mlp.c_proj", "fc2"),
)


def _targets(model: nn.Module, *, blocks: str, tower: Tower) -> Iterator[Target]:
    for layer, path in layer_paths(model, blocks):
        yield from fused_thirds(model, f"{path}.attn.in_proj", tower, layer)
        yield from plain_matrices(_BLOCK, path, tower, layer)


def _positions(model: nn.Module, *, path: str) -> int:
    return len(cast("Tensor", model.get_submodule(path).positional_embedding))


OPEN_CLIP_VIT = TowerTable(
    name="open-clip-vit",
    path="visual",
    class_name="open_clip.transformer.VisionTransformer",
    blocks="visual.transformer.resblocks",
    stem="visual.conv1",
    targets=partial(_targets, blocks="visual.transformer.resblocks", tower="image"),
    tokens=partial(_positions, path="visual"),
    patch_drop="visual.patch_dropout",
)
OPEN_CLIP_CLIP_TEXT = TowerTable(
    name="open-clip-text",
    path="transformer",
    class_name="open_clip.transformer.Transformer",
    blocks="transformer.resblocks",
    stem=None,
    targets=partial(_targets, blocks="transformer.resblocks", tower="text"),
    tokens=partial(_positions, path=""),
)
OPEN_CLIP_TEXT = TowerTable(
    name="open-clip-text",
    path="text",
    class_name="open_clip.transformer.TextTransformer",
    blocks="text.transformer.resblocks",
    stem=None,
    targets=partial(_targets, blocks="text.transformer.resblocks", tower="text"),
    tokens=partial(_positions, path="text"),
)
