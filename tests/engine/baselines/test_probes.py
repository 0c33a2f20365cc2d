"""The linear probe and the text probe."""

from __future__ import annotations

import numpy as np

from clipsvd_app.engine.baselines.linear_probe import choose_strength, fit_linear_probe
from clipsvd_app.engine.baselines.text_probe import fit_text_probe


def blobs(per_class: int, classes: int = 3, spread: float = 0.2, seed: int = 0):
    generator = np.random.default_rng(seed)
    centres = np.eye(classes, 16)
    labels = [label for label in range(classes) for _ in range(per_class)]
    rows = centres[labels] + spread * generator.normal(size=(len(labels), 16))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32), labels, [str(place) for place in range(len(labels))]


def test_the_linear_probe_tells_separate_classes_apart():
    rows, labels, patient_ids = blobs(8)
    probe = fit_linear_probe(rows, labels, patient_ids, 3, 0)
    unseen, truth, _ = blobs(20, seed=1)
    found = probe.probabilities(unseen)
    assert (found.argmax(axis=1) == truth).mean() > 0.95
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert probe.trainable_parameters == 3 * 16 + 3


def test_one_example_of_each_class_is_enough_to_fit():
    rows, labels, patient_ids = blobs(1)
    probe = fit_linear_probe(rows, labels, patient_ids, 3, 0)
    assert probe.strength == choose_strength(rows, labels, ["one"] * 3, 3, 0), "no folds to choose on"
    assert (probe.probabilities(rows).argmax(axis=1) == labels).all()


def test_noise_asks_for_a_stronger_penalty_than_signal():
    signal, labels, patient_ids = blobs(12, spread=0.05)
    noise = np.random.default_rng(0).normal(size=signal.shape).astype(np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    assert choose_strength(noise, labels, patient_ids, 3, 0) < choose_strength(
        signal, labels, patient_ids, 3, 0
    )


def test_many_quiet_features_without_meaning_do_not_drown_a_telling_one():
    generator = np.random.default_rng(0)
    labels = [place % 2 for place in range(300)]
    rows = 0.02 * generator.normal(size=(300, 400))
    rows[:, 0] += np.array(labels) - 0.5
    probe = fit_linear_probe(rows[:8].astype(np.float32), labels[:8], [str(i) for i in range(8)], 2, 0)
    guess = probe.probabilities(rows[8:].astype(np.float32)).argmax(axis=1)
    assert (guess == labels[8:]).mean() > 0.9


def test_neither_an_offset_nor_the_size_of_the_features_changes_the_probe():
    rows, labels, patient_ids = blobs(6)
    plain = fit_linear_probe(rows, labels, patient_ids, 3, 0)
    moved = fit_linear_probe(rows * 0.01 + 3, labels, patient_ids, 3, 0)
    np.testing.assert_allclose(plain.probabilities(rows), moved.probabilities(rows * 0.01 + 3), atol=1e-3)


def test_a_class_that_was_not_trained_on_gets_no_probability():
    rows, labels, patient_ids = blobs(4, classes=2)
    found = fit_linear_probe(rows, labels, patient_ids, 3, 0).probabilities(rows)
    assert found.shape == (8, 3)
    assert (found[:, 2] == 0).all()


def test_without_labels_the_text_decides():
    texts = np.eye(2, 16, dtype=np.float32)
    rows, _, _ = blobs(3, classes=2)
    probe = fit_text_probe(rows[:0], [], texts, 10.0)
    assert (probe.probabilities(rows).argmax(axis=1) == [0, 0, 0, 1, 1, 1]).all()


def test_labels_overrule_a_text_that_points_the_wrong_way():
    texts = np.eye(2, 16, dtype=np.float32)[::-1].copy()
    rows, labels, _ = blobs(6, classes=2)
    probe = fit_text_probe(rows, labels, texts, 10.0)
    assert (probe.probabilities(rows).argmax(axis=1) == labels).all()
