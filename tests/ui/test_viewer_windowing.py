"""Facts about the display window."""

from __future__ import annotations

import numpy as np
import pytest

from clipsvd_app.jobs import WindowSpec
from clipsvd_app.ui.viewer.windowing import dragged, heat_lut, least_width, levels_of, lut_of


def test_a_linear_window_ends_where_the_standard_says():
    assert levels_of(WindowSpec(40, 400)) == (-160.0, 239.0)


def test_an_exact_window_is_centred():
    assert levels_of(WindowSpec(0.5, 1.0, "LINEAR_EXACT")) == (0.0, 1.0)


def test_a_window_of_width_one_still_tells_black_from_white():
    low, high = levels_of(WindowSpec(10, 1))
    assert low < high


def test_a_sigmoid_is_half_grey_at_its_centre_and_steepest_there():
    table = lut_of(WindowSpec(0, 100, "SIGMOID"), inverted=False).astype(int)
    assert table[127] < 128 <= table[128]
    assert table[0] == pytest.approx(0, abs=1)
    middle, outer = table[144] - table[112], table[80] - table[48]
    assert middle > 2 * outer


def test_inversion_turns_the_table_round():
    window = WindowSpec(0, 100)
    assert (lut_of(window, inverted=True) == lut_of(window, inverted=False)[::-1]).all()


def test_dragging_to_the_right_widens_and_down_raises_the_centre():
    before = WindowSpec(40, 400)
    after = dragged(before, 50, 20, 1.0)
    assert after.width > before.width
    assert after.centre > before.centre


def test_no_drag_makes_a_window_narrower_than_one_step():
    after = dragged(WindowSpec(40, 400), -100_000, 0, least_width(WindowSpec(40, 400), np.dtype(np.uint16)))
    assert after.width == 1.0


def test_the_heat_map_is_clear_where_there_is_nothing():
    assert heat_lut()[0, 3] == 0
    assert heat_lut()[-1, 3] == 255
