from __future__ import annotations

import pytest
import torch
from support.small_clip import no_report

from clipsvd_app.engine.explain.occlusion import grid_side, hide, occlude

SIDE = 8


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
    found = occlude(planted_score([9, 10]), image(), SIDE, no_report)
    flat = [fall for row in found.falls for fall in row]
    assert sorted(sorted(range(64), key=lambda cell: -flat[cell])[:2]) == [9, 10]
    assert found.is_trusted


def test_an_answer_that_does_not_depend_on_the_image_is_not_trusted() -> None:
    found = occlude(lambda images: torch.ones(len(images)), image(), SIDE, no_report)
    assert not found.is_trusted


def test_answers_of_pure_noise_are_hardly_ever_trusted() -> None:
    def trusts(seed: int) -> bool:
        generator = torch.Generator().manual_seed(seed)
        return occlude(
            lambda images: torch.randn(len(images), generator=generator), image(), SIDE, no_report, seed
        ).is_trusted

    assert sum(trusts(seed) for seed in range(60)) <= 5


def test_hidden_cells_take_the_mean_colour_and_the_rest_stays() -> None:
    picture = image()
    hidden = hide(picture, [0], SIDE)
    assert torch.allclose(hidden[:, 0, 0], picture.mean(dim=(1, 2)))
    assert torch.equal(hidden[:, 8:], picture[:, 8:])


@pytest.mark.parametrize(("size", "patch", "side"), [(128, 16, 8), (224, 16, 7), (64, 8, 8), (32, 16, 2)])
def test_cells_are_whole_patches(size: int, patch: int, side: int) -> None:
    assert grid_side(size, patch) == side
