"""Facts about lengths, angles and regions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipsvd_app.domain.measures import POINTS_NEEDED, Measure
from clipsvd_app.ui.viewer.tools.drawing import Drawing, begun
from clipsvd_app.ui.viewer.tools.geometry import (
    Region,
    angle_deg,
    distance,
    figures_in,
    region_between,
    region_of,
)
from clipsvd_app.ui.viewer.tools.grabbing import Grab, Outline, grab_at, moved
from clipsvd_app.ui.viewer.tools.measures import MeasureScale, outline_of, words_for

coordinate = st.floats(-500, 500).map(lambda value: round(value, 2))
points = st.tuples(coordinate, coordinate)
spacings = st.one_of(st.none(), st.tuples(st.floats(0.05, 10), st.floats(0.05, 10)))
sizes = st.integers(1, 300)


@given(points, points, points, spacings)
def test_no_way_round_is_shorter_than_the_straight_one(one, other, between, spacing):
    straight = distance(one, other, spacing)
    assert straight == pytest.approx(distance(other, one, spacing))
    assert straight <= distance(one, between, spacing) + distance(between, other, spacing) + 1e-6


@given(points, points, st.floats(0.05, 10))
def test_a_length_grows_with_the_spacing(one, other, spacing):
    assert distance(one, other, (spacing, spacing)) == pytest.approx(spacing * distance(one, other, None))


def test_rows_and_columns_have_a_spacing_each():
    assert distance((0, 0), (3, 0), (5.0, 2.0)) == 6.0
    assert distance((0, 0), (0, 3), (5.0, 2.0)) == 15.0


@given(st.floats(0, 180), st.floats(0, 360), points, st.floats(1, 100))
def test_an_angle_does_not_depend_on_how_it_is_turned(angle, turn, vertex, arm):
    def end(degrees):
        return (
            vertex[0] + arm * math.cos(math.radians(degrees)),
            vertex[1] + arm * math.sin(math.radians(degrees)),
        )

    assert angle_deg(end(turn), vertex, end(turn + angle), None) == pytest.approx(angle, abs=1e-5)


def test_an_angle_is_measured_in_millimetres_not_in_pixels():
    assert angle_deg((1, 0), (0, 0), (1, 1), None) == pytest.approx(45)
    assert angle_deg((1, 0), (0, 0), (1, 1), (math.sqrt(3), 1.0)) == pytest.approx(60)


@given(points, points, sizes, sizes)
def test_a_region_lies_in_the_frame_and_holds_what_was_drawn_there(corner, opposite, rows, columns):
    region = region_between(corner, opposite, rows, columns)
    if region is None:
        return
    right, bottom = region.left + region.width, region.top + region.height
    assert right <= columns
    assert bottom <= rows
    slack = 1e-6 * 300
    assert region.left <= max(0, min(corner[0], opposite[0])) + slack
    assert right >= min(columns, max(corner[0], opposite[0])) - slack


@given(st.data(), sizes, sizes)
def test_a_region_comes_back_from_its_fractions(data, rows, columns):
    left, top = data.draw(st.integers(0, columns - 1)), data.draw(st.integers(0, rows - 1))
    width = data.draw(st.integers(1, columns - left))
    region = Region(left, top, width, data.draw(st.integers(1, rows - top)))
    assert region_of(region.crop(rows, columns), rows, columns) == region


def test_a_rectangle_beside_the_frame_is_no_region():
    assert region_between((-5, 3), (-1, 9), 20, 20) is None
    assert region_between((3, 3), (3, 9), 20, 20) is None


def test_the_figures_of_a_region_are_those_of_its_pixels():
    pixels = np.arange(100, dtype=np.float32).reshape(10, 10)
    pixels[0, 0] = np.nan
    figures = figures_in(pixels, Region(0, 0, 2, 2), (0.5, 2.0))
    assert (figures.mean, figures.least, figures.most) == (pytest.approx(22 / 3), 1, 11)
    assert figures.deviation == pytest.approx(np.std([1, 10, 11]))
    assert figures.area_mm2 == 4.0
    assert math.isnan(figures_in(pixels, Region(0, 0, 1, 1), None).mean)


def test_without_a_spacing_a_length_says_that_it_is_in_pixels():
    line, pixels = Measure("distance", ((0, 0), (30, 40))), np.zeros((64, 64), np.float32)
    assert words_for(line, pixels, MeasureScale((0.5, 0.5)), "HU") == ("25.0 mm",)
    assert words_for(line, pixels, MeasureScale(None), "HU") == ("50.0 px",)


def test_a_region_of_a_colour_picture_has_a_size_and_no_mean():
    region = Measure("region", ((1, 1), (5, 9)))
    assert words_for(region, np.zeros((20, 20, 3), np.uint8), MeasureScale(None), "") == ("4 × 8 px",)
    grey = words_for(region, np.full((20, 20), 7, np.float32), MeasureScale((1.0, 1.0)), "HU")
    assert grey == ("4.0 × 8.0 mm   0.32 cm²", "mean 7.0 ± 0.0 HU", "7 to 7 HU")


@pytest.mark.parametrize("kind", POINTS_NEEDED)
def test_a_measure_is_whole_when_its_last_point_is_set(kind):
    drawing = begun(kind, (0.0, 0.0))
    for number in range(1, POINTS_NEEDED[kind]):
        assert isinstance(drawing, Drawing)
        drawing = drawing.moved((10.0 * number, 5.0)).fixed_here()
    assert isinstance(drawing, Measure)
    assert drawing.whole
    assert drawing.points[0] == (0.0, 0.0)


def test_an_ellipse_counts_the_pixels_whose_middles_it_holds():
    pixels = np.zeros((40, 40), np.float32)
    rows, columns = np.mgrid[:40, :40]
    inside = ((columns + 0.5 - 20) / 10) ** 2 + ((rows + 0.5 - 16) / 6) ** 2 <= 1
    pixels[inside] = 50.0
    drawn = Measure("ellipse", ((30.0, 22.0), (10.0, 10.0)))  # from any corner to the opposite one
    size, mean, extremes = words_for(drawn, pixels, MeasureScale((0.5, 0.25)), "HU")
    assert size == f"5.0 × 6.0 mm   {math.pi * 2.5 * 3.0 / 100:.2f} cm²"
    assert (mean, extremes) == ("mean 50.0 ± 0.0 HU", "50 to 50 HU")


def test_an_ellipse_beside_the_picture_has_a_size_and_no_figures():
    drawn = Measure("ellipse", ((-30.0, 2.0), (-10.0, 9.0)))
    assert words_for(drawn, np.zeros((20, 20), np.float32), MeasureScale(None), "") == ("20 × 7 px",)


def test_lengths_are_in_the_plane_and_the_region_in_which_they_are_true():
    line, pixels = Measure("distance", ((0, 0), (30, 40))), np.zeros((64, 64), np.float32)
    assert words_for(line, pixels, MeasureScale((0.5, 0.5), plane="at the detector"), "") == (
        "25.0 mm at the detector",
    )
    box = Measure("region", ((0, 0), (4, 4)))
    assert words_for(
        box, np.zeros((9, 9, 3), np.uint8), MeasureScale((1.0, 1.0), plane="on the film"), ""
    ) == ("4.0 × 4.0 mm on the film",)


def test_an_angle_over_pixels_that_are_not_square_is_that_of_the_patient():
    corner = Measure("angle", ((10, 0), (0, 0), (10, 10)))
    flat = words_for(corner, np.zeros((20, 20), np.float32), MeasureScale(None, aspect=1.0), "")
    tall = words_for(corner, np.zeros((20, 20), np.float32), MeasureScale(None, aspect=2.0), "")
    assert (flat, tall) == (("45.0°",), (f"{math.degrees(math.atan(2)):.1f}°",))


@given(st.sampled_from(sorted(POINTS_NEEDED)), st.data())
def test_a_measure_is_taken_by_any_of_its_points_and_comes_back(kind, data):
    ends = [data.draw(points) for _ in range(POINTS_NEEDED[kind])]
    measure = Measure(kind, tuple(ends))
    line, closed = outline_of(measure)
    outline = Outline(measure.points, line, closed)
    for point in ends:
        grab = grab_at([outline], point)
        assert grab is not None
        assert math.dist(ends[grab.point], point) <= 7
    to = data.draw(points)
    there = moved(measure, None, (0.0, 0.0), to)
    back = moved(there, None, to, (0.0, 0.0))
    assert all(math.dist(a, b) < 1e-6 for a, b in zip(back.points, ends, strict=True))


def test_the_newest_of_two_measures_is_taken_and_nothing_far_away():
    one = Outline(((0.0, 0.0), (50.0, 0.0)), ((0.0, 0.0), (50.0, 0.0)), closed=False)
    assert grab_at([one, one], (25.0, 3.0)) == Grab(1, None)
    assert grab_at([one, one], (50.0, 3.0)) == Grab(1, 1)
    assert grab_at([one, one], (25.0, 30.0)) is None
    assert grab_at([], (0.0, 0.0)) is None
