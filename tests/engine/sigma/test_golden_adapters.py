"""The golden adapters of each format open, and prove themselves on their frozen backbone, for ever."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch
from support.golden_backbone import (
    ADAPTER,
    CARD,
    FROZEN,
    HEADED,
    HEADED_CARD,
    SHA256,
    write_golden_backbone,
)
from support.small_clip import no_report

from clipsvd_app.adapter_file import card_text, read_adapter
from clipsvd_app.adapter_file.writer import adapter_bytes
from clipsvd_app.domain.records import to_json
from clipsvd_app.engine.backbone.backbone import load_backbone
from clipsvd_app.engine.jobs.verify import run_verify
from clipsvd_app.engine.sigma.adapter import load_adapter
from clipsvd_app.engine.sigma.basis import load_basis
from clipsvd_app.engine.sigma.canaries import canary_input
from clipsvd_app.jobs.requests import BackboneRef, VerifyRequest

FILE_SHA256 = "dbb03c0c2ca0281a261a209fb1c5f9398ea3696b68c0a4b5e7c791a849930cde"
HEADED_SHA256 = "c02021eebac0894322d8338cfe0a27c2bbcbba5dd09168577d0d61c173d9821f"
BOTH = pytest.mark.parametrize("golden", [ADAPTER, HEADED], ids=["format 1", "format 2"])


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    return load_backbone(write_golden_backbone(tmp_path_factory.mktemp("golden") / "backbone"))


@pytest.fixture(scope="module")
def basis(backbone):
    return load_basis(backbone, no_report)


def test_neither_the_files_nor_their_backbone_ever_change(backbone):
    assert hashlib.sha256(ADAPTER.read_bytes()).hexdigest() == FILE_SHA256
    assert hashlib.sha256(HEADED.read_bytes()).hexdigest() == HEADED_SHA256
    assert backbone.sha256 == SHA256
    assert sum(file.stat().st_size for file in FROZEN.iterdir()) < 300_000


@BOTH
def test_every_probe_and_canary_of_the_golden_files_is_reproduced(backbone, basis, golden):
    request = VerifyRequest(BackboneRef("golden", str(backbone.folder)), str(golden))
    checks = {check.name: check for check in run_verify(request, backbone, no_report, basis).checks}
    assert list(checks) == [
        "file",
        "base",
        "input",
        "matrices",
        "base spectra",
        "probes",
        "prompts",
        *(["class head"] if golden == HEADED else []),
        "canaries",
    ]
    assert all(check.passed for check in checks.values())
    assert checks["probes"].deviation < 1e-6
    assert checks["canaries"].deviation < 1e-3


def test_the_canaries_of_the_golden_file_tell_the_adapter_from_its_base(backbone, basis):
    adapted = load_adapter(ADAPTER, backbone, basis).adapted
    images = torch.stack([canary_input(seed, backbone.preprocessing) for seed in (1, 2, 3)])
    with torch.no_grad():
        base = adapted.base.logits(images)
        assert float((adapted.logits(images) - base).abs().max()) > 10 * 0.02


def test_the_canaries_of_the_golden_head_tell_it_from_the_same_adapter_without(backbone, basis):
    headed, plain = (load_adapter(file, backbone, basis).adapted for file in (HEADED, ADAPTER))
    assert all((headed.sigmas[name] == sigma).all() for name, sigma in plain.sigmas.items())
    images = torch.stack([canary_input(seed, backbone.preprocessing) for seed in (1, 2, 3)])
    with torch.no_grad():
        assert float((headed.logits(images) - plain.logits(images)).abs().max()) > 10 * 0.02


def test_the_golden_cards_are_known_byte_for_byte():
    assert card_text(read_adapter(ADAPTER)).encode() == CARD.read_bytes()
    assert card_text(read_adapter(HEADED)).encode() == HEADED_CARD.read_bytes()


@BOTH
def test_the_golden_files_are_written_again_byte_for_byte(golden):
    assert adapter_bytes(read_adapter(golden)) == golden.read_bytes()


def test_the_documented_example_is_the_golden_document(repository):
    example = json.loads((repository / "docs" / "sigma-adapter-example.json").read_text(encoding="utf-8"))
    assert example == to_json(read_adapter(ADAPTER).document)


def test_the_golden_classifier_on_frozen_features_fits_its_backbone(backbone):
    golden = ADAPTER.with_name("format1.classifier.safetensors")
    request = VerifyRequest(BackboneRef("golden", str(backbone.folder)), str(golden))
    checks = {check.name: check for check in run_verify(request, backbone, no_report).checks}
    assert list(checks) == ["file", "base", "input", "layer", "prompts", "canaries"]
    assert all(check.passed for check in checks.values())
    assert checks["canaries"].deviation < 1e-3
