"""A run decodes each picture once while memory allows; beyond that it reads the same pictures again."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from PIL import Image

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.domain.results.run import RunResult
from clipsvd_app.engine.data import images
from clipsvd_app.engine.data.features import FeatureStore
from clipsvd_app.engine.jobs.job import Engine
from clipsvd_app.engine.training.labelled_images import read_labelled_images
from clipsvd_app.jobs.folders import read_request, read_result, write_request
from clipsvd_app.jobs.requests import BackboneRef, ImageInput, TrainRequest

STANDARD_IN_FEW_STEPS = replace(Recipe(), steps=2, choice_steps=1, batch_size=4)


def quiet(*_args: object, **_more: object) -> None:
    """Take progress and drop it."""


@pytest.fixture
def request_of_48(tmp_path, tiny_folder) -> TrainRequest:
    generator = np.random.default_rng(3)
    inputs = []
    for place in range(48):
        patient = place // 2
        grey = generator.normal(60 + 120 * (patient % 2), 20, size=(40, 36)).clip(0, 255).astype(np.uint8)
        path = tmp_path / f"{place}.png"
        Image.fromarray(grey).save(path)
        inputs.append(ImageInput(place + 1, str(path), 0, f"patient {patient}", patient % 2))
    classes = (class_from_name("dark"), class_from_name("bright"))
    return TrainRequest(BackboneRef("tiny", str(tiny_folder)), classes, tuple(inputs), STANDARD_IN_FEW_STEPS)


@pytest.fixture
def decoded(monkeypatch) -> list[int]:
    """Return the images that were decoded, in order, with repeats."""
    seen: list[int] = []
    decode = images.open_image

    def counting(image: ImageInput):
        seen.append(image.id)
        return decode(image)

    monkeypatch.setattr(images, "open_image", counting)
    return seen


def test_a_standard_run_decodes_each_of_48_images_once(request_of_48, decoded, tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    write_request(folder, request_of_48)
    Engine().run(folder, read_request(folder), quiet)
    assert read_result(folder, RunResult).evaluation.kind == "cross_validated"
    assert sorted(decoded) == [image.id for image in request_of_48.images]


def test_pictures_that_memory_did_not_hold_are_read_again_and_are_the_same(
    studies, backbone, decoded, monkeypatch, tmp_path
):
    store, places = FeatureStore(backbone, tmp_path), [9, 2, 5]
    kept = read_labelled_images(store, studies, quiet).examples(places, quiet)
    monkeypatch.setattr(images, "squares_that_fit", lambda _side: 3)
    short = read_labelled_images(store, studies, quiet)
    decoded.clear()
    again = short.examples(places, quiet)
    assert decoded == [studies[9].id, studies[5].id]
    assert torch.equal(again.large, kept.large)
    assert torch.equal(again.plain, kept.plain)
