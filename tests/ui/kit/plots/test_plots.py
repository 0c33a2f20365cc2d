"""Facts about the pictures: what they show, what they save, what a click says."""

from __future__ import annotations

import csv
import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from shiboken6 import delete
from support.made_explanation import RUN

from clipsvd_app.domain.results.evaluation import ClassScore, Interval, MethodScore
from clipsvd_app.errors import UserError
from clipsvd_app.ui.kit.plots.controls_table import ControlsTable
from clipsvd_app.ui.kit.plots.method_table import MethodTable
from clipsvd_app.ui.kit.plots.saliency import letterboxed_view, overlay, upsampled
from clipsvd_app.ui.look.inks import ink_on, luminance
from clipsvd_app.ui.run.gallery_list import GalleryItem, GalleryList

pytestmark = pytest.mark.gui
NAMES = ("normal", "lesion")
COUNTS = ((9, 1), (3, 7))


def score(method="clip_svd", auroc=0.9) -> MethodScore:
    interval = Interval(0.6, 0.9)
    classes = tuple(ClassScore(name, 10, 0.8, interval, 0.8, interval) for name in NAMES)
    return MethodScore(method, 0.8, interval, 0.81, auroc, 0.5, 0.2, classes, COUNTS, 110592, 61.5)


@pytest.fixture
def shown(qtbot, theme):
    """Show a widget at a size, painted once."""
    made = []

    def show(widget, width=640, height=320):
        qtbot.addWidget(widget)
        made.append(widget)
        widget.resize(width, height)
        with qtbot.waitExposed(widget):
            widget.show()
        widget.grab()
        return widget

    yield show
    for widget in made:
        delete(widget)


def filled() -> dict[str, object]:
    table, controls = MethodTable(), ControlsTable()
    table.set_methods((score("zero_shot", None), score()))
    controls.set_controls(RUN.controls)
    return {"table": table, "controls": controls}


PLOTS = ("table", "controls")


@pytest.mark.parametrize("name", PLOTS)
def test_a_saved_picture_is_a_whole_svg_or_a_large_png(name, shown, tmp_path):
    plot = shown(filled()[name])
    plot.save_picture(tmp_path / "plot.svg")
    plot.save_picture(tmp_path / "plot.png")
    assert ET.parse(tmp_path / "plot.svg").getroot().tag.endswith("svg")
    assert QImage(str(tmp_path / "plot.png")).width() > 1000


@pytest.mark.parametrize("name", PLOTS)
def test_a_saved_picture_is_on_white_in_the_dark_theme(name, shown, tmp_path):
    plot = shown(filled()[name])
    plot.save_picture(tmp_path / "plot.png")
    assert QImage(str(tmp_path / "plot.png")).pixelColor(0, 0) == QColor("#ffffff")


@pytest.mark.parametrize("name", PLOTS)
def test_a_picture_that_cannot_be_written_says_where_to_write(name, shown, tmp_path):
    plot = shown(filled()[name])
    for missing in ("no_such_folder/plot.png", "no_such_folder/plot.svg"):
        with pytest.raises(UserError) as caught:
            plot.save_picture(tmp_path / missing)
        assert "folder" in caught.value.remedy


@pytest.mark.parametrize("name", PLOTS)
def test_the_saved_rows_are_the_rows_shown(name, shown, tmp_path):
    plot = shown(filled()[name])
    plot.save_rows(tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(newline="", encoding="utf-8") as file:
        assert tuple(tuple(row) for row in csv.reader(file)) == plot.data_rows()


@pytest.mark.parametrize("name", PLOTS)
def test_every_picture_can_be_read_aloud(name, shown):
    plot = shown(filled()[name])
    assert plot.accessibleName()
    assert plot.accessibleDescription()


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize("width", [120, 300, 1200])
def test_no_size_is_too_small_to_paint(name, width, shown):
    shown(filled()[name], width, 90)


def test_an_absent_auroc_is_left_empty_not_nought():
    rows = filled()["table"].data_rows()
    assert rows[1][rows[0].index("macro_auroc")] == ""


def test_the_gallery_asks_once_for_each_picture_in_view(shown, qtbot):
    gallery = GalleryList()
    wanted: list[int] = []
    gallery.thumbnails_wanted.connect(wanted.extend)
    gallery.set_items(tuple(GalleryItem(number, 0, 1, 0.7) for number in range(4)))
    shown(gallery)
    qtbot.waitUntil(lambda: sorted(wanted) == [0, 1, 2, 3])
    gallery.set_thumbnail(2, QImage(8, 8, QImage.Format.Format_Grayscale8))
    gallery.grab()
    qtbot.wait(20)
    assert len(wanted) == 4


def test_a_clicked_case_is_opened_by_its_id(shown, qtbot):
    gallery = GalleryList()
    gallery.set_items((GalleryItem(41, 0, 0, 0.9), GalleryItem(42, 1, 0, 0.6)))
    shown(gallery)
    place = gallery.visualRect(gallery.model().index(1, 0)).center()
    with qtbot.waitSignal(gallery.case_opened) as caught:
        qtbot.mouseClick(gallery.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place))
    assert caught.args == [42]


@given(st.lists(st.lists(st.floats(-5, 5), min_size=3, max_size=3), min_size=1, max_size=6))
def test_upsampled_weights_stay_between_none_and_all(grid):
    weights = upsampled(tuple(map(tuple, grid)), 20, 30)
    assert weights.shape == (20, 30)
    assert weights.min() >= 0
    assert weights.max() <= 1 + 1e-6


def test_hiding_that_raised_the_score_leaves_the_image_clear():
    veil = overlay(((-1.0, -2.0), (-3.0, 0.0)), 16, 16, 1.0)
    assert all(veil.pixelColor(x, y).alpha() == 0 for x in range(16) for y in range(16))


def test_the_veil_is_strongest_where_the_fall_was_largest():
    grid = np.zeros((4, 4))
    grid[1, 2] = 2.0
    veil = overlay(tuple(map(tuple, grid)), 64, 64, 0.5)
    alphas = {(x, y): veil.pixelColor(x, y).alpha() for x in range(64) for y in range(64)}
    strongest = max(alphas, key=alphas.__getitem__)
    assert (strongest[0] // 16, strongest[1] // 16) == (2, 1)
    assert max(alphas.values()) <= 128


def test_a_padded_view_reaches_beyond_the_short_side_alone():
    view = letterboxed_view(200, 100)
    assert (view.x(), view.width()) == (0, 1)
    assert (view.y(), view.height()) == (-0.5, 2)


@given(st.integers(0, 0xFFFFFF))
def test_writing_on_any_ground_can_be_read(rgb):
    ground = QColor.fromRgb(rgb)
    levels = sorted((luminance(ground), luminance(ink_on(ground))))
    assert (levels[1] + 0.05) / (levels[0] + 0.05) >= 4.5
    assert math.isfinite(levels[0])
