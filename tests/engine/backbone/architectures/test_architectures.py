"""Which matrices are adapted."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from support.tiny_backbone import MATRICES, TRAINED_NUMBERS
from torch import nn

from clipsvd_app.engine.backbone.architectures import architecture_of, list_targets, tokens_per_image
from clipsvd_app.engine.backbone.plain_attention import use_plain_attention
from clipsvd_app.engine.device.torch_setup import import_open_clip
from clipsvd_app.errors import UserError


class Biomed(nn.Module):
    """BiomedCLIP's two towers, without memory."""

    def __init__(self) -> None:
        super().__init__()
        import_open_clip()
        from timm import create_model
        from transformers import BertConfig, BertModel

        self.visual, self.text = nn.Module(), nn.Module()
        self.visual.trunk = create_model("vit_base_patch16_224", num_classes=0)
        self.text.transformer = BertModel(BertConfig(), add_pooling_layer=False)


@pytest.fixture(scope="module")
def biomed() -> nn.Module:
    with torch.device("meta"):
        return Biomed()


@pytest.fixture(scope="module", params=["CLIP", "CustomTextCLIP"])
def clip(request) -> nn.Module:
    """CLIP ViT-B/16 as open_clip configures it, without memory."""
    open_clip = import_open_clip()
    with torch.device("meta"):
        model = getattr(open_clip, request.param)(**open_clip.get_model_config("ViT-B-16"))
        return use_plain_attention(model)


def rank(model: nn.Module, target) -> int:
    return min(target.block(model.get_submodule(target.module_path).weight).shape)


def test_biomedclip_has_144_matrices_and_110592_singular_values(biomed):
    targets = list_targets(biomed)
    assert len(targets) == 144
    assert sum(rank(biomed, target) for target in targets) == 110_592


def test_every_kind_of_matrix_occurs_once_in_every_layer_of_both_towers(biomed):
    counts = Counter((target.tower, target.layer, target.kind) for target in list_targets(biomed))
    assert set(counts.values()) == {1}
    assert {kind for _, _, kind in counts} == {"q", "k", "v", "o", "fc1", "fc2"}
    assert {layer for tower, layer, _ in counts if tower == "text"} == set(range(12))


def test_a_fused_qkv_is_three_blocks_of_rows_named_as_in_the_adapter_format(biomed):
    q, k, v = list_targets(biomed)[:3]
    assert [t.name for t in (q, k, v)] == [f"visual.trunk.blocks.0.attn.qkv.{part}" for part in "qkv"]
    assert [t.rows for t in (q, k, v)] == [slice(0, 768), slice(768, 1536), slice(1536, 2304)]


def test_the_tiny_backbone_is_listed_by_the_same_table(backbone, basis):
    assert len(list_targets(backbone.model)) == MATRICES
    assert basis.size == TRAINED_NUMBERS


def test_clip_vit_b_16_has_144_matrices_and_92160_singular_values(clip):
    targets = list_targets(clip)
    assert architecture_of(clip).name == "open-clip-vit+open-clip-text"
    assert len(targets) == 144
    assert sum(rank(clip, target) for target in targets) == 12 * 6 * 768 + 12 * 6 * 512 == 92_160
    assert {counted for _, counted in Counter((t.tower, t.layer, t.kind) for t in targets).items()} == {1}


def test_the_towers_of_both_libraries_are_told_apart_by_their_module(biomed, clip):
    assert type(biomed.visual.trunk).__name__ == type(clip.visual).__name__ == "VisionTransformer"
    assert architecture_of(biomed).name == "timm-vit+hf-bert"


def test_a_towers_tokens_are_its_patches_and_the_class_token(biomed, clip):
    assert tokens_per_image(biomed) == tokens_per_image(clip) == 14 * 14 + 1


def test_towers_are_paired_freely(biomed, clip):
    mixed = nn.Module()
    mixed.visual, mixed.text = clip.visual, biomed.text
    assert architecture_of(mixed).name == "open-clip-vit+hf-bert"
    assert sum(rank(mixed, target) for target in list_targets(mixed)) == 110_592


def test_a_known_tower_with_other_layers_is_refused_by_the_name_of_its_matrix():
    from timm import create_model

    model = nn.Module()
    with torch.device("meta"):
        model.visual, model.text = nn.Module(), Biomed().text
        model.visual.trunk = create_model("vit_giant_patch14_reg4_dinov2", num_classes=0, depth=1)
    model.visual.trunk.blocks[0].mlp.fc1 = nn.Identity()
    with pytest.raises(UserError, match=r"no plain matrix at “visual.trunk.blocks.0.mlp.fc1”"):
        list_targets(model)


def test_an_architecture_without_a_table_is_refused_by_name():
    model = nn.Module()
    model.visual, model.text = nn.Linear(2, 2), nn.Linear(2, 2)
    with pytest.raises(UserError, match="Linear image encoder") as refusal:
        architecture_of(model)
    assert refusal.value.message.count(".") == 1
