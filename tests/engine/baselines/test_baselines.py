"""Every baseline, on blobs that a text points to more or less well."""

from __future__ import annotations

import numpy as np
import pytest

from clipsvd_app.engine.baselines.gda import fit_gaussians, fit_gda
from clipsvd_app.engine.baselines.inner_folds import inner_folds
from clipsvd_app.engine.baselines.methods import FROZEN_METHODS, frozen_outputs
from clipsvd_app.engine.baselines.task import BaselineTask
from clipsvd_app.engine.baselines.tip_adapter import TipAdapter, fit_tip_adapter
from clipsvd_app.engine.statistics.metrics import softmax

WIDTH = 16
TRAINED = [method for method in FROZEN_METHODS if method != "zero_shot"]


def blobs(per_class: int, seed: int = 0, spread: float = 0.15):
    generator = np.random.default_rng(seed)
    labels = tuple(label for label in range(3) for _ in range(per_class))
    rows = np.eye(3, WIDTH)[list(labels)] + spread * generator.normal(size=(len(labels), WIDTH))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), labels


def task(per_class: int = 8, texts=None, **kind) -> BaselineTask:
    features, labels = blobs(per_class, **kind)
    # A text that means something, but mistakes the second class for the third.
    given = np.eye(3, WIDTH, dtype=np.float32)[[0, 2, 1]] if texts is None else texts
    return BaselineTask(features, labels, tuple(map(str, range(len(labels)))), given, 10.0, 0)


@pytest.mark.parametrize("method", TRAINED)
def test_a_trained_method_overrules_a_text_that_is_wrong(method):
    unseen, truth = blobs(30, seed=1)
    found = FROZEN_METHODS[method](task()).probabilities(unseen)
    assert (found.argmax(axis=1) == truth).mean() > 0.9
    np.testing.assert_allclose(found.sum(axis=1), 1)


@pytest.mark.parametrize("method", TRAINED)
def test_one_image_of_each_class_is_enough_to_fit(method):
    fitted = FROZEN_METHODS[method](task(1, texts=np.eye(3, WIDTH, dtype=np.float32)))
    unseen, truth = blobs(30, seed=1)
    assert (fitted.probabilities(unseen).argmax(axis=1) == truth).mean() > 0.8


@pytest.mark.parametrize("method", FROZEN_METHODS)
def test_the_order_of_the_images_does_not_matter(method):
    whole = task()
    order = np.random.default_rng(0).permutation(len(whole.labels))
    # Folds are drawn by place, so the settings may differ where they are chosen: compare without folds.
    whole = BaselineTask(whole.features, whole.labels, ("one",) * 24, whole.texts, 10.0, 0)
    one, other = (
        FROZEN_METHODS[method](t).probabilities(whole.features) for t in (whole, whole.subset(order))
    )
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_the_baselines_answer_for_every_method_and_image():
    found = frozen_outputs(task(), blobs(5)[0])
    assert list(found) == ["zero_shot", "text_probe", "linear_probe", "tip_adapter", "gda"]
    assert all(output.probabilities.shape == (15, 3) for output in found.values())
    assert found["zero_shot"].trainable_parameters == 0
    assert found["gda"].trainable_parameters == 3 * WIDTH + WIDTH * (WIDTH + 1) // 2


def test_tip_adapter_is_the_published_formula():
    small = task(2)
    unseen, _ = blobs(1, seed=3)
    votes = np.zeros((3, 3))
    for row, image in enumerate(unseen):
        for known, label in zip(small.features, small.labels, strict=True):
            votes[row, label] += np.exp(-5.5 * (1 - float(image @ known)))
    expected = softmax(0.7 * votes + small.zero_shot_logits(unseen))
    np.testing.assert_allclose(TipAdapter(small, 0.7, 5.5).probabilities(unseen), expected, rtol=1e-5)


def test_a_class_with_more_images_does_not_win_by_number():
    alike = np.tile(blobs(1)[0][:1], (9, 1))
    texts = np.ones((3, WIDTH), np.float32) / 4
    uneven = BaselineTask(alike, (0,) * 7 + (1, 2), tuple(map(str, range(9))), texts, 1.0, 0)
    np.testing.assert_allclose(TipAdapter(uneven, 5.0, 1.0).probabilities(alike[:1]), 1 / 3, rtol=1e-6)


def test_gaussians_agree_with_scikit_learn_where_there_are_enough_images():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    features, labels = blobs(400)
    unseen, _ = blobs(20, seed=1)
    gaussians = fit_gaussians(features, np.array(labels), 3)
    assert gaussians.precision.shape == (WIDTH, WIDTH)
    theirs = LinearDiscriminantAnalysis(solver="lsqr").fit(features, labels)
    agree = gaussians.logits(unseen).argmax(axis=1) == theirs.predict(unseen)
    assert agree.mean() > 0.98
    nearest = gaussians.distances(unseen).argmin(axis=1)
    assert (nearest == gaussians.logits(unseen).argmax(axis=1)).all()


def test_settings_are_chosen_without_a_look_at_the_same_patient():
    labels = [place % 2 for place in range(16)]
    patient_ids = [str(place // 4) for place in range(16)]
    for split in inner_folds(labels, patient_ids, 2, 0):
        assert not {patient_ids[p] for p in split.train} & {patient_ids[p] for p in split.test}
    assert inner_folds(labels, ["one"] * 16, 2, 0) == ()


def test_useless_features_leave_the_text_in_charge():
    generator = np.random.default_rng(0)
    features, labels = blobs(12)
    shuffled = BaselineTask(
        features,
        tuple(generator.permutation(labels).tolist()),
        tuple(map(str, range(36))),
        np.eye(3, WIDTH, dtype=np.float32),
        10.0,
        0,
    )
    assert fit_gda(shuffled).alpha <= 1.0
    assert fit_tip_adapter(shuffled).alpha <= 10.0


def test_methods_that_choose_their_settings_state_probabilities_of_their_own_size():
    noisy, unseen = task(12, spread=0.5), blobs(100, seed=1, spread=0.5)
    for method in ("tip_adapter", "gda"):
        found = FROZEN_METHODS[method](noisy).probabilities(unseen[0])
        sureness, right = found.max(axis=1).mean(), (found.argmax(axis=1) == unseen[1]).mean()
        assert abs(sureness - right) < 0.15
