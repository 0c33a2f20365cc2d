"""Exports of an adapter for open_clip's own CLIP, whose attention is one module there."""

from __future__ import annotations

import pytest
from support.made_adapter import write_made_adapter
from support.small_clip import no_report
from support.tiny_clip import write_tiny_clip

from clipsvd_app.engine.backbone.backbone import load_backbone
from clipsvd_app.engine.data.features import FeatureStore
from clipsvd_app.engine.jobs.convert import run_convert
from clipsvd_app.engine.sigma.warm import WarmBackbone
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.requests import BackboneRef, ConvertRequest


@pytest.fixture(scope="module", params=[False, True], ids=["clip", "custom_text"])
def convert_own(request, tmp_path_factory):
    room = tmp_path_factory.mktemp("own")
    backbone = load_backbone(write_tiny_clip(room / "clip", custom_text=request.param))
    warm = WarmBackbone(backbone, FeatureStore(backbone))
    write_made_adapter(room / "a.sigma.safetensors", backbone, warm.basis(no_report))

    def run(form, out):
        reference = BackboneRef("clip", str(backbone.folder), backbone.sha256)
        adapter = str(room / "a.sigma.safetensors")
        return run_convert(ConvertRequest(reference, adapter, form, str(out)), warm, no_report)

    return run


def test_the_merged_folder_loads_in_plain_open_clip_without_further_arguments(convert_own, tmp_path):
    result = convert_own("open_clip", tmp_path / "merged")
    assert result.logit_difference < 1e-4
    assert 'create_model_from_pretrained("local-dir:.")' in result.usage


def test_the_onnx_file_agrees(convert_own, tmp_path):
    assert convert_own("onnx", tmp_path / "a.onnx").logit_difference < 1e-3


def test_a_lora_of_fused_attention_parameters_is_refused_in_one_sentence(convert_own, tmp_path):
    with pytest.raises(UserError, match="single open_clip module"):
        convert_own("lora", tmp_path / "lora")
    assert list(tmp_path.iterdir()) == []
