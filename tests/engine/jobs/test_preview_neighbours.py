"""The nearest images of each image in a pool of any size."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from clipsvd_app.engine.data.features import FrozenFeatures
from clipsvd_app.engine.jobs import preview
from clipsvd_app.jobs.requests import ImageInput


def quiet(stage, done, total, metrics=None):
    """Take progress and drop it."""


def pool(images: int, width: int = 16) -> FrozenFeatures:
    rows = np.random.default_rng(0).normal(size=(images, width)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    inputs = tuple(ImageInput(1000 + number, "", 0, "") for number in range(images))
    return FrozenFeatures(rows, inputs, ())


@pytest.mark.parametrize("images", [1, 2, 5, 6, 700, 1024, 1025])
def test_the_nearest_are_those_of_the_whole_matrix(images):
    frozen = pool(images)
    cosines = frozen.features.astype(np.float64) @ frozen.features.T.astype(np.float64)
    np.fill_diagonal(cosines, -np.inf)
    expected = np.argsort(-cosines, axis=1)[:, : min(preview._NEAREST, images - 1)] + 1000
    assert preview._nearest(frozen, quiet) == [tuple(row) for row in expected.tolist()]


def test_a_large_pool_is_compared_in_little_memory_and_can_be_cancelled_meanwhile():
    frozen, heard = pool(6000), []
    tracemalloc.start()
    preview._nearest(frozen, lambda stage, done, total: heard.append(done))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6000 * 6000 * 4 / 2, "half of the whole matrix in fp32"
    assert heard == list(range(0, 6000, preview._BLOCK))
