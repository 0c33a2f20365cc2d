"""Images as the model sees them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from clipsvd_app.domain.view import Crop
from clipsvd_app.engine.backbone.folder import Preprocessing
from clipsvd_app.engine.data.images import Augmentation, model_square, normalise, read_squares
from clipsvd_app.jobs.requests import ImageInput

PREPROCESSING = Preprocessing(32, (0.5, 0.4, 0.3), (0.2, 0.2, 0.2), "bicubic")


def quiet(stage, done, total, metrics=None):
    """Take progress and drop it."""


def test_a_letterboxed_picture_keeps_its_proportions_and_loses_nothing():
    square = model_square(np.full((20, 40, 3), 200, dtype=np.uint8), 32)
    assert square.shape == (3, 32, 32)
    assert (square[:, 8:24] == 200).all()
    assert (square[:, :8] == 0).all()
    assert (square[:, 24:] == 0).all()


def test_normalising_undoes_mean_and_deviation():
    grey = torch.full((1, 3, 2, 2), 255, dtype=torch.uint8)
    assert normalise(grey, PREPROCESSING)[0, :, 0, 0].tolist() == pytest.approx([2.5, 3.0, 3.5])


def test_without_room_to_change_augmentation_is_the_plain_picture(monkeypatch):
    for name in ("_MAX_ROTATION_DEG", "_MAX_BRIGHTNESS", "_MAX_CONTRAST"):
        monkeypatch.setattr(f"clipsvd_app.engine.data.images.{name}", 0.0)
    pixels = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    changed = Augmentation(PREPROCESSING, crop_scale=1.0, flip=False)(pixels, torch.Generator())
    torch.testing.assert_close(changed, normalise(pixels, PREPROCESSING), rtol=0, atol=1e-4)


def test_only_flipping_exchanges_left_and_right():
    pixels = torch.zeros((64, 3, 40, 40), dtype=torch.uint8)
    pixels[..., :20] = 200
    sides = {}
    for flip in (False, True):
        changed = Augmentation(PREPROCESSING, 0.7, flip)(pixels, torch.Generator().manual_seed(0))
        sides[flip] = (changed[..., :16].mean(dim=(1, 2, 3)) > changed[..., 16:].mean(dim=(1, 2, 3))).tolist()
    assert all(sides[False])
    assert 16 < sum(sides[True]) < 48


def test_the_same_seed_gives_the_same_augmentation():
    pixels = torch.randint(0, 256, (4, 3, 37, 37), dtype=torch.uint8)
    one, same = (
        Augmentation(PREPROCESSING, 0.7, True)(pixels, torch.Generator().manual_seed(5)) for _ in range(2)
    )
    assert torch.equal(one, same)


def test_an_unreadable_image_is_listed_with_a_sentence(studies, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    read = read_squares([studies[0], ImageInput(99, str(broken), 0, "p")], 32, "bicubic", quiet)
    assert [image.id for image in read.inputs] == [studies[0].id]
    assert [image_id for image_id, _ in read.refused] == [99]
    assert read.refused[0][1].endswith(".")


def test_a_region_of_interest_is_all_that_the_model_sees(studies):
    whole, part = (
        ImageInput(1, studies[0].path, 0, "p", crop=crop) for crop in (None, Crop(0.3, 0.3, 0.3, 0.3))
    )
    pictures = read_squares([whole, part], 32, "bicubic", quiet).pixels
    assert not torch.equal(pictures[0], pictures[1])
