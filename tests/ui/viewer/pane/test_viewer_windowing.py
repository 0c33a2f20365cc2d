"""Facts about the display window."""

from __future__ import annotations

import numpy as np

from clipsvd_app.domain.view import Window
from clipsvd_app.ui.viewer.pane.window_drag import dragged, heat_lut, least_width


def test_dragging_to_the_right_widens_and_down_raises_the_centre():
    before = Window(40, 400)
    after = dragged(before, 50, 20, 1.0)
    assert after.width > before.width
    assert after.centre > before.centre


def test_no_drag_makes_a_window_narrower_than_one_step():
    after = dragged(Window(40, 400), -100_000, 0, least_width(Window(40, 400), np.dtype(np.uint16)))
    assert after.width == 1.0


def test_the_heat_map_is_clear_where_there_is_nothing():
    assert heat_lut()[0, 3] == 0
    assert heat_lut()[-1, 3] == 255
