from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
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
from support.tiny_clip import SIZE, write_tiny_clip

from clipsvd_app.domain.words.phrases import part_title
from clipsvd_app.engine.backbone.backbone import load_backbone
from clipsvd_app.engine.explain.model.attribution import attribute, heads_of
from clipsvd_app.engine.explain.model.path_nodes import LEVELS, path_nodes
from clipsvd_app.engine.sigma.adapted import AdaptedModel
from clipsvd_app.engine.sigma.basis import MatrixBasis
from clipsvd_app.errors import Cancelled

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.domain.results.explanation import Attribution


@pytest.fixture(scope="module")
def adapted() -> AdaptedModel:
    backbone = small_backbone()
    return small_adapted(backbone, small_basis(backbone))


def explain(adapted: AdaptedModel) -> Attribution:
    return attribute(adapted, noise_images(1)[0], 0, 1, no_report)


def test_the_parts_sum_to_the_change_of_the_logit(adapted: AdaptedModel) -> None:
    found = explain(adapted)
    image = noise_images(1)
    with torch.no_grad():
        after = adapted.logits(image)[0]
        before = adapted.base.logits(image)[0]
    assert found.adapted == pytest.approx(float(after[0]), abs=1e-4)
    assert found.zero_shot == pytest.approx(float(before[0]), abs=1e-4)
    assert sum(part.value for part in found.parts) == pytest.approx(float(after[0] - before[0]), abs=1e-3)
    change = float(after[0] - after[1] - before[0] + before[1])
    assert sum(part.margin for part in found.parts) == pytest.approx(change, abs=1e-3)
    assert max(abs(found.residual), abs(found.margin_residual)) < 1e-3


def test_open_clips_own_towers_are_followed_too(tmp_path: Path) -> None:
    backbone = load_backbone(write_tiny_clip(tmp_path / "clip"))
    other = small_adapted(backbone, small_basis(backbone))
    found = attribute(other, noise_images(1)[0, :, :SIZE, :SIZE], 0, 1, no_report)
    assert abs(found.residual) < 1e-3
    assert {part.tower for part in found.parts} == {"image", "text"}


def test_more_nodes_are_taken_where_three_are_not_enough() -> None:
    backbone = small_backbone(seed=4)
    found = explain(small_adapted(backbone, small_basis(backbone), scale=0.8))
    assert found.nodes in (7, 15)
    assert abs(found.residual) < 1e-3


@pytest.mark.parametrize(("level", "degree"), [(0, 5), (1, 11), (2, 23)])
def test_the_nodes_of_the_path_are_exact_for_polynomials(level: int, degree: int) -> None:
    places, weights = (np.array(column) for column in zip(*path_nodes(level), strict=True))
    for power in range(degree + 1):
        assert weights @ places**power == pytest.approx(1 / (power + 1), abs=1e-13)


def test_a_closer_look_keeps_the_points_it_has() -> None:
    places = [{place for place, _ in path_nodes(level)} for level in range(LEVELS)]
    assert [len(each) for each in places] == [3, 7, 15]
    assert places[0] < places[1] < places[2]


def test_an_unchanged_model_has_no_parts() -> None:
    backbone = small_backbone()
    basis = small_basis(backbone)
    found = explain(AdaptedModel(backbone, basis, basis.sigma_base(), CLASSES))
    assert found.parts == ()
    assert found.residual == found.margin_residual == 0


def test_with_a_class_head_the_parts_sum_to_the_change_from_zero_shot(adapted: AdaptedModel) -> None:
    headed, image = with_head(adapted), noise_images(1)
    found = explain(headed)
    with torch.no_grad():
        after, before = headed.logits(image)[0], headed.base.logits(image)[0]
    assert found.adapted == pytest.approx(float(after[0]), abs=1e-4)
    assert found.zero_shot == pytest.approx(float(before[0]), abs=1e-4)
    assert abs(sum(part.value for part in found.parts) + found.residual - float(after[0] - before[0])) < 1e-4
    change = float(after[0] - after[1] - before[0] + before[1])
    assert abs(sum(part.margin for part in found.parts) + found.margin_residual - change) < 1e-4
    assert max(abs(found.residual), abs(found.margin_residual)) < 1e-3
    assert [part.tower for part in found.parts if part.kind == "class_head"] == [None]


def test_the_part_of_the_class_head_is_its_effect_in_the_unadapted_model(adapted: AdaptedModel) -> None:
    base, image = adapted.base, noise_images(1)
    only_head = AdaptedModel(base.backbone, base.basis, base.sigmas, CLASSES, head=made_head())
    with torch.no_grad():
        change = only_head.logits(image)[0] - base.logits(image)[0]
    (part,) = explain(only_head).parts
    assert part.kind == "class_head"
    assert part.value == pytest.approx(float(change[0]), abs=1e-4)
    assert part.margin == pytest.approx(float(change[0] - change[1]), abs=1e-4)
    assert abs(explain(only_head).residual) < 1e-4
    (same,) = (part for part in explain(with_head(adapted)).parts if part.kind == "class_head")
    assert same == part


def test_a_change_of_one_matrix_is_laid_at_its_door() -> None:
    backbone = small_backbone()
    basis = small_basis(backbone)
    sigmas = basis.sigma_base()
    sigmas["visual.trunk.blocks.1.attn.qkv.v"] *= 1.5
    found = explain(AdaptedModel(backbone, basis, sigmas, CLASSES))
    moved = [part for part in found.parts if abs(part.value) > 1e-6]
    assert {(part.tower, part.layer, part.kind) for part in moved} == {("image", 1, "v")}
    assert {part.head for part in moved} == {0, 1, 2, 3}


def test_values_and_outputs_are_split_by_head_and_the_rest_is_not(adapted: AdaptedModel) -> None:
    for part in explain(adapted).parts:
        assert (part.head is not None) == (part.kind in ("v", "o"))


def test_turning_singular_vectors_round_changes_nothing(adapted: AdaptedModel) -> None:
    matrices = {name: MatrixBasis(-m.u, m.s0, -m.vt) for name, m in adapted.basis.matrices.items()}
    flipped = AdaptedModel(
        adapted.backbone, replace(adapted.basis, matrices=matrices), adapted.sigmas, CLASSES
    )
    for one, other in zip(explain(adapted).parts, explain(flipped).parts, strict=True):
        assert part_title(one) == part_title(other)
        assert one.value == pytest.approx(other.value, abs=1e-5)


def test_the_heads_of_both_towers_are_known(adapted: AdaptedModel) -> None:
    assert heads_of(adapted.backbone.model, adapted.basis.targets) == {"image": 4, "text": 4}


def test_following_the_change_stops_when_asked(adapted: AdaptedModel) -> None:
    def stop(*_: object) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        attribute(adapted, noise_images(1)[0], 0, 1, stop)
