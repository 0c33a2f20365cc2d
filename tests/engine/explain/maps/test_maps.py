from __future__ import annotations

import pytest
import torch
from support.small_clip import no_report, noise_images, small_adapted, small_backbone, small_basis
from torch.nn import functional

from clipsvd_app.engine.explain.maps.deletion import hide, prepare_deletion
from clipsvd_app.engine.explain.maps.inner_maps import gradient_map
from clipsvd_app.engine.explain.maps.occlusion import grid_side, occlusion_map
from clipsvd_app.engine.explain.maps.specificity import specificity
from clipsvd_app.engine.explain.model.image_tower import open_tower

SIDE = 8
SHAPE = (SIDE, SIDE)


def image(seed: int = 0) -> torch.Tensor:
    return torch.rand((3, 64, 64), generator=torch.Generator().manual_seed(seed))


def planted_score(cells: list[int]):
    """A model that looks at some cells only, through how far their pixels lie from the mean colour."""

    def score(images: torch.Tensor) -> torch.Tensor:
        total = torch.zeros(len(images))
        for cell in cells:
            row, column = divmod(cell, SIDE)
            part = images[:, :, row * 8 : row * 8 + 8, column * 8 : column * 8 + 8]
            total += part.var(dim=(1, 2, 3))
        return total

    return score


def test_a_planted_patch_is_found_and_trusted() -> None:
    score = planted_score([9, 10])
    grid = occlusion_map(score, image(), SIDE, no_report)
    assert sorted(grid.flatten().topk(2).indices.tolist()) == [9, 10]
    found = prepare_deletion(score, image(), SHAPE, no_report).judge("occlusion", grid, no_report)
    assert found.passed
    assert found.deletion.area < min(curve.area for curve in found.random)
    assert found.deletion.shares[0] == 0
    assert found.deletion.shares[-1] == 1


def test_the_map_of_a_model_with_other_weights_is_not_trusted() -> None:
    """A map that is not the model's own does not survive the randomisation of its weights."""
    other = occlusion_map(planted_score([50, 52]), image(), SIDE, no_report)
    deletion = prepare_deletion(planted_score([9, 10]), image(), SHAPE, no_report)
    assert not deletion.judge("heads", other, no_report).passed


def test_an_answer_that_does_not_depend_on_the_image_is_not_trusted() -> None:
    deletion = prepare_deletion(lambda images: torch.ones(len(images)), image(), SHAPE, no_report)
    assert not deletion.judge("heads", torch.rand(SHAPE), no_report).passed


def test_maps_of_pure_noise_are_hardly_ever_trusted() -> None:
    def trusts(seed: int) -> bool:
        generator = torch.Generator().manual_seed(seed)
        deletion = prepare_deletion(
            lambda images: torch.randn(len(images), generator=generator), image(), SHAPE, no_report, seed
        )
        return deletion.judge("heads", torch.rand(SHAPE, generator=generator), no_report).passed

    assert sum(trusts(seed) for seed in range(60)) <= 6


def test_hidden_cells_take_the_mean_colour_and_the_rest_stays() -> None:
    picture = image()
    hidden = hide(picture, [0], SHAPE)
    assert torch.allclose(hidden[:, 0, 0], picture.mean(dim=(1, 2)))
    assert torch.equal(hidden[:, 8:], picture[:, 8:])


@pytest.mark.parametrize(("size", "patch", "side"), [(128, 16, 8), (224, 16, 7), (64, 8, 8), (32, 16, 2)])
def test_cells_are_whole_patches(size: int, patch: int, side: int) -> None:
    assert grid_side(size, patch) == side


def test_the_gradient_map_is_the_gain_from_more_attention() -> None:
    """Compared with attention formed in full, which the map never does."""
    backbone = small_backbone()
    adapted = small_adapted(backbone, small_basis(backbone))
    view = open_tower(adapted.model)
    assert view is not None
    direction = torch.randn(24, generator=torch.Generator().manual_seed(2))
    found = gradient_map(adapted.model, view, noise_images(1)[0], direction, 20.0)
    assert torch.allclose(found, _slow_gradient_map(adapted.model, direction), rtol=1e-3, atol=1e-7)


def _slow_gradient_map(model: torch.nn.Module, direction: torch.Tensor) -> torch.Tensor:
    trunk = model.visual.trunk
    with torch.enable_grad():
        x = trunk._pos_embed(trunk.patch_embed(noise_images(1)))
        attentions = []
        for block in trunk.blocks:
            y = block.attn.qkv(block.norm1(x)).view(1, 65, 3, 4, 8).permute(2, 0, 3, 1, 4)
            q, k, v = y
            attention = (q @ k.transpose(-2, -1) * 8**-0.5).softmax(-1)
            if not attention.requires_grad:
                attention.requires_grad_()
            attentions.append(attention)
            x = x + block.attn.proj((attention @ v).transpose(1, 2).reshape(1, 65, 32))
            x = x + block.mlp(block.norm2(x))
        z = functional.normalize(model.visual.head(trunk.norm(x)[:, 0]), dim=-1)[0]
        gradients = torch.autograd.grad(20.0 * z @ direction, attentions)
    return sum(g.relu()[0].mean(dim=(0, 1)) for g in gradients)[1:].view(8, 8)


def test_a_class_map_unlike_all_nonsense_is_its_own() -> None:
    generator = torch.Generator().manual_seed(0)
    shared = torch.randn(64, generator=generator)
    nonsense = shared + 0.3 * torch.randn((19, 64), generator=generator)
    own = specificity(torch.randn(64, generator=generator), nonsense)
    assert own.is_specific
    like = specificity(shared + 0.3 * torch.randn(64, generator=generator), nonsense)
    assert not like.is_specific or like.to_nonsense < 1.2 * like.among_nonsense
    assert own.prompts == 19
