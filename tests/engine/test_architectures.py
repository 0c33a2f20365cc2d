"""Which matrices are adapted."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from support.tiny_backbone import MATRICES, TRAINED_NUMBERS
from torch import nn

from clipsvd_app.engine.architectures import architecture_of, list_targets
from clipsvd_app.engine.torch_setup import import_open_clip
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


def test_an_architecture_without_a_table_is_refused_by_name():
    model = nn.Module()
    model.visual, model.text = nn.Linear(2, 2), nn.Linear(2, 2)
    with pytest.raises(UserError, match="Linear image tower"):
        architecture_of(model)
