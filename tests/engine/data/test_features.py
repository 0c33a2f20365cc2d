"""Frozen features, computed once."""

from __future__ import annotations

import numpy as np
import pytest
from support.changing import replace

from clipsvd_app.domain.view import Crop
from clipsvd_app.engine.data import features as features_module
from clipsvd_app.engine.data.features import FeatureStore
from clipsvd_app.errors import Cancelled
from clipsvd_app.jobs.requests import ImageInput


class Counting:
    def __init__(self):
        self.computed = 0

    def __call__(self, stage, done, total, metrics=None):
        if stage == "Computing features" and done == total:
            self.computed += total


def test_features_are_unit_rows_in_the_order_asked_for(backbone, studies, tmp_path):
    store = FeatureStore(backbone, tmp_path)
    rows = store.of(studies[:4], Counting()).features
    again = store.of(studies[3::-1], Counting()).features
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert np.array_equal(again, rows[::-1])


def test_a_second_process_computes_nothing(backbone, studies, tmp_path):
    first, second = Counting(), Counting()
    one = FeatureStore(backbone, tmp_path).of(studies, first)
    other = FeatureStore(backbone, tmp_path).of(studies, second)
    assert (first.computed, second.computed) == (len(studies), 0)
    assert np.array_equal(one.features, other.features)


def test_another_region_is_another_feature(backbone, studies, tmp_path):
    whole = studies[0]
    part = replace(whole, id=99, crop=Crop(0.25, 0.25, 0.5, 0.5))
    rows = FeatureStore(backbone, tmp_path).of([whole, part], Counting()).features
    assert not np.allclose(rows[0], rows[1], atol=1e-3)


@pytest.mark.parametrize("content", [b"", b"no numbers"])
def test_a_damaged_cache_file_is_computed_again(backbone, studies, tmp_path, content):
    rows = FeatureStore(backbone, tmp_path).of(studies[:1], Counting()).features
    for file in tmp_path.rglob("*.npy"):
        file.write_bytes(content)
    assert np.array_equal(FeatureStore(backbone, tmp_path).of(studies[:1], Counting()).features, rows)


def test_what_cannot_be_read_is_refused_and_the_rest_answered(backbone, studies, tmp_path):
    lost = ImageInput(99, str(tmp_path / "lost.png"), 0, "p")
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    found = FeatureStore(backbone, tmp_path / "cache").of(
        [lost, studies[0], replace(lost, id=98, path=str(text))], Counting()
    )
    assert [image.id for image in found.inputs] == [studies[0].id]
    assert sorted(image_id for image_id, _ in found.refused) == [98, 99]


def test_many_pictures_are_read_and_embedded_a_few_at_a_time(backbone, studies, tmp_path, monkeypatch):
    whole = FeatureStore(backbone, tmp_path / "one").of(studies, Counting()).features
    monkeypatch.setattr(features_module, "_IMAGES_AT_ONCE", 5)
    read, told = [], []
    embed = features_module.embed_squares
    monkeypatch.setattr(
        features_module, "embed_squares", lambda *given: read.append(len(given[2])) or embed(*given)
    )
    lost = ImageInput(99, str(tmp_path / "lost.png"), 0, "p")
    store = FeatureStore(backbone, tmp_path / "two")
    found = store.of([*studies[:7], lost, *studies[7:]], lambda *given: told.append(given[1:3]))
    np.testing.assert_allclose(found.features, whole, atol=1e-5)
    assert [image_id for image_id, _ in found.refused] == [99]
    assert max(read) == 5
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert {total for _, total in told} == {len(studies)}


def test_a_cancelled_pool_keeps_the_features_that_it_has(backbone, studies, tmp_path, monkeypatch):
    monkeypatch.setattr(features_module, "_IMAGES_AT_ONCE", 5)

    def stop(_, done, __, ___=None):
        if done > 6:
            raise Cancelled

    with pytest.raises(Cancelled):
        FeatureStore(backbone, tmp_path).of(studies, stop)
    assert len(list(tmp_path.rglob("*.npy"))) == 5
