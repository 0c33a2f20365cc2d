"""Split conformal sets: by hand, in their promise, and with several images a patient."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, betabinom

from clipsvd_app.engine.evaluation.conformal import (
    alpha_for,
    conformal_sets,
    coverage_range,
    members_of,
    threshold_of,
)
from clipsvd_app.engine.ladder.task import softmax


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
    groups = ["many"] * 50 + ["a", "b", "c", "d"]
    # Five patients, alpha 0.4: four of them have to be reached.
    assert threshold_of(scores, groups, 0.4) == 0.4


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


def test_the_realised_coverage_is_counted_on_other_patients():
    probabilities, truth = drawn(120, 3)
    found = conformal_sets(probabilities, truth, [str(place // 2) for place in range(120)])
    assert found is not None
    assert (found.summary.alpha, found.summary.images) == (0.05, 120)
    assert found.summary.coverage == found.members[np.arange(120), truth].mean()
    assert found.summary.mean_size == found.members.sum(axis=1).mean()
    assert 0.85 < found.summary.coverage <= 1


def test_too_few_patients_give_no_sets():
    probabilities, truth = drawn(12, 0)
    assert conformal_sets(probabilities, truth, ["a", "b", "c"] * 4) is None
