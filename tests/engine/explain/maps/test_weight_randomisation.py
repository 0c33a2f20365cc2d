"""A map has to come from what the model learnt: that of shuffled weights must not pass in its place."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from support.small_clip import no_report

from benchmarks.explanations import adapt_planted, draw_planted, planted_inputs
from clipsvd_app.engine.backbone.backbone import load_backbone
from clipsvd_app.engine.data.features import FeatureStore
from clipsvd_app.engine.explain.maps.deletion import margin_score, prepare_deletion
from clipsvd_app.engine.explain.maps.inner_maps import patch_grid
from clipsvd_app.engine.explain.model.decomposition import decompose_logits
from clipsvd_app.engine.explain.model.image_tower import open_tower
from clipsvd_app.engine.sigma.warm import WarmBackbone
from clipsvd_app.resources import resource_path

if TYPE_CHECKING:
    from clipsvd_app.engine.sigma.adapted import AdaptedModel

CASES = 4


def heads_map(adapted: AdaptedModel, image: torch.Tensor, answer: int) -> torch.Tensor:
    """What each patch adds to the margin of ``answer`` over the other class."""
    view = open_tower(adapted.model)
    assert view is not None
    classes, scale = adapted.class_embeddings(), adapted.backbone.logit_scale
    with torch.no_grad():
        found = decompose_logits(adapted.model, view, image[None], classes, scale)
    grids = patch_grid(view, found.tokens[0])
    return grids[answer] - grids[1 - answer]


def shuffled(model: torch.nn.Module) -> torch.nn.Module:
    """A copy in which every tensor has its own values in another order."""
    generator, other = torch.Generator().manual_seed(0), copy.deepcopy(model)
    with torch.no_grad():
        for weight in other.parameters():
            order = torch.randperm(weight.numel(), generator=generator)
            weight.copy_(weight.flatten()[order].view_as(weight))
    return other


@pytest.mark.slow
def test_a_planted_mass_is_found_by_the_model_and_not_by_its_shuffled_weights(monkeypatch) -> None:
    generator = np.random.default_rng(3)
    backbone = load_backbone(resource_path("backbones", "demo"))
    warm = WarmBackbone(backbone, FeatureStore(backbone))
    adapted = adapt_planted(warm, draw_planted(generator, "density", 24), 0, no_report)
    images = planted_inputs(warm, draw_planted(generator, "density", CASES))
    answers = adapted.probabilities(images).argmax(dim=1).tolist()
    adapted.class_embeddings()
    deletions = []
    for image, answer in zip(images, answers, strict=True):
        score = margin_score(adapted, answer, 1 - answer)
        deletions.append(prepare_deletion(score, image, (8, 8), no_report))
    cases = list(zip(deletions, images, answers, strict=True))
    own = [one.judge("heads", heads_map(adapted, image, answer), no_report) for one, image, answer in cases]
    other, before = shuffled(adapted.model), adapted.model
    monkeypatch.setattr(adapted, "model", other)
    grids = [heads_map(adapted, image, answer) for image, answer in zip(images, answers, strict=True)]
    monkeypatch.setattr(adapted, "model", before)
    lost = [one.judge("heads", grid, no_report) for one, grid in zip(deletions, grids, strict=True)]
    assert sum(found.passed for found in own) >= CASES - 1
    assert all(
        found.deletion.area < min(rival.area for rival in found.random) for found in own if found.passed
    )
    assert sum(found.passed for found in lost) <= 1
