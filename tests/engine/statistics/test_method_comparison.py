"""McNemar's mid-p and Holm's correction against published tables and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipsvd_app.engine.statistics.comparison import holm, mcnemar_mid_p


def right(first_alone: int, second_alone: int, both: int = 5):
    one = np.repeat([True, False, True], [first_alone, second_alone, both])
    other = np.repeat([False, True, True], [first_alone, second_alone, both])
    return one, other, [str(place) for place in range(len(one))]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    # Fagerland, Lydersen and Laake 2013: airway reactivity (1 and 7), complete response (6 and 16).
    [(1, 7, 0.0391), (6, 16, 0.0347)],
)
def test_mid_p_is_the_published_one(first, second, expected):
    assert mcnemar_mid_p(*right(first, second)) == pytest.approx(expected, abs=5e-5)


def test_mid_p_by_hand():
    # Five against none: 2 (1/2)^5 less (1/2)^5; two against two: 1 less half of 6/16.
    assert mcnemar_mid_p(*right(5, 0)) == pytest.approx(1 / 32)
    assert mcnemar_mid_p(*right(2, 2)) == pytest.approx(1 - 6 / 32)


def test_methods_that_get_the_same_images_right_do_not_differ_at_all():
    assert mcnemar_mid_p(*right(0, 0)) == 1.0
    assert mcnemar_mid_p(*right(0, 0, both=0)) == 1.0


def test_several_images_of_a_patient_are_one_piece_of_evidence():
    one, other, _ = right(8, 0, both=8)
    # Four images a patient: two patients speak for the first method, and two for neither.
    assert mcnemar_mid_p(one, other, [str(place // 4) for place in range(16)]) == pytest.approx(1 / 4)
    # All images of one patient: he alone is no evidence.
    assert mcnemar_mid_p(one, other, ["a"] * 16) == pytest.approx(1 / 2)


@given(st.integers(0, 30), st.integers(0, 30))
def test_the_order_of_the_methods_does_not_matter(first, second):
    assert mcnemar_mid_p(*right(first, second)) == mcnemar_mid_p(*right(second, first))


def test_holm_by_hand():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx((0.06, 0.03, 0.06))
    assert holm([0.6, 0.5]) == (1.0, 1.0)
    assert holm([]) == ()
