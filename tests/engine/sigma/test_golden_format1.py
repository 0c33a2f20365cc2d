"""The golden adapter of format 1 opens, and proves itself on its frozen backbone, for ever."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch
from support.golden_backbone import ADAPTER, CARD, FROZEN, SHA256, write_golden_backbone
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


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    return load_backbone(write_golden_backbone(tmp_path_factory.mktemp("golden") / "backbone"))


@pytest.fixture(scope="module")
def basis(backbone):
    return load_basis(backbone, no_report)


def test_neither_the_file_nor_its_backbone_ever_changes(backbone):
    assert hashlib.sha256(ADAPTER.read_bytes()).hexdigest() == FILE_SHA256
    assert backbone.sha256 == SHA256
    assert sum(file.stat().st_size for file in FROZEN.iterdir()) < 300_000


def test_every_probe_and_canary_of_the_golden_file_is_reproduced(backbone, basis):
    request = VerifyRequest(BackboneRef("golden", str(backbone.folder)), str(ADAPTER))
    checks = {check.name: check for check in run_verify(request, backbone, no_report, basis).checks}
    assert list(checks) == [
        "file",
        "base",
        "input",
        "matrices",
        "base spectra",
        "probes",
        "prompts",
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


def test_the_golden_card_is_known_byte_for_byte():
    assert card_text(read_adapter(ADAPTER)).encode() == CARD.read_bytes()


def test_the_golden_file_is_written_again_byte_for_byte():
    assert adapter_bytes(read_adapter(ADAPTER)) == ADAPTER.read_bytes()


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
