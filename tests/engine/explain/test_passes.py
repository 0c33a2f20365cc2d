"""Reference images pass once through each state of the model, and the results are those of passes apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from support.small_clip import no_report, noise_images, small_adapted, small_backbone, small_basis

from clipsvd_app.engine.explain.case import explain_case
from clipsvd_app.engine.explain.maps.deletion import RANDOM_ORDERS, margin_score, prepare_deletion
from clipsvd_app.engine.explain.maps.inner_maps import gradient_map
from clipsvd_app.engine.explain.model.attribution import attribute
from clipsvd_app.engine.explain.model.centre import centre_for_case
from clipsvd_app.engine.explain.model.image_tower import Trace, open_light, open_tower
from clipsvd_app.engine.explain.model.inputs import gather_inputs, measuring
from clipsvd_app.engine.explain.model.text_span import gather_heads
from clipsvd_app.engine.explain.run import explain_run

if TYPE_CHECKING:
    from clipsvd_app.engine.sigma.adapted import AdaptedModel

IMAGES = noise_images(40)


@pytest.fixture
def passed() -> list[int]:
    """How many images each forward pass had, through whatever copy of the model."""
    return []


@pytest.fixture
def adapted(passed: list[int]) -> AdaptedModel:
    backbone = small_backbone()
    basis = small_basis(backbone)
    # Copies of a module keep its hooks.
    stem = backbone.model.get_submodule("visual.trunk.patch_embed")
    stem.register_forward_hook(lambda _, inputs, __: passed.append(len(inputs[0])))
    return small_adapted(backbone, basis)


@pytest.mark.parametrize("count", [4, 40])
def test_a_run_passes_its_images_once_through_each_state(
    adapted: AdaptedModel, passed: list[int], count: int
) -> None:
    explain_run(adapted, IMAGES[:count], no_report)
    assert sum(passed) == 2 * count


def test_a_case_passes_its_image_once_through_each_state(adapted: AdaptedModel, passed: list[int]) -> None:
    explain_run(adapted, IMAGES, no_report)
    passed.clear()
    found = explain_case(adapted, IMAGES[0], 0, no_report)
    assert found.attribution is not None
    masked = 1 + 3 * (1 + RANDOM_ORDERS + len(found.maps))
    # Adapted, base, with gradients for the gradient map, and on each point of the path.
    assert sum(passed) == 3 + found.attribution.nodes + masked


def test_what_a_case_says_is_what_the_whole_models_say(adapted: AdaptedModel) -> None:
    image = IMAGES[0]
    found = explain_case(adapted, image, 0, no_report)
    logits = adapted.logits(image[None])[0].double()
    assert found.adapted == pytest.approx(adapted.probabilities(image[None])[0].tolist(), abs=1e-5)
    assert found.zero_shot == pytest.approx(adapted.base.probabilities(image[None])[0].tolist(), abs=1e-5)
    assert found.score == pytest.approx(float(logits[found.winner]), abs=1e-4)
    assert found.margin == pytest.approx(float(logits[found.winner] - logits[found.runner_up]), abs=1e-4)
    score = margin_score(adapted, found.winner, found.runner_up)
    deletion = prepare_deletion(score, image, (8, 8), no_report)
    for one in found.maps:
        assert one.random[3].margins == pytest.approx(deletion.random[3].margins, abs=1e-4)
        assert one.centre.margins == pytest.approx(deletion.centre.margins, abs=1e-4)
    view = open_tower(adapted.model)
    assert view is not None
    classes, scale = adapted.class_vectors(), adapted.backbone.logit_scale
    direction = classes[found.winner] - classes[found.runner_up]
    gradient = gradient_map(adapted.model, view, image, direction, scale)
    torch.testing.assert_close(
        torch.tensor(found.maps[1].grid), gradient, rtol=1e-3, atol=1e-5 * float(gradient.max())
    )


def test_a_change_is_attributed_alike_with_and_without_known_ends(adapted: AdaptedModel) -> None:
    image = IMAGES[0]
    ends = adapted.base.image_embeddings(image[None]), adapted.image_embeddings(image[None])
    one, other = (attribute(adapted, image, 0, 1, no_report, known) for known in (ends, None))
    assert one == other


def test_the_centre_is_the_mean_of_the_embeddings(adapted: AdaptedModel) -> None:
    explain_run(adapted, IMAGES, no_report)
    centre = centre_for_case(adapted, IMAGES[0])
    assert centre.of_run
    with torch.no_grad():
        means = (model.image_embeddings(IMAGES).mean(dim=0).numpy() for model in (adapted, adapted.base))
    for ours, mean in zip((centre.vector, centre.base), means, strict=True):
        np.testing.assert_allclose(ours, mean, rtol=0, atol=1e-6)


@pytest.mark.parametrize("form", ["measuring", "light"])
def test_what_is_recorded_on_the_way_is_what_the_whole_model_gives(adapted: AdaptedModel, form: str) -> None:
    view = open_tower(adapted.model)
    assert view is not None
    plain = gather_heads(adapted.model, view, IMAGES, no_report)
    if form == "light":
        model, seen = open_light(adapted.model)
    else:
        model = measuring(adapted).model
        seen = open_tower(model)
    assert seen is not None
    found = gather_heads(model, seen, IMAGES, no_report)
    for ours, other in zip(_parts(found), _parts(plain), strict=True):
        torch.testing.assert_close(ours, other, rtol=1e-4, atol=2e-5)


def test_inputs_are_measured_as_by_a_product_apart(adapted: AdaptedModel) -> None:
    found = gather_inputs(adapted, IMAGES, no_report)
    inputs: dict[str, list[torch.Tensor]] = {}
    targets = [target for target in adapted.basis.targets if target.tower == "image"]
    hooks = [
        adapted.model.get_submodule(target.module_path).register_forward_pre_hook(
            lambda _, arguments, name=target.name: inputs.setdefault(name, []).append(arguments[0])
        )
        for target in targets
    ]
    adapted.image_embeddings(IMAGES)
    for hook in hooks:
        hook.remove()
    for target in targets:
        along = torch.cat(inputs[target.name]).double() @ adapted.basis.matrices[target.name].vt.double().T
        ours = found[target.name]
        assert ours.count == along.shape[0] * along.shape[1]
        size = float(along.square().mean().sqrt())
        torch.testing.assert_close(
            ours.rms, along.square().mean(dim=(0, 1)).sqrt(), rtol=1e-4, atol=1e-5 * size
        )
        torch.testing.assert_close(ours.mean, along.mean(dim=(0, 1)), rtol=0, atol=1e-5 * size)
        by_image = torch.cat(ours.by_image).double()
        torch.testing.assert_close(by_image, along.mean(dim=1), rtol=0, atol=1e-5 * size)


def _parts(found: Trace) -> list[torch.Tensor]:
    return [found.end, found.embedding, *found.mixed]
