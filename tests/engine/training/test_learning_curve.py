"""What further examples are worth, where that can be said at all."""

from __future__ import annotations

import re

import numpy as np
import pytest

from clipsvd_app.domain.results.evaluation import LearningPoint
from clipsvd_app.domain.words.evaluation import learning_curve_text, more_examples_text
from clipsvd_app.engine.baselines.task import BaselineTask
from clipsvd_app.engine.statistics.power_law import fit_power_law
from clipsvd_app.engine.training.learning_curve import learning_curve
from clipsvd_app.errors import Cancelled

SIZES = (1, 2, 4, 8, 16)
WIDTH = 24
NAMES = ("no", "yes")


def quiet(*_):
    """Take progress and drop it."""


def task(images: int, spread: float, seed: int = 0) -> BaselineTask:
    generator = np.random.default_rng(seed)
    labels = tuple(place % 2 for place in range(images))
    rows = np.eye(2, WIDTH)[list(labels)] + spread * generator.normal(size=(images, WIDTH))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    texts = np.eye(2, WIDTH, k=4, dtype=np.float32)
    patient_ids = tuple(str(place) for place in range(images))
    return BaselineTask(rows.astype(np.float32), labels, patient_ids, texts, 10.0, 0)


def test_a_power_law_is_found_again():
    generator = np.random.default_rng(0)
    errors = [0.4 * size**-0.5 * generator.normal(1, 0.02, 8) for size in SIZES]
    law = fit_power_law(SIZES, errors)
    assert (law.amount, law.rate) == (pytest.approx(0.4, rel=0.05), pytest.approx(0.5, abs=0.03))
    assert law.is_good
    assert law.error(16) == pytest.approx(0.1, rel=0.05)
    # From 16 to 64 the error halves.
    assert law.examples_for(16, law.error(16) / 2) == pytest.approx(48, rel=0.15)
    gain, low, high = law.gain(16, 48)
    assert low <= gain <= high
    assert gain == pytest.approx(0.05, rel=0.15)


def test_errors_that_do_not_fall_are_no_law():
    flat = [np.random.default_rng(size).normal(0.4, 0.05, 8) for size in SIZES]
    assert not fit_power_law(SIZES, flat).is_good
    rising = [np.full(8, 0.1 * size**0.3) for size in SIZES]
    law = fit_power_law(SIZES, rising)
    assert not law.is_good
    assert law.examples_for(16, 0.03) == float("inf")


def test_the_curve_rises_and_says_what_more_examples_promise():
    curve = learning_curve(task(80, 0.6), NAMES, None, quiet)
    assert curve is not None
    for method in ("text_probe", "gda"):
        points = [point for point in curve.points if point.method == method]
        assert [point.shots for point in points] == [1, 2, 4, 8, 16, 30]
        assert points[0].balanced_accuracy < points[-1].balanced_accuracy
        assert all(p.low <= p.balanced_accuracy <= p.high for p in points)
    for advice in curve.advice:
        assert 0 < advice.more <= 40
        assert f"{advice.more} more, with as many" in more_examples_text(advice)


def test_noise_asks_for_no_further_examples():
    noise = task(60, 0.5)
    shuffled = tuple(np.random.default_rng(1).permutation(noise.labels).tolist())
    blind = BaselineTask(noise.features, shuffled, noise.patient_ids, noise.texts, 10.0, 0)
    curve = learning_curve(blind, NAMES, None, quiet)
    assert curve is not None
    assert curve.advice == ()


def test_clip_svd_is_one_point_and_said_to_be():
    point = LearningPoint(20, "clip_svd", 0.6, 0.6, 0.6, 1)
    curve = learning_curve(task(40, 0.5), NAMES, point, quiet)
    assert curve is not None
    assert curve.points[-1] == point
    assert "at one size only" in learning_curve_text(curve)


def test_a_curve_far_below_clip_svd_advises_nothing():
    hard = task(80, 0.9)
    point = LearningPoint(30, "clip_svd", 0.99, 0.99, 0.99, 1)
    curve = learning_curve(hard, NAMES, point, quiet)
    assert curve is not None
    assert curve.advice == ()
    assert "well above this curve" in learning_curve_text(curve)


def test_too_few_examples_have_no_curve():
    assert learning_curve(task(8, 0.5), NAMES, None, quiet) is None


def test_the_curve_can_be_cancelled():
    def stop(*_):
        raise Cancelled

    with pytest.raises(Cancelled):
        learning_curve(task(40, 0.5), NAMES, None, stop)


@pytest.mark.parametrize("spread", [0.3, 0.4, 0.5, 0.6, 0.8])
def test_a_range_is_said_only_where_it_is_one(spread):
    curve = learning_curve(task(80, spread), NAMES, None, quiet)
    assert curve is not None
    for text in (learning_curve_text(curve), *map(more_examples_text, curve.advice)):
        assert not re.search(r"\((-?\d+) to \1\)", text)
