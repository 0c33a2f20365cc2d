"""Loading a backbone folder, and what is refused instead of loaded silently wrong."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file
from support.tiny_backbone import IMAGE_SIZE

from clipsvd_app.engine.backbone.backbone import embed_images, embed_texts, load_backbone
from clipsvd_app.errors import UserError


@pytest.fixture
def copied(tiny_folder, tmp_path):
    return shutil.copytree(tiny_folder, tmp_path / "copied")


def change(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_loaded_backbone_is_frozen_in_fp32_at_its_own_size(backbone):
    parameters = list(backbone.model.parameters())
    assert not backbone.model.training
    assert not any(parameter.requires_grad for parameter in parameters)
    assert {parameter.dtype for parameter in parameters} == {torch.float32}
    assert backbone.preprocessing.size == IMAGE_SIZE


def test_padding_to_the_longest_prompt_gives_what_full_padding_gives(backbone):
    texts = ["a bright disc", "this image shows a dark disc in the scan"]
    short = backbone.tokenize(texts)
    full = torch.nn.functional.pad(short, (0, backbone.tokenizer.context_length - short.shape[1]))
    assert short.shape[1] < full.shape[1]
    with torch.no_grad():
        one, other = embed_texts(backbone.model, short), embed_texts(backbone.model, full)
    torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


def test_embeddings_are_unit_vectors(backbone):
    with torch.no_grad():
        rows = embed_images(backbone.model, torch.rand(3, 3, IMAGE_SIZE, IMAGE_SIZE))
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(3))


def test_a_bin_and_a_safetensors_of_equal_weights_have_one_hash(copied, backbone):
    weights = copied / "open_clip_model.safetensors"
    torch.save(load_file(weights), copied / "open_clip_pytorch_model.bin")
    weights.unlink()
    assert load_backbone(copied).sha256 == backbone.sha256


def test_the_spelling_of_the_2023_hub_configuration_loads(copied, backbone):
    stored = json.loads((copied / "open_clip_config.json").read_text())
    text = stored["model_cfg"]["text_cfg"]
    text["proj"], text["pooler_type"] = text.pop("hf_proj_type"), text.pop("hf_pooler_type")
    (copied / "open_clip_config.json").write_text(json.dumps(stored))
    assert load_backbone(copied).parameters == backbone.parameters


@pytest.mark.parametrize(
    ("lost", "code"),
    [
        ("vocab.txt", "backbone_tokenizer"),
        ("config.json", "backbone_config"),
        ("open_clip_config.json", "backbone_config"),
        ("open_clip_model.safetensors", "backbone_weights"),
    ],
)
def test_a_folder_that_lacks_a_file_is_refused_with_a_remedy(copied, lost, code):
    (copied / lost).unlink()
    with pytest.raises(UserError) as refusal:
        load_backbone(copied)
    assert refusal.value.code == code
    assert refusal.value.remedy


def test_a_vocabulary_larger_than_the_text_tower_is_refused(copied):
    with (copied / "vocab.txt").open("a") as stream:
        stream.write("surplus\n")
    with pytest.raises(UserError, match="larger than its text encoder"):
        load_backbone(copied)


def test_a_vocabulary_that_knows_no_word_is_refused(copied):
    pieces = (copied / "vocab.txt").read_text().split()
    foreign = [
        piece if piece.startswith("[") and len(piece) > 1 else f"\u4e00{place}"
        for place, piece in enumerate(pieces)
    ]
    (copied / "vocab.txt").write_text("\n".join(foreign), encoding="utf-8")
    with pytest.raises(UserError, match="English words"):
        load_backbone(copied)


@pytest.mark.parametrize(
    "preprocessing", [{}, {"mean": [0.5], "std": [1, 1, 1]}, {"mean": [0, 0, 0], "std": [1, 1, 0]}]
)
def test_an_unusable_preprocessing_is_refused(copied, preprocessing):
    change(copied / "open_clip_config.json", preprocess_cfg=preprocessing)
    with pytest.raises(UserError, match="mean and std"):
        load_backbone(copied)


def edit(path, place, **changes):
    stored = json.loads(path.read_text())
    (stored["model_cfg"][place] if place else stored).update(changes)
    path.write_text(json.dumps(stored))


@pytest.mark.parametrize(
    ("file", "place", "changes"),
    [
        ("open_clip_config.json", "vision_cfg", {"timm_model_name": "hf-hub:org/model"}),
        ("open_clip_config.json", "vision_cfg", {"timm_model_name": "nothing_of_the_kind"}),
        ("open_clip_config.json", "vision_cfg", {"timm_model_name": 3}),
        ("open_clip_config.json", "vision_cfg", {"image_size": -4}),
        ("open_clip_config.json", "vision_cfg", {"image_size": 10**9}),
        ("open_clip_config.json", "text_cfg", {"context_length": "long"}),
        ("open_clip_config.json", "text_cfg", {"hf_pooler_type": "nothing_of_the_kind"}),
        ("open_clip_config.json", "text_cfg", {"unheard_of": 1}),
        ("config.json", "", {"model_type": "own", "auto_map": {"AutoConfig": "code.Config"}}),
        ("config.json", "", {"num_attention_heads": 0}),
        ("config.json", "", {"num_attention_heads": 7}),
        ("config.json", "", {"hidden_act": "nothing_of_the_kind"}),
        ("config.json", "", {"layer_norm_eps": "small"}),
        ("config.json", "", {"pad_token_id": "x"}),
        ("config.json", "", {"pad_token_id": 3}),
        ("tokenizer_config.json", "", {"tokenizer_class": "LlamaTokenizer"}),
        (
            "tokenizer_config.json",
            "",
            {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["code.Own", None]}},
        ),
    ],
    ids=str,
)
def test_a_configuration_that_would_load_something_else_is_refused(copied, file, place, changes, capfd):
    edit(copied / file, place, **changes)
    with pytest.raises(UserError):
        load_backbone(copied)
    assert "custom code" not in capfd.readouterr().out, "nobody is asked to run code"


DAMAGED = [
    (file, content)
    for file in ("vocab.txt", "tokenizer.json", "tokenizer_config.json", "config.json")
    for content in (b"not json", b"[]", b"{}", bytes(range(256)))
    if (file, content) != ("tokenizer_config.json", b"{}")  # which says nothing wrong
]


@pytest.mark.parametrize(("file", "content"), DAMAGED)
def test_a_damaged_small_file_is_refused(copied, file, content):
    (copied / file).write_bytes(content)
    with pytest.raises(UserError):
        load_backbone(copied)


def test_weights_of_another_shape_are_refused(copied):
    change(copied / "config.json", intermediate_size=64)
    with pytest.raises(UserError, match="do not fit its configuration"):
        load_backbone(copied)
