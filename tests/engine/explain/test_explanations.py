from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import torch
from support.small_clip import (
    CLASSES,
    made_head,
    no_report,
    noise_images,
    small_adapted,
    small_backbone,
    small_basis,
    with_head,
)

from clipsvd_app.domain.records import from_text, to_text
from clipsvd_app.domain.results.explanation import CaseExplanation, RunExplanation
from clipsvd_app.domain.words.case import case_statements
from clipsvd_app.domain.words.run_changes import run_statements
from clipsvd_app.engine.explain.case import explain_case
from clipsvd_app.engine.explain.run import explain_run
from clipsvd_app.engine.sigma.adapted import AdaptedModel
from clipsvd_app.errors import Cancelled
from clipsvd_app.settings import cache_folder

if TYPE_CHECKING:
    from clipsvd_app.engine.backbone.backbone import Backbone
    from clipsvd_app.engine.sigma.basis import Basis


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return small_backbone()


@pytest.fixture(scope="module")
def basis(backbone: Backbone) -> Basis:
    return small_basis(backbone)


@pytest.fixture(scope="module")
def adapted(backbone: Backbone, basis: Basis) -> AdaptedModel:
    return small_adapted(backbone, basis)


def test_a_run_is_explained_and_survives_the_codec(adapted: AdaptedModel) -> None:
    explanation = explain_run(adapted, noise_images(8), no_report)
    assert len(explanation.matrices) == 24
    assert len(explanation.directions) == 12
    assert sum(d.tower == "image" and d.matrix.endswith(("fc2", "proj")) for d in explanation.directions) >= 6
    effects = [direction.effect for direction in explanation.directions]
    assert effects == sorted(effects, reverse=True)
    assert from_text(RunExplanation, to_text(explanation)) == explanation


def test_a_case_is_explained_and_survives_the_codec(adapted: AdaptedModel) -> None:
    explanation = explain_case(adapted, noise_images(1)[0], 17, no_report)
    assert explanation.image_id == 17
    assert explanation.class_names == ("nodule", "effusion")
    assert sum(explanation.adapted) == pytest.approx(1, abs=1e-5)
    assert explanation.adapted != explanation.zero_shot
    assert (len(explanation.saliency), len(explanation.saliency[0])) == (8, 8)
    assert explanation.score == pytest.approx(sum(p.value for p in explanation.decomposition), abs=1e-4)
    assert explanation.margin == pytest.approx(sum(p.margin for p in explanation.decomposition), abs=1e-4)
    assert explanation.attribution is not None
    assert explanation.attribution.adapted == pytest.approx(explanation.score, abs=1e-4)
    assert explanation.attribution.adapted_margin == pytest.approx(explanation.margin, abs=1e-4)
    assert [one.kind for one in explanation.maps] == ["heads", "gradient"]
    assert explanation.map_passed == explanation.saliency_trusted
    assert explanation.map_specificity is not None
    assert len(case_statements(explanation)) == 4
    assert from_text(CaseExplanation, to_text(explanation)) == explanation


def test_a_case_with_a_class_head_is_explained_and_adds_up(adapted: AdaptedModel) -> None:
    headed, image = with_head(adapted), noise_images(1)[0]
    found = explain_case(headed, image, 17, no_report)
    with torch.no_grad():
        logits = headed.logits(image[None])[0].tolist()
    assert found.score == pytest.approx(logits[found.winner], abs=1e-4)
    assert abs(found.score - sum(part.value for part in found.decomposition)) < 1e-4
    assert abs(found.margin - sum(part.margin for part in found.decomposition)) < 1e-4
    assert found.decomposition[-1].kind == "class_bias"
    assert found.attribution is not None
    assert found.attribution.adapted == pytest.approx(found.score, abs=1e-4)
    assert found.zero_shot == pytest.approx(headed.base.probabilities(image[None])[0].tolist(), abs=1e-6)
    assert " by the class head" in case_statements(found)[1].text
    assert from_text(CaseExplanation, to_text(found)) == found


