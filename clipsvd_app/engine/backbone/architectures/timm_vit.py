"""timm's ViT, whose q, k and v lie in one ``qkv``."""

from __future__ import annotations

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

    from torch import nn

_BLOCK: tuple[tuple[str, MatrixKind], ...] = (("attn.proj", "o"), ("mlp.fc1", "fc1"), ("mlp.fc2", "fc2"))


_BLOCKS = "visual.trunk.blocks"


def _targets(model: nn.Module) -> Iterator[Target]:
    for layer, path in layer_paths(model, _BLOCKS):
        yield from fused_thirds(model, f"{path}.attn.qkv", "image", layer)
        yield from plain_matrices(_BLOCK, path, "image", layer)


def _tokens(model: nn.Module) -> int:
    trunk = model.get_submodule("visual.trunk")
    patches = cast("int", trunk.get_submodule("patch_embed").num_patches)
    return patches + cast("int", trunk.num_prefix_tokens)


TIMM_VIT = TowerTable(
    name="timm-vit",
    path="visual.trunk",
    class_name="timm.models.vision_transformer.VisionTransformer",
    blocks=_BLOCKS,
    stem="visual.trunk.patch_embed",
    targets=_targets,
    tokens=_tokens,
    patch_drop="visual.trunk.patch_drop",
)
