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

from clipsvd_app.domain.results.evaluation import ClassScore, Interval, MethodScore
from clipsvd_app.domain.results.explanation import MatrixChange
from clipsvd_app.domain.results.run import StepMetrics
from clipsvd_app.errors import UserError
from clipsvd_app.ui.kit.plots.confusion_matrix import ConfusionMatrix
from clipsvd_app.ui.kit.plots.layers_picture import KINDS, LayersPicture
from clipsvd_app.ui.kit.plots.live_curves import LiveCurves
from clipsvd_app.ui.kit.plots.method_table import MethodTable
from clipsvd_app.ui.kit.plots.probability_bars import ProbabilityBars
from clipsvd_app.ui.kit.plots.saliency import letterboxed_view, overlay, upsampled
from clipsvd_app.ui.kit.plots.ticks import round_ticks
from clipsvd_app.ui.look.inks import ink_on, luminance
from clipsvd_app.ui.run.gallery_list import GalleryItem, GalleryList

pytestmark = pytest.mark.gui
NAMES = ("normal", "lesion")
COUNTS = ((9, 1), (3, 7))
CURVE = tuple(StepMetrics(step, 1 / step, min(1.0, step / 10), 0.04) for step in range(1, 9))
MATRICES = tuple(
    MatrixChange(f"{tower}.{layer}.{kind}", tower, layer, kind, 0.001 * (layer + 1))
    for tower in ("image", "text")
    for layer in range(3)
    for kind in KINDS
)


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
    curves, table, matrix, bars, layers = (
        LiveCurves(),
        MethodTable(),
        ConfusionMatrix(),
        ProbabilityBars(),
        LayersPicture(),
    )
    curves.set_points(CURVE)
    table.set_methods((score("zero_shot", None), score()))
    matrix.set_matrix(NAMES, COUNTS)
    bars.set_probabilities(NAMES, (0.25, 0.75), (0.6, 0.4), 1)
    layers.set_matrices(MATRICES)
    return {"curves": curves, "table": table, "matrix": matrix, "bars": bars, "layers": layers}


PLOTS = ("curves", "table", "matrix", "bars", "layers")


@pytest.mark.parametrize("name", PLOTS)
def test_a_saved_picture_is_a_whole_svg_or_a_large_png(name, shown, tmp_path):
    plot = shown(filled()[name])
    plot.save_picture(tmp_path / "plot.svg")
    plot.save_picture(tmp_path / "plot.png")
    assert ET.parse(tmp_path / "plot.svg").getroot().tag.endswith("svg")
    assert QImage(str(tmp_path / "plot.png")).width() == 3 * plot.width()


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


def test_curve_rows_give_back_the_points(shown):
    curves = shown(LiveCurves())
    curves.start(8)
    for point in CURVE:
        curves.add_point(point)
    read = tuple(
        StepMetrics(int(step), float(loss), float(accuracy), float(rate))
        for step, loss, accuracy, rate in curves.data_rows()[1:]
    )
    assert read == CURVE


def test_a_step_that_was_not_finite_is_a_gap_and_no_loss_of_0(shown):
    curves = shown(LiveCurves())
    points = (*CURVE[:3], StepMetrics(4, None, None, 0.02), *CURVE[4:])
    curves.set_points(points)
    assert curves.data_rows()[4] == ("4", "", "", "0.02")
    drawn = curves._runs(curves._tracks()[0].values)
    assert [[step for step, _ in run] for run in drawn] == [[1, 2, 3], [5, 6, 7, 8]]
    assert min(value for run in drawn for _, value in run) > 0
    curves.set_points(points[:4])
    assert "not finite" in curves.accessibleDescription()


def test_a_step_that_goes_back_starts_a_new_curve(shown):
    curves = shown(LiveCurves())
    for point in (*CURVE, CURVE[0]):
        curves.add_point(point)
    assert len(curves.data_rows()) == 2


def test_an_absent_auroc_is_left_empty_not_nought():
    rows = filled()["table"].data_rows()
    assert rows[1][rows[0].index("macro_auroc")] == ""


def test_a_clicked_cell_names_its_label_and_its_prediction(shown, qtbot):
    matrix = shown(filled()["matrix"])
    spot = next(spot for spot in matrix._spots if spot.key == (1, 0))
    with qtbot.waitSignal(matrix.cell_clicked) as caught:
        qtbot.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=spot.area.center().toPoint())
    assert caught.args == [1, 0]
    assert "3" in spot.text


def test_a_matrix_without_cases_does_not_open(shown, qtbot):
    matrix = ConfusionMatrix()
    matrix.set_matrix(NAMES, COUNTS, clickable=False)
    shown(matrix)
    with qtbot.assertNotEmitted(matrix.cell_clicked):
        qtbot.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=matrix._spots[0].area.center().toPoint())
        qtbot.keyClick(matrix, Qt.Key.Key_Return)


def test_the_matrix_is_worked_by_keys_alone(shown, qtbot):
    matrix = shown(filled()["matrix"])
    with qtbot.waitSignal(matrix.cell_clicked) as caught:
        for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Return):
            qtbot.keyClick(matrix, key)
    assert caught.args == [0, 1]


def test_a_clicked_square_names_its_matrix(shown, qtbot):
    layers = shown(filled()["layers"])
    spot = next(spot for spot in layers._spots if spot.key == "text.2.fc2")
    with qtbot.waitSignal(layers.matrix_clicked) as caught:
        qtbot.mouseClick(layers, Qt.MouseButton.LeftButton, pos=spot.area.center().toPoint())
    assert caught.args == ["text.2.fc2"]


def test_the_arrow_keys_go_from_the_image_tower_to_the_text_tower(shown, qtbot):
    layers = shown(filled()["layers"])
    layers.set_chosen("image.2.q")
    with qtbot.waitSignal(layers.matrix_clicked) as caught:
        qtbot.keyClick(layers, Qt.Key.Key_Right)
    assert caught.args == ["text.0.q"]


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


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(1, 12))
def test_ticks_lie_on_the_axis_and_are_few(low, span, about):
    ticks = round_ticks(low, low + span, about)
    assert len(ticks) <= about + 1
    assert all(low - span * 1e-6 <= tick <= low + span * (1 + 1e-6) for tick in ticks)
    assert list(ticks) == sorted(set(ticks))


@given(st.integers(0, 0xFFFFFF))
def test_writing_on_any_ground_can_be_read(rgb):
    ground = QColor.fromRgb(rgb)
    levels = sorted((luminance(ground), luminance(ink_on(ground))))
    assert (levels[1] + 0.05) / (levels[0] + 0.05) >= 4.5
    assert math.isfinite(levels[0])
