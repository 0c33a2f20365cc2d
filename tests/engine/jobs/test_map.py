"""The map job: like beside like, every image in its place, and a cancel that is heeded."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from clipsvd_app.engine.jobs.job import Engine
from clipsvd_app.engine.jobs.map import principal_plane, tsne
from clipsvd_app.errors import Cancelled, UserError
from clipsvd_app.jobs.answers import MapResult
from clipsvd_app.jobs.folders import read_request, read_result, write_request
from clipsvd_app.jobs.requests import BackboneRef, MapRequest


def quiet(stage, done, total, metrics=None):
    """Take progress and drop it."""


@pytest.fixture(scope="module")
def groups():
    """Three clouds of twenty in twelve dimensions, and who belongs to which."""
    random = np.random.default_rng(1)
    labels = np.repeat(np.arange(3), 20)
    return 4 * np.eye(12)[labels] + random.normal(size=(60, 12)), labels


def test_the_principal_plane_is_that_of_the_covariance(groups):
    features, _ = groups
    plane = principal_plane(features)
    values = np.linalg.eigvalsh(np.cov(features.T))[::-1]
    assert np.allclose(plane.var(axis=0, ddof=1), values[:2])
    assert np.allclose(principal_plane(features[:, ::-1]), plane), "the order of the features says nothing"


def test_rounds_of_tsne_keep_neighbours_together(groups):
    features, labels = groups
    plane = tsne(features, quiet)
    assert trustworthiness(features, plane) > 0.85
    distances = np.linalg.norm(plane[:, None] - plane[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (labels[distances.argmin(axis=1)] == labels).mean() > 0.95
    assert np.array_equal(plane, tsne(features, quiet)), "the same images give the same map"


def test_tsne_stops_between_its_rounds(groups):
    seen = []

    def stop(stage, done, total, metrics=None):
        seen.append(done)
        if done == 1:
            raise Cancelled

    with pytest.raises(Cancelled):
        tsne(groups[0], stop)
    assert seen == [0, 1]


def test_equal_images_do_not_break_the_map():
    assert np.isfinite(tsne(np.ones((6, 4)), quiet)).all()


@pytest.mark.parametrize("projection", ["pca", "tsne"])
def test_the_job_places_every_image_that_can_be_read(tiny_folder, studies, tmp_path, projection):
    request = MapRequest(BackboneRef("tiny", str(tiny_folder)), studies, projection)
    write_request(tmp_path, request)
    Engine().run(tmp_path, read_request(tmp_path), quiet)
    result = read_result(tmp_path, MapResult)
    assert {place.image_id for place in result.places} == {image.id for image in studies}
    assert result.projection == projection


def test_three_images_are_no_map(tiny_folder, studies, tmp_path):
    write_request(tmp_path, MapRequest(BackboneRef("tiny", str(tiny_folder)), studies[:3], "pca"))
    with pytest.raises(UserError, match="at least 4"):
        Engine().run(tmp_path, read_request(tmp_path), quiet)
