from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from support.made_adapter import write_made_adapter
from support.small_clip import moved_sigmas

from clipsvd_app.engine.backbone.backbone import load_backbone
from clipsvd_app.engine.exports.lora import kept_directions
from clipsvd_app.engine.exports.parity import logit_difference
from clipsvd_app.engine.sigma.adapted import AdaptedModel
from clipsvd_app.engine.sigma.layers import weight_delta
from clipsvd_app.errors import UserError


def through_peft(folder, tiny_folder):
    """The plain open_clip model with the LoRA, as peft makes it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from peft import PeftModel

        plain = load_backbone(tiny_folder)
        return PeftModel.from_pretrained(plain.model, str(folder)).eval()


@pytest.fixture(scope="module")
def half(convert, tmp_path_factory):
    out = tmp_path_factory.mktemp("exports") / "lora"
    return out, convert("lora", out, energy=0.5)


def test_all_of_the_change_through_peft_is_the_adapter(convert, loaded, tiny_folder, tmp_path):
    result = convert("lora", tmp_path / "lora", energy=1.0)
    assert logit_difference(loaded.adapted, through_peft(tmp_path / "lora", tiny_folder)) < 1e-4
    assert result.logit_difference < 1e-4


def test_the_stated_logit_error_is_what_peft_gives(half, loaded, tiny_folder):
    folder, result = half
    assert result.logit_difference > 1e-3
    found = logit_difference(loaded.adapted, through_peft(folder, tiny_folder))
    assert found == pytest.approx(result.logit_difference, abs=1e-4)


def test_the_class_head_lies_beside_the_lora(convert, headed, headed_file, tiny_folder, tmp_path):
    result = convert("lora", tmp_path / "lora", energy=1.0, adapter=headed_file)
    assert result.logit_difference < 1e-4
    assert logit_difference(headed.adapted, through_peft(tmp_path / "lora", tiny_folder)) < 1e-4
    head = load_file(tmp_path / "lora" / "class_head.safetensors")
    np.testing.assert_array_equal(head["offsets"].numpy(), headed.adapted.head.offsets)
    np.testing.assert_array_equal(head["bias"].numpy(), headed.adapted.head.bias)
    assert "image @ (classes + offsets).T + bias" in (tmp_path / "lora" / "README.md").read_text()


def test_peft_scales_every_module_by_exactly_one(half, tiny_folder):
    layers = [module for module in through_peft(half[0], tiny_folder).modules() if hasattr(module, "lora_A")]
    assert {layer.scaling["default"] for layer in layers} == {1.0}
    assert {layer.lora_A["default"].weight.shape[0] for layer in layers} == set(half[1].ranks.values())


def test_half_of_the_energy_is_the_best_approximation_of_its_rank(half, loaded, basis):
    tensors, adapted = load_file(half[0] / "adapter_model.safetensors"), loaded.adapted
    target = next(target for target in basis.targets if target.kind == "fc1")
    matrix = basis.matrices[target.name]
    delta = weight_delta(matrix, torch.from_numpy(adapted.sigmas[target.name]))
    stem = f"base_model.model.{target.module_path}"
    product = tensors[f"{stem}.lora_B.weight"] @ tensors[f"{stem}.lora_A.weight"]
    rank = half[1].ranks[target.module_path]
    values = torch.linalg.svdvals(delta)
    assert torch.linalg.norm(delta - product) == pytest.approx(float(values[rank:].norm()), rel=1e-4)
    assert values[:rank].square().sum() >= 0.5 * values.square().sum() > values[: rank - 1].square().sum()


def test_a_fused_layer_is_one_module_of_blocks(half, basis):
    tensors = load_file(half[0] / "adapter_model.safetensors")
    up = tensors["base_model.model.visual.trunk.blocks.0.attn.qkv.lora_B.weight"]
    parts = [target for target in basis.targets if target.module_path == "visual.trunk.blocks.0.attn.qkv"]
    filled = torch.stack([target.block(up).abs().sum(dim=0) > 0 for target in parts])
    assert torch.equal(filled.sum(dim=0), torch.ones(up.shape[1], dtype=torch.int64))


def test_matrices_without_change_are_left_out(convert, backbone, basis, tmp_path):
    sigmas = basis.sigma_base()
    name = "text.transformer.encoder.layer.1.output.dense"
    sigmas[name] = moved_sigmas(basis)[name]
    write_made_adapter(tmp_path / "a.sigma.safetensors", backbone, basis, sigmas)
    result = convert("lora", tmp_path / "lora", adapter=tmp_path / "a.sigma.safetensors")
    assert set(result.ranks) == {name}
    config = json.loads((tmp_path / "lora" / "adapter_config.json").read_text())
    assert config["rank_pattern"] == config["alpha_pattern"] == result.ranks


def test_an_adapter_that_changes_nothing_has_no_lora(convert, backbone, basis, tmp_path):
    write_made_adapter(tmp_path / "a.sigma.safetensors", backbone, basis, basis.sigma_base())
    with pytest.raises(UserError, match="changes no matrix"):
        convert("lora", tmp_path / "lora", adapter=tmp_path / "a.sigma.safetensors")
    assert not (tmp_path / "lora").exists()


@pytest.mark.parametrize(("energy", "kept"), [(0.5, 1), (0.8, 2), (0.999, 3), (1.0, 3)])
def test_the_fewest_directions_that_hold_the_energy_are_kept(backbone, basis, energy, kept):
    name = basis.targets[0].name
    sigmas = basis.sigma_base()
    sigmas[name][[2, 5, 7]] += np.array([0.2, 0.4, 0.3], np.float32)
    adapted = AdaptedModel(backbone, basis, sigmas, ())
    directions = kept_directions(adapted, energy)
    assert list(directions[name]) == sorted([5, 7, 2][:kept])
    assert sum(map(len, directions.values())) == kept