def test_a_run_tells_of_its_class_head(adapted: AdaptedModel, backbone: Backbone, basis: Basis) -> None:
    found = explain_run(with_head(adapted), noise_images(2), no_report)
    assert found.class_head is not None
    assert found.class_head.start == "linear_probe"
    head = made_head()
    assert found.class_head.offsets == pytest.approx((head.offsets**2).sum(axis=1) ** 0.5, abs=1e-5)
    assert found.class_head.bias == pytest.approx(head.bias)
    assert explain_run(adapted, noise_images(2), no_report).class_head is None
    only = AdaptedModel(backbone, basis, basis.sigma_base(), CLASSES, head=made_head())
    said = " ".join(one.text for one in run_statements(explain_run(only, noise_images(2), no_report), ()))
    assert "A class head, started from the linear probe, moves the class texts by" in said
    assert "changed no singular value, only the class head" in said


def test_hidden_patches_are_mapped_on_demand(adapted: AdaptedModel) -> None:
    found = explain_case(adapted, noise_images(1)[0], 1, no_report, occlusion=True)
    assert [one.kind for one in found.maps] == ["heads", "gradient", "occlusion"]


def test_a_tower_without_an_exact_sum_is_explained_by_hiding_patches(basis: Basis) -> None:
    backbone = small_backbone()
    backbone.model.visual.trunk.global_pool = "avg"
    found = explain_case(small_adapted(backbone, basis), noise_images(1)[0], 1, no_report)
    assert found.decomposition == ()
    assert [one.kind for one in found.maps] == ["occlusion"]
    assert found.attribution is not None
    assert abs(found.attribution.residual) < 1e-3


def test_heads_are_read_from_enough_images_and_images_drive_directions(adapted: AdaptedModel) -> None:
    ids = range(100, 164)
    found = explain_run(adapted, noise_images(64), no_report, ids)
    image_heads = [head for head in found.heads if head.tower == "image"]
    assert len(image_heads) == 8
    assert all(head.before is not None and head.after is not None for head in image_heads)
    assert all(head.after is None for head in found.heads if head.tower == "text")
    for direction in found.directions:
        drivers = {*direction.images_towards, *direction.images_against}
        assert drivers <= set(ids)
        assert len(drivers) == (8 if direction.tower == "image" else 0)
    assert found.images == 64
    assert found.phrases > 100


def test_below_32_images_no_head_is_read(adapted: AdaptedModel) -> None:
    found = explain_run(adapted, noise_images(31), no_report)
    assert all(head.after is None for head in found.heads)
    assert not found.controls[0].passed


def test_a_case_is_measured_from_the_runs_images_once_they_were_seen(
    backbone: Backbone, basis: Basis
) -> None:
    other = small_adapted(backbone, basis, scale=0.07)
    assert not explain_case(other, noise_images(1)[0], 1, no_report).centre_of_run
    explain_run(other, noise_images(8), no_report)
    assert explain_case(other, noise_images(1)[0], 1, no_report).centre_of_run


def test_the_cache_changes_nothing_but_the_time(adapted: AdaptedModel) -> None:
    first = explain_run(adapted, noise_images(8), no_report)
    again = explain_run(adapted, noise_images(8), no_report)
    shutil.rmtree(cache_folder() / "explanations")
    assert first == again == explain_run(adapted, noise_images(8), no_report)


def test_a_damaged_cache_is_made_again(adapted: AdaptedModel) -> None:
    first = explain_run(adapted, noise_images(8), no_report)
    for file in (cache_folder() / "explanations").iterdir():
        file.write_bytes(b"junk")
    assert explain_run(adapted, noise_images(8), no_report) == first


def test_an_unchanged_model_is_said_to_be_unchanged(backbone: Backbone, basis: Basis) -> None:
    same = AdaptedModel(backbone, basis, basis.sigma_base(), CLASSES)
    explanation = explain_run(same, noise_images(2), no_report)
    assert explanation.directions == ()
    assert "did not change the model" in run_statements(explanation, ("a", "b"))[0].text


def test_explaining_stops_when_asked(adapted: AdaptedModel) -> None:
    def stop(*_: object) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        explain_case(adapted, noise_images(1)[0], 1, stop)


def test_watching_leaves_no_hook_behind(adapted: AdaptedModel) -> None:
    explain_run(adapted, noise_images(2), no_report)
    assert not any(module._forward_pre_hooks for module in adapted.model.modules())


def test_explaining_leaves_the_model_as_it_was(adapted: AdaptedModel) -> None:
    images = noise_images(2)
    before = adapted.logits(images)
    explain_case(adapted, images[0], 1, no_report)
    assert torch.equal(adapted.logits(images), before)
