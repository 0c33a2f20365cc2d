"""The random backbones: the true sizes, without files from elsewhere."""

from __future__ import annotations

import json

import pytest
import torch
from transformers import AutoTokenizer

from clipsvd_app.engine.backbone import random_weights
from clipsvd_app.engine.backbone.architectures import list_targets
from clipsvd_app.engine.backbone.backbone import build_model
from clipsvd_app.engine.backbone.folder import read_folder
from clipsvd_app.engine.backbone.plain_attention import use_plain_attention
from clipsvd_app.engine.backbone.random_weights import make_random, random_backbone_folder, vocabulary


@pytest.fixture
def weightless(monkeypatch) -> None:
    """Write folders without their 784 MB."""
    monkeypatch.setattr(random_weights, "_write_weights", lambda checked: checked.weights.touch())


@pytest.mark.parametrize(
    ("kind", "parameters", "values"),
    [("biomedclip", 195_902_721, 110_592), ("ViT-B-16", 149_620_737, 92_160)],
)
def test_a_random_backbone_has_the_true_sizes(tmp_path, weightless, kind, parameters, values) -> None:
    checked = read_folder(make_random(kind, tmp_path / "random"))
    with torch.device("meta"):
        model = use_plain_attention(build_model(checked))
    assert sum(weight.numel() for weight in model.parameters()) == parameters
    targets = list_targets(model)
    ranks = [min(target.block(model.get_submodule(target.module_path).weight).shape) for target in targets]
    assert (len(ranks), sum(ranks)) == (144, values)


def test_the_generated_vocabulary_spells_ordinary_words(tmp_path, weightless) -> None:
    folder = make_random("biomedclip", tmp_path / "random")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    assert len(tokenizer) == len(set(vocabulary())) == 28_895
    assert vocabulary()[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    ids = tokenizer("An image (CT, 3 mm) showing hepatocellular carcinoma; no-contrast!")["input_ids"]
    assert tokenizer.unk_token_id not in ids
    assert json.loads((folder / "config.json").read_text())["vocab_size"] == 30_522


def test_a_random_backbone_is_made_once(weightless) -> None:
    folder = random_backbone_folder("ViT-B-16")
    (folder / "mark").touch()
    assert random_backbone_folder("ViT-B-16") == folder
    assert (folder / "mark").exists()
