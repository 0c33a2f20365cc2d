from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import pytest
import torch
from support.small_clip import EMBEDDING, noise_images, small_backbone
from support.tiny_clip import SIZE as TINY_SIZE
from support.tiny_clip import write_tiny_clip
from torch import Tensor, nn
from torch.nn import functional

from clipsvd_app.domain.words.phrases import part_title
from clipsvd_app.engine.backbone.backbone import load_backbone
from clipsvd_app.engine.explain.model.decomposition import Decomposition, decompose_logits, score_parts
from clipsvd_app.engine.explain.model.image_tower import open_tower

if TYPE_CHECKING:
    from pathlib import Path

SCALE = 30.0


def texts(dtype: torch.dtype = torch.float32) -> Tensor:
    drawn = torch.randn((3, EMBEDDING), generator=torch.Generator().manual_seed(1), dtype=dtype)
    return functional.normalize(drawn, dim=-1)


def decompose(model: nn.Module, images: Tensor) -> Decomposition:
    view = open_tower(model)
    assert view is not None
    return decompose_logits(model, view, images, texts(images.dtype), SCALE)


def logits(model: nn.Module, images: Tensor) -> Tensor:
    with torch.no_grad():
        embedded = functional.normalize(model.encode_image(images), dim=-1)
    return SCALE * embedded @ texts(images.dtype).T


@pytest.fixture(scope="module", params=["timm", "open_clip", "open_clip custom text"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    if request.param == "timm":
        return small_backbone().model
    folder: Path = tmp_path_factory.mktemp("clip")
    custom = request.param.endswith("text")
    return load_backbone(write_tiny_clip(folder, custom_text=custom)).model


def pictures(model: nn.Module, count: int) -> Tensor:
    size = 64 if hasattr(model.visual, "trunk") else TINY_SIZE
    return noise_images(count)[:, :, :size, :size]


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize(("dtype", "largest"), [(torch.float32, 1e-4), (torch.float64, 1e-10)])
def test_the_terms_sum_to_the_logit(model: nn.Module, dtype: torch.dtype, largest: float, batch: int) -> None:
    changed = copy.deepcopy(model).to(dtype)
    images = pictures(model, batch).to(dtype)
    found = decompose(changed, images)
    assert float(found.residual.abs().max()) < largest
    assert float((found.logits - logits(changed, images)).abs().max()) < largest


def test_every_layer_and_head_has_terms_of_its_own(model: nn.Module) -> None:
    found = decompose(model, pictures(model, 1))
    layers, heads = found.heads.shape[2:]
    parts = score_parts(found, 0, answer=1, rival=2)
    assert len(parts) >= 1 + 2 * layers + layers * heads
    assert len({part_title(part) for part in parts}) == len(parts)
    assert sum(part.value for part in parts) == pytest.approx(float(found.logits[0, 1]), abs=1e-4)
    margin = float(found.logits[0, 1] - found.logits[0, 2])
    assert sum(part.margin for part in parts) == pytest.approx(margin, abs=1e-4)


def test_the_tokens_share_out_what_the_heads_give(model: nn.Module) -> None:
    found = decompose(model, pictures(model, 2))
    assert torch.allclose(found.tokens.sum(dim=-1), found.heads.sum(dim=(-2, -1)))


def test_permuting_heads_permutes_their_scores_and_nothing_else(model: nn.Module) -> None:
    changed = copy.deepcopy(model).double()
    view = open_tower(changed)
    assert view is not None
    images = pictures(model, 2).double()
    before = decompose(changed, images)
    order = torch.arange(view.heads - 1, -1, -1)
    _permute_heads(view.blocks[1].qkv, view.blocks[1].out, order)
    after = decompose(changed, images)
    assert torch.allclose(after.heads[:, :, 1], before.heads[:, :, 1][..., order], atol=1e-12)
    assert torch.allclose(after.head_constant[:, :, 1], before.head_constant[:, :, 1][..., order], atol=1e-12)
    for name in ("logits", "embedding", "output_bias", "mlp", "shift", "tokens"):
        assert torch.allclose(getattr(after, name), getattr(before, name), atol=1e-10), name
    assert torch.allclose(after.heads[:, :, 0], before.heads[:, :, 0], atol=1e-12)


def test_layer_scales_and_a_bias_of_the_projection_are_taken_in() -> None:
    from timm.models.vision_transformer import LayerScale

    model = small_backbone().model
    for block in model.visual.trunk.blocks:
        block.ls1, block.ls2 = LayerScale(32, init_values=0.3), LayerScale(32, init_values=0.7)
    model.visual.head.proj = nn.Linear(32, EMBEDDING)
    model.requires_grad_(False)
    assert float(decompose(model, noise_images(2)).residual.abs().max()) < 1e-4


@pytest.mark.parametrize("change", ["average", "bend"])
def test_a_tower_without_an_exact_sum_is_not_opened(change: str) -> None:
    model = small_backbone(seed=3).model
    if change == "average":
        model.visual.trunk.global_pool = "avg"
    else:
        model.visual.head.add_module("bend", nn.GELU())
    assert open_tower(model) is None


def test_watching_leaves_no_hook_behind(model: nn.Module) -> None:
    decompose(model, pictures(model, 1))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def _permute_heads(qkv: nn.Linear, out: nn.Linear, order: Tensor) -> None:
    width = out.in_features
    rows = torch.arange(width).view(len(order), -1)[order].flatten()
    every = torch.cat([rows, rows + width, rows + 2 * width])
    for layer in (qkv, out):
        layer.weight = nn.Parameter(layer.weight.detach().clone(), requires_grad=False)
    qkv.weight.copy_(qkv.weight[every])
    if qkv.bias is not None:
        qkv.bias = nn.Parameter(qkv.bias.detach()[every].clone(), requires_grad=False)
    out.weight.copy_(out.weight[:, rows])
