"""Split conformal sets: by hand, in their promise, and with several images a patient."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, betabinom

from clipsvd_app.domain.words.evaluation import prediction_sets_text
from clipsvd_app.engine.statistics.conformal import (
    alpha_for,
    conformal_sets,
    coverage_range,
    members_of,
    threshold_of,
)
from clipsvd_app.engine.statistics.metrics import softmax


def drawn(images: int, seed: int):
    generator = np.random.default_rng(seed)
    logits = generator.normal(scale=2, size=(images, 4))
    truth = np.array([generator.choice(4, p=row) for row in softmax(logits)])
    return softmax(1.5 * logits), truth


def singles(count: int) -> list[str]:
    return [str(place) for place in range(count)]


@pytest.mark.parametrize(
    ("patients", "alpha"), [(3, None), (4, 0.2), (8, 0.2), (9, 0.1), (18, 0.1), (19, 0.05), (500, 0.05)]
)
def test_so_many_patients_can_promise_so_much(patients, alpha):
    assert alpha_for(patients) == alpha


@pytest.mark.parametrize("count", [4, 9, 10, 19, 23, 100])
@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.2])
def test_with_one_image_a_patient_the_threshold_is_the_textbook_rank(count, alpha):
    scores = np.random.default_rng(count).random(count)
    # k of n + 1 ranks, counted in whole numbers: the least k with k / (n + 1) >= 1 - alpha.
    rank = next(k for k in range(1, count + 2) if round(100 * k) >= round(100 * (1 - alpha)) * (count + 1))
    expected = 1.0 if rank > count else np.sort(scores)[rank - 1]
    assert threshold_of(scores, singles(count), alpha) == expected


def test_a_patient_with_many_images_weighs_as_much_as_one_with_a_single_image():
    scores = np.array([0.9] * 50 + [0.1, 0.2, 0.3, 0.4])
    patient_ids = ["many"] * 50 + ["a", "b", "c", "d"]
    # Five patients, alpha 0.4: four of them have to be reached.
    assert threshold_of(scores, patient_ids, 0.4) == 0.4


def test_sets_hold_as_promised_over_fifty_draws():
    coverages = []
    for seed in range(50):
        known, truth = drawn(60, seed)
        new, new_truth = drawn(400, 1000 + seed)
        threshold = threshold_of(1 - known[np.arange(60), truth], singles(60), 0.1)
        coverages.append(members_of(new, threshold)[np.arange(400), new_truth].mean())
    # 60 scores, rank 55: single draws of 400 are beta-binomial, and their mean is 55/61.
    low, high = betabinom.ppf([0.025, 0.975], 400, 55, 6) / 400
    assert sum(low <= value <= high for value in coverages) >= 44
    assert np.mean(coverages) == pytest.approx(55 / 61, abs=0.02)


def test_the_stated_range_is_that_of_the_beta_distribution():
    span = coverage_range(60, 0.1)
    assert (span.low, span.high) == pytest.approx(tuple(beta.ppf([0.025, 0.975], 55, 6)))
    assert coverage_range(9, 0.1).low < 0.7


def judged(members, truth) -> np.ndarray:
    return members[np.arange(len(truth)), truth]


@given(st.integers(5, 45), st.integers(1, 4), st.integers(0, 2**32 - 1), st.booleans())
def test_sets_of_the_evaluated_images_hold_as_promised_whatever_the_scores(patients, images, seed, rounded):
    """Averaged over the patients of a run this is no matter of luck, also with ties and few patients."""
    generator = np.random.default_rng(seed)
    patient_ids = np.repeat(np.arange(patients), generator.integers(1, images + 1, patients))
    probabilities = generator.dirichlet(np.ones(3), len(patient_ids))
    if rounded:
        probabilities = probabilities.round(1)
    truth = generator.integers(0, 3, len(patient_ids))
    found = conformal_sets(probabilities, truth, [str(group) for group in patient_ids], kept_fit=False)
    held = judged(found.members, truth)
    share = np.mean([held[patient_ids == patient].mean() for patient in range(patients)])
    assert share >= 1 - found.summary.alpha - 1e-9


@pytest.mark.parametrize("patients", [5, 10, 11, 20, 23])
def test_with_few_patients_the_sets_still_leave_classes_out(patients):
    """The chance of error fits the patients that calibrate, one less than there are."""
    sure = np.where(np.eye(3)[np.arange(patients) % 3] > 0, 0.9, 0.05)
    found = conformal_sets(sure, np.arange(patients) % 3, singles(patients), kept_fit=True)
    assert found.summary.mean_size == 1.0
    assert found.summary.threshold == pytest.approx(0.1)


def test_no_image_has_a_say_in_its_own_set_nor_in_those_of_its_patient():
    probabilities, truth = drawn(60, 5)
    patient_ids = [str(place // 2) for place in range(60)]
    before = conformal_sets(probabilities, truth, patient_ids, kept_fit=True).members
    changed = truth.copy()
    changed[:2] = (changed[:2] + 1) % 4
    after = conformal_sets(probabilities, changed, patient_ids, kept_fit=True).members
    assert (before[:2] == after[:2]).all()


def test_new_patients_with_several_images_are_held_as_promised():
    """Each draw: 20 patients calibrate, each with a skill of their own; one new patient is judged."""
    generator = np.random.default_rng(0)
    held = []
    for _ in range(3000):
        images = generator.integers(1, 6, 21)
        patient_ids = np.repeat(np.arange(21), images)
        scores = (
            generator.normal(size=21)[patient_ids] + 0.3 * generator.normal(size=len(patient_ids))
        ).round(1)
        known = patient_ids < 20
        bound = threshold_of(scores[known], patient_ids[known].tolist(), 0.1)
        held.append((scores[~known] <= bound).mean())
    # 1 of 22 ranks lies above the largest: about 19 of 21 patients are held, and never fewer than 9 of 10.
    assert 0.9 - 3 * 0.3 / 3000**0.5 < np.mean(held) < 0.95


def test_what_is_said_is_what_holds():
    probabilities, truth = drawn(40, 1)
    kept = conformal_sets(probabilities, truth, singles(40), kept_fit=True).summary
    crossed = conformal_sets(probabilities, truth, singles(40), kept_fit=False).summary
    assert "at least 95.0\N{NO-BREAK SPACE}% of patients on average" in prediction_sets_text(kept)
    assert "40 calibration patients" in prediction_sets_text(kept)
    assert kept.coverage_range == coverage_range(40, 0.05)
    # After cross-validation nothing is promised for images that no scored fit has answered.
    assert crossed.threshold is crossed.coverage_range is None
    assert "New images have no sets" in prediction_sets_text(crossed)


@pytest.mark.parametrize("patients", [1, 3, 4])
def test_too_few_patients_give_no_sets(patients):
    probabilities, truth = drawn(12, 0)
    patient_ids = [str(place % patients) for place in range(12)]
    assert conformal_sets(probabilities, truth, patient_ids, kept_fit=True) is None
