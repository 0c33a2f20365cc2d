"""One temperature, reliability with counts, and risk against coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from clipsvd_app.domain.results.evaluation import Calibration, Evaluation
from clipsvd_app.domain.words.evaluation import calibration_text
from clipsvd_app.engine.statistics.abstention import coverage_risk
from clipsvd_app.engine.statistics.calibration import (
    PRIOR_MEAN,
    PRIOR_SPREAD,
    apply_temperature,
    calibrate,
    fit_temperature,
    reliability_bins,
)
from clipsvd_app.engine.statistics.metrics import softmax


def too_sure(images: int, temperature: float, seed: int = 0):
    """Labels drawn from known probabilities, and logits that are too large by the temperature."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(scale=1.5, size=(images, 3))
    truth = np.array([generator.choice(3, p=row) for row in softmax(logits)])
    return softmax(temperature * logits), truth


def test_with_many_images_the_true_temperature_is_found():
    probabilities, truth = too_sure(4000, 2.5)
    assert fit_temperature(probabilities, truth) == pytest.approx(2.5, rel=0.08)


def test_without_images_the_prior_alone_decides():
    nothing = np.empty((0, 3)), np.empty(0, dtype=np.int64)
    assert fit_temperature(*nothing) == pytest.approx(math.exp(PRIOR_MEAN), rel=1e-4)


def test_the_temperature_is_the_greatest_posterior_of_another_optimiser():
    probabilities, truth = too_sure(30, 3.0)
    logits = np.log(probabilities)

    def cost(parameters):
        scaled = softmax(logits / math.exp(parameters[0]))
        surprise = -np.log(scaled[np.arange(30), truth]).sum()
        return surprise + (parameters[0] - PRIOR_MEAN) ** 2 / (2 * PRIOR_SPREAD**2)

    theirs = minimize(cost, [0.0], method="Nelder-Mead", options={"xatol": 1e-8})
    assert fit_temperature(probabilities, truth) == pytest.approx(math.exp(theirs.x[0]), rel=1e-4)


def words(calibration: Calibration, images: int) -> str:
    return calibration_text(Evaluation("held_out", images=images, calibration=calibration))


def test_calibration_lowers_the_loss_on_patients_it_was_not_chosen_on_and_moves_no_answer():
    probabilities, truth = too_sure(200, 3.0)
    found = calibrate(probabilities, truth, [str(place // 2) for place in range(200)])
    assert found.summary.negative_log_likelihood_after < found.summary.negative_log_likelihood_before
    assert found.summary.brier_after < found.summary.brier_before
    assert (found.probabilities.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    assert "overconfident" in words(found.summary, 200)


def test_no_patient_takes_part_in_choosing_its_own_temperature():
    probabilities, truth = too_sure(60, 3.0)
    patient_ids = [str(place // 3) for place in range(60)]
    before = calibrate(probabilities, truth, patient_ids).probabilities
    changed = truth.copy()
    changed[:3] = (changed[:3] + 1) % 3
    after = calibrate(probabilities, changed, patient_ids).probabilities
    assert (before[:3] == after[:3]).all()
    assert not (before == after).all()


def test_below_a_hundred_images_no_single_calibration_error_is_spoken_of():
    sentences = [
        words(calibrate(*too_sure(n, 2.0), [str(i) for i in range(n)]).summary, n) for n in (40, 150)
    ]
    assert "40 images are too few for a calibration error" in sentences[0]
    assert "too few" not in sentences[1]


def test_bins_count_every_image_once_and_carry_wilsons_interval():
    probabilities, truth = too_sure(150, 1.0)
    bins = reliability_bins(probabilities, truth, [str(place) for place in range(len(truth))])
    assert sum(found.images for found in bins) == 150
    assert all(found.low <= found.confidence <= found.high for found in bins)
    assert all(found.interval.low <= found.accuracy <= found.interval.high for found in bins)
    assert bins[-1].high == 1.0
    assert reliability_bins(np.eye(2), np.array([0, 1]), ["a", "b"])[0].accuracy == 1.0


def test_a_temperature_of_one_changes_nothing():
    probabilities, _ = too_sure(10, 1.0)
    np.testing.assert_allclose(apply_temperature(probabilities, 1.0), probabilities)


def test_risk_is_counted_among_the_most_certain_first():
    probabilities = np.array([[0.99, 0.01], [0.9, 0.1], [0.8, 0.2], [0.6, 0.4]])
    curve = coverage_risk(probabilities, np.array([0, 0, 1, 1]))
    assert [(point.coverage, point.risk) for point in curve] == [
        (0.25, 0.0),
        (0.5, 0.0),
        (0.75, pytest.approx(1 / 3)),
        (1.0, 0.5),
    ]


def test_a_temperature_that_is_no_gain_is_called_none():
    patient_ids = [str(place) for place in range(24)]
    found = [calibrate(*too_sure(24, 1.0, seed), patient_ids).summary for seed in range(8)]
    # By less than a hundredth it would be called too sure of itself and shown to lose as much as before.
    worse = [one.negative_log_likelihood_before - one.negative_log_likelihood_after <= 0.005 for one in found]
    assert worse == ["no gain" in words(one, 24) for one in found]
    assert any(worse)
