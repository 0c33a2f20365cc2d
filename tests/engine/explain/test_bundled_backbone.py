"""All six analyses on the model that travels with the program, and the limits that they keep to."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.small_clip import moved_sigmas, no_report

from clipsvd_app.corpus import load_corpus
from clipsvd_app.demo_studies.lesion import PLANTED_AXES, render_lesion
from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.words.run_changes import run_statements
from clipsvd_app.engine.backbone.backbone import load_backbone
from clipsvd_app.engine.data.images import model_square, normalise
from clipsvd_app.engine.explain.case import explain_case
from clipsvd_app.engine.explain.model.embedded_corpus import embed_corpus, likely_modalities
from clipsvd_app.engine.explain.model.image_tower import open_tower
from clipsvd_app.engine.explain.model.text_span import gather_heads, read_heads
from clipsvd_app.engine.explain.run import explain_run
from clipsvd_app.engine.sigma.adapted import AdaptedModel
from clipsvd_app.engine.sigma.basis import load_basis
from clipsvd_app.resources import resource_path

IMAGES = 64


@pytest.fixture(scope="module")
def adapted() -> AdaptedModel:
    backbone = load_backbone(resource_path("backbones", "demo"))
    basis = load_basis(backbone, no_report)
    classes = (class_from_name("round mass"), class_from_name("ragged mass"))
    return AdaptedModel(backbone, basis, moved_sigmas(basis, 0.03), classes)


@pytest.fixture(scope="module")
def images(adapted: AdaptedModel) -> torch.Tensor:
    generator = np.random.default_rng(0)
    preprocessing = adapted.backbone.preprocessing
    drawn = [render_lesion(generator, "margin", planted=place % 2 == 1, size=160) for place in range(IMAGES)]
    colour = [np.repeat(grey[..., None], 3, axis=2) for grey in drawn]
    return normalise(
        torch.stack([model_square(picture, preprocessing.size) for picture in colour]), preprocessing
    )


def test_a_case_adds_up_and_is_told_with_its_controls(adapted: AdaptedModel, images: torch.Tensor) -> None:
    found = explain_case(adapted, images[0], 7, no_report)
    layers, heads = 12, 3
    assert len(found.decomposition) >= 1 + 2 * layers + layers * heads
    assert abs(found.residual) < 1e-4
    assert found.attribution is not None
    assert abs(found.attribution.residual) < 1e-3
    assert {part.tower for part in found.attribution.parts} == {"image", "text"}
    assert (len(found.maps[0].grid), len(found.maps[0].grid[0])) == (8, 8)
    assert all(len(one.random) == 10 for one in found.maps)
    assert {control.code for control in found.controls} >= {
        "score_sum",
        "concepts_cosine",
        "deletion_heads",
        "map_specificity",
    }


def test_a_run_tells_of_every_head_and_matrix(adapted: AdaptedModel, images: torch.Tensor) -> None:
    found = explain_run(adapted, images, no_report, range(IMAGES))
    assert len(found.matrices) == 6 * (12 + 4)
    assert len(found.heads) == 12 * 3 + 4 * 4
    assert sum(head.after is not None for head in found.heads) == 36
    assert len(found.controls) == 3
    assert len(run_statements(found, ("a", "b"))) == 3


def test_all_heads_are_read(adapted: AdaptedModel, images: torch.Tensor) -> None:
    phrases = load_corpus().phrases
    corpus = embed_corpus(adapted, phrases, {"ultrasound", "ct", "mr", "radiography"}, no_report)
    assert len(corpus.phrases) > 500
    view = open_tower(adapted.model)
    assert view is not None
    found = gather_heads(adapted.model, view, images, no_report)
    places = [(layer, head) for layer, head, _ in read_heads(view, found, corpus, no_report)]
    assert places == [(layer, head) for layer in range(12) for head in range(3)]


def test_the_base_and_the_adapted_corpus_are_kept_apart(adapted: AdaptedModel) -> None:
    phrases = [phrase for phrase in load_corpus().phrases if phrase.modality == "any"][:20]
    after = embed_corpus(adapted, phrases, {"ct"}, no_report)
    before = embed_corpus(adapted.base, phrases, {"ct"}, no_report)
    assert before.phrases == after.phrases
    assert not np.allclose(before.centred, after.centred)


def test_drawn_ultrasound_is_taken_for_ultrasound(adapted: AdaptedModel, images: torch.Tensor) -> None:
    with torch.no_grad():
        mean = adapted.base.image_embeddings(images).mean(dim=0).numpy()
    assert "ultrasound" in likely_modalities(adapted, mean, no_report)


@pytest.mark.parametrize("axis", PLANTED_AXES)
def test_the_two_classes_of_a_phantom_differ_in_what_is_planted_alone(axis) -> None:
    """Drawn from the same numbers, they are alike but for the mass, its edge or what lies beneath."""
    pair = [
        render_lesion(np.random.default_rng(4), axis, planted=planted, size=96) for planted in (False, True)
    ]
    differ = pair[0].astype(int) != pair[1].astype(int)
    assert 0.001 < differ.mean() < 0.4
    assert not differ[:20].any()
