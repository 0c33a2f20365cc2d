"""Reference images pass once through each state of the model, and the results are those of passes apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from support.small_clip import no_report, noise_images, small_adapted, small_backbone, small_basis

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
