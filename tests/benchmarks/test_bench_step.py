"""The benchmark of one training step: what each form trains, and the record that it gives."""

from __future__ import annotations

import pytest
import torch

from benchmarks.step import StepBench, step_records
from benchmarks.step_forms import FORMS, StepSettings, step_form
from clipsvd_app.jobs.requests import BackboneRef

SETTINGS = StepSettings(batch=4, classes=2, dtype=torch.float32)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_takes_a_step_and_leaves_the_backbone_as_it_was(backbone, basis, form):
    before = {name: tensor.clone() for name, tensor in backbone.model.state_dict().items()}
    built = step_form(form, backbone, None if form == "frozen" else basis, SETTINGS)
    built.step()
    built.step()
    assert all(torch.equal(tensor, before[name]) for name, tensor in backbone.model.state_dict().items())
    assert not any(module._forward_pre_hooks for module in backbone.model.modules())


def test_the_bound_trains_nothing_the_quick_form_a_part_and_the_others_all(backbone, basis):
    trained = {form: step_form(form, backbone, basis, SETTINGS).trainable_parameters for form in FORMS}
    assert trained["frozen"] == 0
    assert 0 < trained["ours_quick"] < trained["ours"]
    assert trained["ours"] == trained["reference"] == basis.size


def test_the_reference_is_in_fp32_whatever_the_others_are_in():
    half = StepSettings(4, 2, torch.bfloat16)
    assert {form: half.dtype_of(form) for form in FORMS} == {
        "frozen": torch.bfloat16,
        "reference": torch.float32,
        "ours": torch.bfloat16,
        "ours_quick": torch.bfloat16,
    }


@pytest.mark.slow
def test_every_form_gives_one_record_of_a_process_of_its_own(tiny_folder):
    bench = StepBench(BackboneRef("tiny", str(tiny_folder)), batch=4, classes=2, device="cpu", steps=3)
    records = step_records(bench, lambda *_: None)
    assert [record["form"] for record in records] == list(FORMS)
    for record in records:
        assert (record["backbone"], record["batch"], record["classes"]) == ("tiny", 4, 2)
        assert (record["dtype"], record["steps"]) == ("fp32", 3)
        assert 0 < record["fastest_step_s"] <= record["median_step_s"] <= record["slowest_step_s"]
        assert record["peak_memory_mb"] > 50
