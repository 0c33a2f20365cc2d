"""Whole patients on one side."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clipsvd_app.engine.data.splits import (
    Split,
    check_classes,
    draw_shots,
    folds_by_patient,
    inner_split,
    patient_folds,
    patients_in_smallest_class,
    set_aside,
)
from clipsvd_app.errors import UserError

images = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12)), min_size=6, max_size=60)


def columns(rows):
    return [label for label, _ in rows], [f"p{group}" for _, group in rows]


@given(images, st.integers(1, 16), st.integers(0, 3))
def test_no_patient_trains_and_tests(rows, shots, seed):
    labels, patient_ids = columns(rows)
    split = draw_shots(labels, patient_ids, shots, seed)
    assert not {patient_ids[place] for place in split.train} & {patient_ids[place] for place in split.test}
    assert not set(split.train) & set(split.test)
    assert all(sum(labels[p] == label for p in split.train) <= shots for label in set(labels))
    everyone = range(len(rows))
    trained = {patient_ids[place] for place in split.train}
    assert set(split.test) == {place for place in everyone if patient_ids[place] not in trained}
    assert draw_shots(labels, patient_ids, shots, seed) == split


@given(images, st.integers(0, 3))
def test_folds_keep_patients_together_and_test_every_image_once(rows, seed):
    labels, patient_ids = columns(rows)
    count = min(3, patients_in_smallest_class(labels, patient_ids))
    assume(count >= 2)
    folds = folds_by_patient(labels, patient_ids, count, seed)
    for fold in folds:
        assert not {patient_ids[place] for place in fold.train} & {patient_ids[place] for place in fold.test}
    assert sorted(place for fold in folds for place in fold.test) == list(range(len(rows)))


@given(images, st.integers(0, 3))
def test_an_inner_split_has_every_class_on_both_sides_or_is_none(rows, seed):
    labels, patient_ids = columns(rows)
    split = inner_split(labels, patient_ids, seed)
    if split is not None:
        for side in (split.train, split.test):
            assert {labels[place] for place in side} == set(labels)
        assert not {patient_ids[p] for p in split.train} & {patient_ids[p] for p in split.test}


def test_more_shots_than_images_leave_a_patient_to_test():
    labels, patient_ids = [0, 0, 1, 1], ["a", "b", "c", "d"]
    split = draw_shots(labels, patient_ids, 10, 0)
    assert {labels[place] for place in split.test} == {0, 1}


def test_one_class_and_an_empty_class_are_refused_with_their_names():
    with pytest.raises(UserError, match="only one class"):
        check_classes([0, 0], ["mass"])
    with pytest.raises(UserError, match="“cyst” has no image"):
        check_classes([0, 0], ["mass", "cyst"])


@given(images, st.sets(st.integers(0, 12)), st.one_of(st.none(), st.integers(1, 8)), st.integers(0, 3))
def test_whatever_is_asked_no_patient_is_on_two_sides_and_none_set_aside_trains(rows, chosen, shots, seed):
    labels, patient_ids = columns(rows)
    locked = {f"p{group}" for group in chosen}
    free, aside = set_aside(patient_ids, locked).sides
    drawn = Split(free, aside)
    if shots is not None and free:
        inner = draw_shots([labels[p] for p in free], [patient_ids[p] for p in free], shots, seed).within(
            free
        )
        drawn = Split(inner.train, aside)
    trained = {patient_ids[place] for place in drawn.train}
    assert not trained & {patient_ids[place] for place in drawn.test}
    assert not trained & locked
    assert {patient_ids[place] for place in aside} <= locked
    assert sorted((*free, *aside)) == list(range(len(rows)))


@given(st.lists(st.integers(0, 12), min_size=1, max_size=60), st.integers(1, 20))
def test_folds_of_patients_keep_each_patient_together_and_are_about_even(patients, count):
    patient_ids = [f"p{patient}" for patient in patients]
    folds = patient_folds(patient_ids, count)
    of_patient = {
        group: {fold for g, fold in zip(patient_ids, folds.tolist(), strict=True) if g == group}
        for group in patient_ids
    }
    assert all(len(found) == 1 for found in of_patient.values())
    sizes = np.bincount([next(iter(found)) for found in of_patient.values()])
    assert len(sizes) == min(count, len(of_patient))
    assert sizes.max() - sizes.min() <= 1
