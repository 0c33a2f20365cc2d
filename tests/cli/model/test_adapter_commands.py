from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import torch
from support.golden_backbone import HEADED
from support.made_adapter import write_made_adapter
from support.made_classifier import write_made_classifiers
from support.small_clip import no_report
from support.tiny_backbone import write_tiny_backbone

from clipsvd_app.cli import main
from clipsvd_app.engine.backbone.backbone import embed_images, load_backbone
from clipsvd_app.engine.sigma.basis import load_basis
from clipsvd_app.services.adapters import conversion


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A backbone folder and an adapter for it."""
    room = tmp_path_factory.mktemp("tiny")
    backbone = load_backbone(write_tiny_backbone(room / "backbone"))
    write_made_adapter(room / "disc.sigma.safetensors", backbone, load_basis(backbone, no_report))
    return room / "backbone", room / "disc.sigma.safetensors"


@pytest.fixture(scope="module")
def classifier(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("room") / "made"
    backbone = load_backbone(tiny[0])
    with torch.no_grad():
        size = backbone.preprocessing.size
        width = embed_images(backbone.model, torch.zeros((1, 3, size, size))).shape[1]
    write_made_classifiers(folder, backbone, width)
    return folder / "gda.classifier.safetensors"


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def document(capsys, action: str, tiny, *arguments: object) -> dict:
    folder, file = tiny
    code, out, _ = run(capsys, "adapter", action, file, "--backbone", folder, *arguments, "--json", "--quiet")
    assert code == 0
    return json.loads(out)


def test_verify_states_the_largest_deviations_and_what_is_allowed(capsys, tiny):
    verified = document(capsys, "verify", tiny)
    assert verified["passed"]
    assert verified["allowed_deviation"] == {"base spectra": 1e-5, "probes": 1e-5, "canaries": 0.02}
    for name, found in verified["largest_deviation"].items():
        assert 0 <= found <= verified["allowed_deviation"][name]


def test_verify_shows_them_to_people_too(capsys, tiny):
    _, out, _ = run(capsys, "adapter", "verify", tiny[1], "--backbone", tiny[0], "--quiet")
    assert "Largest deviations" in out
    assert "canaries" in out
    assert "All checks passed." in out


def test_a_classifier_on_frozen_features_is_shown_and_verified_like_an_adapter(capsys, tiny, classifier):
    verified = document(capsys, "verify", (tiny[0], classifier))
    assert verified["passed"]
    assert set(verified["largest_deviation"]) == {"canaries"}
    _, out, _ = run(capsys, "adapter", "show", classifier)
    assert "FROZEN CLASSIFIER" in out
    code, _, err = run(capsys, "adapter", "merge", classifier, "--backbone", tiny[0], "--out", "never")
    assert (code, "is a frozen classifier" in err) == (1, True)


def test_an_adapter_with_a_class_head_is_shown_with_it(capsys):
    code, out, _ = run(capsys, "adapter", "show", HEADED)
    assert code == 0
    assert "Class head: 66 numbers beside the model" in out
    _, out, _ = run(capsys, "adapter", "show", HEADED, "--json", "--quiet")
    shown = json.loads(out)
    assert shown["document"]["format"] == 2
    assert shown["document"]["head"] == {"start": "linear_probe"}
    assert shown["trained_numbers"] == 2880 + 66


def test_merge_says_where_the_folder_is_and_how_far_its_logits_are(capsys, tiny, tmp_path):
    made = document(capsys, "merge", tiny, "--out", tmp_path / "merged")
    assert made["largest_logit_difference"] < 1e-4
    assert made["bytes"] == sum(file.stat().st_size for file in (tmp_path / "merged").iterdir())
    assert "create_model_from_pretrained" in made["usage"]


def test_to_lora_states_energy_ranks_and_sizes(capsys, tiny, tmp_path):
    made = document(capsys, "to-lora", tiny, "--out", tmp_path / "lora", "--energy", "0.9")
    assert made["energy"] == 0.9
    assert made["ranks"]["visual.trunk.blocks.0.attn.qkv"] > 3
    assert set(made["files"]) >= {"adapter_config.json", "adapter_model.safetensors"}


@pytest.mark.parametrize("energy", ["0", "1.5", "-1", "nan"])
def test_a_share_that_is_none_is_refused(capsys, tiny, tmp_path, energy):
    code, _, err = run(
        capsys,
        "adapter",
        "to-lora",
        tiny[1],
        "--backbone",
        tiny[0],
        "--out",
        tmp_path / "x",
        "--energy",
        energy,
    )
    assert code == 1
    assert "cannot be kept" in err


@pytest.mark.parametrize("action", ["merge", "to-lora", "to-onnx"])
def test_what_exists_is_not_written_over(capsys, tiny, tmp_path, action):
    (tmp_path / "mine.onnx").write_text("mine")
    arguments = ("adapter", action, tiny[1], "--backbone", tiny[0], "--out", tmp_path / "mine.onnx")
    code, _, err = run(capsys, *arguments)
    assert code == 1
    assert "already exists" in err
    assert (tmp_path / "mine.onnx").read_text() == "mine"


def test_without_the_extra_onnx_is_one_sentence(capsys, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(conversion, "ONNX_NEEDS", ("no_such_package",))
    code, _, err = run(capsys, "adapter", "to-onnx", tiny[1], "--backbone", tiny[0], "--out", tmp_path / "a")
    assert code == 1
    assert "pip install clipsvd-studio[onnx]" in err


@pytest.mark.parametrize("action", ["verify", "merge", "to-lora", "to-onnx"])
def test_what_a_file_alone_can_tell_is_told_before_torch_is_loaded(tiny, tmp_path, action):
    junk = tmp_path / "junk.sigma.safetensors"
    junk.write_text("junk")
    script = (
        "import sys\n"
        "from clipsvd_app.cli import main\n"
        "codes = [main([*arguments.split('|')]) for arguments in sys.argv[1:]]\n"
        "assert codes == [1] * len(codes), codes\n"
        "assert 'torch' not in sys.modules\n"
    )
    out = [] if action == "verify" else ["--out", str(tmp_path / "out")]
    wrong_file = ["adapter", action, str(junk), *out]
    wrong_base = ["adapter", action, str(tiny[1]), "--backbone", "demo", *out]
    no_base = ["adapter", action, str(tiny[1]), *out]
    done = subprocess.run(
        [sys.executable, "-c", script, *map("|".join, (wrong_file, wrong_base, no_base))],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    assert "belongs to" in lines[1]
