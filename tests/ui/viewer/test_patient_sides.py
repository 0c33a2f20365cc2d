"""Facts about the letters at the edges of the viewer and the line on the slice."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFontMetrics

from clipsvd_app.domain.view import Window
from clipsvd_app.imaging.values import Frame, FramePlace
from clipsvd_app.ui.viewer.controllers.frame_states import slice_line
from clipsvd_app.ui.viewer.pane.corner_layer import wrapped
from clipsvd_app.ui.viewer.state import FrameState
from clipsvd_app.ui.viewer.viewer import ImageViewer

pytestmark = pytest.mark.gui
ROWS, COLUMNS = 60, 80
MIDDLES = {"R": (0, ROWS / 2), "H": (COLUMNS / 2, 0), "L": (COLUMNS, ROWS / 2), "F": (COLUMNS / 2, ROWS)}
EDGES = ("R", "H", "L", "F")


@pytest.fixture
def viewer(qtbot, theme):
    made = ImageViewer(theme)
    qtbot.addWidget(made)
    made.resize(700, 560)
    made.show()
    qtbot.waitExposed(made)
    made.set_frame(FrameState(1, np.zeros((ROWS, COLUMNS), np.float32), edges=EDGES, series_key="1"))
    return made


@pytest.mark.parametrize("keys", ["", "Q", "QQ", "QQQ", "H", "V", "HQ", "QH", "QVH", "HQQV", "VQQQ"])
def test_the_letters_follow_the_picture_as_it_is_turned_and_mirrored(viewer, qtbot, keys):
    for key in keys:
        qtbot.keyClick(viewer, key.lower())
    seen = {side: viewer.pane.canvas.to_viewport(QPointF(*at)) for side, at in MIDDLES.items()}
    by_x = sorted(seen, key=lambda side: seen[side].x())
    by_y = sorted(seen, key=lambda side: seen[side].y())
    assert viewer.pane.corner.state.edges == (by_x[0], by_y[0], by_x[-1], by_y[-1])


def test_an_image_that_does_not_say_how_it_lies_has_no_letters(viewer):
    viewer.set_frame(FrameState(2, np.zeros((ROWS, COLUMNS), np.float32), series_key="2"))
    assert viewer.pane.corner.state.edges is None


def test_letters_are_painted_on_the_four_edges(viewer, qtbot):
    viewer.pane.canvas.grab()
    plain = viewer.pane.corner.grab().toImage()
    qtbot.keyClick(viewer, Qt.Key.Key_B)
    assert viewer.pane.corner.grab().toImage() != plain


def test_a_line_on_the_slice_is_broken_between_its_parts_before_the_letter_below(viewer):
    metrics = QFontMetrics(viewer.font())
    line, other = "Slice 61 of 200 · 142.5 mm · 5 mm thick · 2.5 mm apart", "512 × 512"
    assert wrapped((line, other), metrics, 10_000) == (line, other)
    narrow = wrapped((line, other), metrics, metrics.horizontalAdvance("Slice 61 of 200 · 142.5 mm"))
    assert narrow[0] == "Slice 61 of 200 · 142.5 mm"
    assert " · ".join(narrow[:-1]) == line
    assert len(wrapped((line,), metrics, 1)) == 4


def frame(**place) -> Frame:
    values = np.zeros((4, 4), np.float32)
    return Frame(values, Window(0, 1), (), False, None, None, "", place=FramePlace(**place))


def test_the_line_on_a_slice_says_number_place_thickness_and_distance():
    places = [2.5 * number for number in range(200)]
    said = frame(along_mm=142.5, thickness_mm=5.0, spacing_mm=5.0)
    assert slice_line(places, 60, said) == ("Slice 61 of 200 · 142.5 mm · 5 mm thick · 2.5 mm apart",)
    evenly = frame(along_mm=-12.0, thickness_mm=2.5)
    assert slice_line(places, 199, evenly) == ("Slice 200 of 200 · −12 mm · 2.5 mm thick",)


def test_the_distance_that_a_file_states_serves_where_places_say_none():
    places = [3.0, 3.0, 1e5 + 3]  # repeated, and of another orientation
    said = frame(along_mm=3.0, thickness_mm=1.0, spacing_mm=1.5)
    for number in (1, 2):
        assert slice_line(places, number, said)[0].endswith("1 mm thick · 1.5 mm apart")


def test_pictures_of_a_series_are_numbered_and_alone_say_nothing():
    assert slice_line([1e7, 1e7 + 1], 0, frame()) == ("Image 1 of 2",)
    assert slice_line([0.0], 0, frame()) == ()
    assert slice_line([0.0], 0, frame(thickness_mm=5.0)) == ("5 mm thick",)
