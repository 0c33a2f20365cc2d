"""Explanations of a model of BiomedCLIP's true size, with random weights."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from support.small_clip import moved_sigmas, no_report

from clipsvd_app.corpus import load_corpus
from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.engine.backbone.backbone import load_backbone
from clipsvd_app.engine.backbone.random_weights import random_backbone_folder
from clipsvd_app.engine.explain import case
from clipsvd_app.engine.explain.case import explain_case
from clipsvd_app.engine.explain.model.heads import ov_changes
from clipsvd_app.engine.sigma.adapted import AdaptedModel
from clipsvd_app.engine.sigma.basis import load_basis

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
TERMS = 1 + 2 * 12 + 12 * 12


@pytest.fixture(scope="module")
def adapted() -> AdaptedModel:
    backbone = load_backbone(random_backbone_folder("biomedclip"))
    basis = load_basis(backbone, no_report)
    classes = (class_from_name("nodule"), class_from_name("effusion"))
    return AdaptedModel(backbone, basis, moved_sigmas(basis, 0.02), classes)


def test_a_case_adds_up(adapted: AdaptedModel, monkeypatch) -> None:
    whole = load_corpus()
    monkeypatch.setattr(case, "load_corpus", lambda: replace(whole, phrases=whole.phrases[::10]))
    image = torch.randn((3, 224, 224), generator=torch.Generator().manual_seed(0))
    found = explain_case(adapted, image, 1, no_report)
    assert len(found.decomposition) >= TERMS
    assert abs(found.residual) < 1e-4
    assert found.attribution is not None
    assert abs(found.attribution.residual) < 1e-3
    assert (len(found.maps[0].grid), len(found.maps[0].grid[0])) == (14, 14)


def test_the_change_of_every_head_is_known(adapted: AdaptedModel) -> None:
    assert len(ov_changes(adapted)) == 2 * 12 * 12
