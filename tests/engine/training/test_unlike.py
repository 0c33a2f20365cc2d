"""What is unlike the training images, what is like them, and where all of them lie."""

from __future__ import annotations

import numpy as np
import pytest

from clipsvd_app.engine.baselines.task import BaselineTask
from clipsvd_app.engine.training.neighbours import nearest_training, places_on_map
from clipsvd_app.engine.training.outliers import learn_novelty, other_modality

WIDTH = 24


def cloud(count: int, seed: int, towards: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    rows = 3 * np.eye(WIDTH)[np.full(count, towards)] + generator.normal(scale=0.4, size=(count, WIDTH))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def training(count: int = 60, patients: int = 30) -> BaselineTask:
    labels = tuple(place % 2 for place in range(count))
    patient_ids = tuple(str(place % patients) for place in range(count))
    return BaselineTask(cloud(count, 0), labels, patient_ids, np.eye(2, WIDTH, dtype=np.float32), 10.0, 0)


def test_images_of_another_kind_are_far_and_new_ones_of_the_same_kind_are_not():
    novelty = learn_novelty(training())
    assert novelty is not None
    assert novelty.far(cloud(100, 1, towards=5)).all()
    assert novelty.far(cloud(300, 2)).mean() < 0.15


def test_few_training_images_are_far_from_the_others():
    novelty = learn_novelty(training())
    assert novelty is not None
    assert novelty.far_among_training().mean() < 0.1


def test_a_training_image_cannot_vouch_for_itself():
    task = training()
    strange = BaselineTask(
        np.concatenate([task.features, cloud(1, 1, towards=7)]),
        (*task.labels, 0),
        (*task.patient_ids, "strange"),
        task.texts,
        task.scale,
        0,
    )
    novelty = learn_novelty(strange)
    assert novelty is not None
    assert novelty.own[-1, 1] == novelty.own[:, 1].max() > 0.5


def test_with_few_patients_nothing_is_called_far():
    assert learn_novelty(training(20, 5)) is None


@pytest.fixture
def modality_texts(backbone):
    import torch

    from clipsvd_app.corpus import MODALITIES
    from clipsvd_app.engine.backbone.backbone import embed_texts

    with torch.no_grad():
        return embed_texts(backbone.model, backbone.tokenize(list(MODALITIES.values()))).numpy()


def test_another_modality_is_told_by_the_prompts(backbone, modality_texts):
    known, other = modality_texts[[0] * 10], modality_texts[[0, 1, 0, 2]]
    assert other_modality(backbone, known, other).tolist() == [False, True, False, True]


def test_where_training_images_are_named_in_many_ways_nothing_is_told(backbone, modality_texts):
    mixed = modality_texts[[0, 1, 2, 0, 1, 2]]
    assert not other_modality(backbone, mixed, modality_texts[[3, 4]]).any()


def test_the_map_keeps_the_two_widest_directions_and_does_not_flip():
    rows = cloud(40, 0)
    places = places_on_map(rows)
    assert places.shape == (40, 2)
    assert places[:, 0].var() >= places[:, 1].var()
    np.testing.assert_allclose(places_on_map(rows[::-1]), places[::-1], atol=1e-6)
    assert ((places**3).sum(axis=0) >= 0).all()


def test_the_nearest_training_images_are_of_other_patients():
    rows, patient_ids = cloud(20, 0), [str(place // 4) for place in range(20)]
    trained = list(range(12))
    for position, nearest in enumerate(nearest_training(rows, patient_ids, trained)):
        assert set(nearest) <= set(trained)
        assert all(patient_ids[place] != patient_ids[position] for place in nearest)
        likeness = [float(rows[position] @ rows[place]) for place in nearest]
        assert likeness == sorted(likeness, reverse=True)
