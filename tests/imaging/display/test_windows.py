"""The formulas and examples of DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipsvd_app.domain.view import Window
from clipsvd_app.imaging.display.windows import (
    IDENTITY_8_BIT,
    apply_window,
    default_window,
    is_usable,
    percentile_window,
)

NUMBERS = st.floats(-1e5, 1e5, width=32)
WINDOWS = st.builds(
    Window,
    st.floats(-1e4, 1e4),
    st.floats(1.0, 1e4),
    st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]),
)


def linear(x: float, centre: float, width: float) -> float:
    """C.11.2.1.2.1 as it is written, with an output range of 0 to 255."""
    if x <= centre - 0.5 - (width - 1) / 2:
        return 0.0
    if x > centre - 0.5 + (width - 1) / 2:
        return 255.0
    return ((x - (centre - 0.5)) / (width - 1) + 0.5) * 255


def grey(x: float, window: Window) -> int:
    return int(apply_window(np.array([x]), window)[0])


@pytest.mark.parametrize(
    ("x", "window", "expected"),
    [
        # c=2048, w=4096: 0 and below is black, above 4095 is white.
        (0, Window(2048, 4096), 0),
        (-1, Window(2048, 4096), 0),
        (4095, Window(2048, 4096), 255),
        (5000, Window(2048, 4096), 255),
        (2047.5, Window(2048, 4096), 128),
        # c=2048, w=1: a threshold between 2047 and 2048.
        (2047, Window(2048, 1), 0),
        (2047.5, Window(2048, 1), 0),
        (2048, Window(2048, 1), 255),
        # c=0, w=100: black to -50, white above 49.
        (-50, Window(0, 100), 0),
        (-49, Window(0, 100), 3),
        (49, Window(0, 100), 255),
        (0, Window(0, 1), 255),
        (-0.5, Window(0, 1), 0),
        # LINEAR_EXACT, c=2048, w=4096 and c=0, w=100.
        (0, Window(2048, 4096, "LINEAR_EXACT"), 0),
        (2048, Window(2048, 4096, "LINEAR_EXACT"), 128),
        (4096, Window(2048, 4096, "LINEAR_EXACT"), 255),
        (-50, Window(0, 100, "LINEAR_EXACT"), 0),
        (50, Window(0, 100, "LINEAR_EXACT"), 255),
        (25, Window(0, 100, "LINEAR_EXACT"), 191),
        # SIGMOID: half way at the centre, 255 / (1 + e**-2) half a width above.
        (40, Window(40, 400, "SIGMOID"), 128),
        (240, Window(40, 400, "SIGMOID"), round(255 / (1 + math.exp(-2)))),
        (-160, Window(40, 400, "SIGMOID"), round(255 / (1 + math.exp(2)))),
    ],
)
def test_the_examples_of_the_standard(x, window, expected):
    assert grey(x, window) == expected


@given(NUMBERS, st.floats(-1e4, 1e4), st.floats(1.01, 1e4))
def test_a_linear_window_is_the_formula_of_the_standard(x, centre, width):
    assert abs(grey(x, Window(centre, width)) - linear(x, centre, width)) <= 0.51 + 255 * 0.01 / (width - 1)


@given(st.lists(NUMBERS, min_size=2, max_size=50), WINDOWS)
def test_a_brighter_value_is_never_shown_darker(values, window):
    ordered = np.sort(np.asarray(values, np.float32))
    assert (np.diff(apply_window(ordered, window).astype(int)) >= 0).all()


@given(WINDOWS)
def test_a_window_spans_black_to_white(window):
    ends = np.array([window.centre - 30 * window.width, window.centre + 30 * window.width])
    assert apply_window(ends, window).tolist() == [0, 255]


def test_the_identity_window_changes_no_grey():
    greys = np.arange(256, dtype=np.uint8)
    assert np.array_equal(apply_window(greys, IDENTITY_8_BIT), greys)


def test_values_that_are_no_number_are_black():
    assert apply_window(np.array([np.nan, np.inf, -np.inf]), Window(0, 2)).tolist() == [0, 255, 0]


@pytest.mark.parametrize(
    "window", [Window(0, 0), Window(0, -5), Window(0, 0.5), Window(math.nan, 10), Window(0, math.inf)]
)
def test_windows_that_the_standard_forbids_are_not_usable(window):
    assert not is_usable(window)


def test_a_ct_without_a_window_shows_soft_tissue_whatever_its_range():
    pixels = np.linspace(-1000, 30000, 100, dtype=np.float32)
    assert default_window(pixels, "HU", 16)[0] == Window(40.0, 400.0)
    assert default_window(pixels, "HU", 16, body_part="HEAD")[0] == Window(40.0, 80.0)
    assert default_window(pixels, "HU", 16, body_part="Knee")[0] == Window(400.0, 1800.0)
    assert default_window(pixels, "HU", 16, body_part="CHEST")[0] == Window(40.0, 400.0)


def test_a_wide_range_shows_its_percentiles_and_leaves_padding_out():
    pixels = np.concatenate([np.full(5000, -2000.0), np.linspace(0, 1000, 10_001)]).astype(np.float32)
    window, by_pixels = default_window(pixels, "", 16, padding=-2000.0)
    assert by_pixels
    assert window.centre - window.width / 2 == pytest.approx(5, abs=1)
    assert window.centre + window.width / 2 == pytest.approx(995, abs=1)


def test_eight_bits_are_shown_as_they_are():
    assert default_window(np.array([10.0, 30.0]), "", 8) == (IDENTITY_8_BIT, False)


def test_rescaled_values_of_eight_bits_show_their_own_range():
    share = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    window, by_pixels = default_window(share, "", None)
    assert by_pixels
    assert np.ptp(apply_window(share, window)) == 255


def test_a_flat_frame_has_a_usable_window():
    window = percentile_window(np.full((4, 4), 7.0, np.float32), None, 0, 100)
    assert is_usable(window)
