"""Facts about the pictures of an evaluation: saved the same way, and every dot a case."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ET

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from shiboken6 import delete
from support.made_evaluation import made_run

from clipsvd_app.domain.results.curves import roc_pairs
from clipsvd_app.ui.kit.plots.case_map import CaseMap, MapDot
from clipsvd_app.ui.kit.plots.learning_plot import LearningPlot
from clipsvd_app.ui.kit.plots.plot_widget import save_button
from clipsvd_app.ui.kit.plots.reliability_plot import ReliabilityPlot
from clipsvd_app.ui.kit.plots.risk_plot import RiskPlot
from clipsvd_app.ui.kit.plots.roc_plot import RocPlot

pytestmark = pytest.mark.gui
RUN = made_run()
EVALUATION = RUN.evaluation
DOTS = (
    MapDot(1, 0.0, 0.0, 0, "one"),
    MapDot(2, 1.0, 0.0, 1, "two", wrong=True),
    MapDot(3, 0.0, 1.0, None, "three"),
    MapDot(4, 1.0, 1.0, 2, "four", training=True),
)


def filled():
    roc, reliable, risk, learning, map_ = RocPlot(), ReliabilityPlot(), RiskPlot(), LearningPlot(), CaseMap()
    roc.set_curves(RUN.class_names, roc_pairs(RUN.predictions, 3))
    reliable.set_bins(EVALUATION.calibration.bins)
    risk.set_points(EVALUATION.abstention)
    learning.set_points(EVALUATION.learning_curve.points, 3)
    map_.set_dots(RUN.class_names, DOTS)
    return {"roc": roc, "reliable": reliable, "risk": risk, "learning": learning, "map": map_}


NAMES = ("roc", "reliable", "risk", "learning", "map")


@pytest.fixture
def plots(qtbot, theme):
    made = filled()
    for plot in made.values():
        qtbot.addWidget(plot)
        plot.resize(560, 420)
        with qtbot.waitExposed(plot):
            plot.show()
        plot.grab()
    yield made
    for plot in made.values():
        delete(plot)


@pytest.mark.parametrize("name", NAMES)
def test_picture_and_numbers_are_saved_whole(name, plots, tmp_path):
    plot = plots[name]
    for suffix in ("svg", "png"):
        plot.save_picture(tmp_path / f"plot.{suffix}")
    plot.save_rows(tmp_path / "plot.csv")
    assert len(list(ET.parse(tmp_path / "plot.svg").iter())) > 30
    assert QImage(str(tmp_path / "plot.png")).width() == 3 * plot.width()
    with (tmp_path / "plot.csv").open(encoding="utf-8", newline="") as file:
        rows = tuple(tuple(row) for row in csv.reader(file))
    assert rows == plot.data_rows()
    assert len(rows) > 3


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_is_described_and_reached_by_tab(name, plots):
    assert plots[name].accessibleName()
    assert len(plots[name].accessibleDescription()) > 20
    assert plots[name].focusPolicy() & Qt.FocusPolicy.TabFocus


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_picture_can_be_drawn_and_saved(name, qtbot, theme, tmp_path):
    plot = type(filled()[name])()
    qtbot.addWidget(plot)
    plot.save_picture(tmp_path / "empty.png")
    assert len(plot.data_rows()) == 1


def test_key_and_button_open_the_same_menu(plots, qtbot):
    plot, opened = plots["risk"], []
    button = save_button(plot)
    qtbot.addWidget(button)
    plot.open_save_menu = opened.append
    button.click()
    qtbot.keyClick(plot, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert len(opened) == 2


def test_the_menu_saves_both_forms_of_picture_and_the_numbers(plots):
    assert [action.text() for action in plots["roc"].save_menu().actions()] == [
        "Save as picture, SVG…",
        "Save as picture, PNG…",
        "Save as numbers, CSV…",
    ]


def test_one_class_is_drawn_before_and_after(plots):
    roc = plots["roc"]
    roc.choose(1)
    assert {row[0] for row in roc.data_rows()[1:]} == {RUN.class_names[1]}
    assert {row[1] for row in roc.data_rows()[1:]} == {"adapted", "zero_shot"}
    assert [text.split()[0] for _, text in roc._legend()] == ["adapted", "zero-shot"]


def test_a_click_on_a_dot_opens_its_case(plots, qtbot):
    map_ = plots["map"]
    for dot in DOTS:
        spot = next(spot for spot in map_._spots if spot.key == dot.image_id)
        with qtbot.waitSignal(map_.case_opened) as caught:
            qtbot.mouseClick(map_, Qt.MouseButton.LeftButton, pos=spot.area.center().toPoint())
        assert caught.args == [dot.image_id]
    with qtbot.assertNotEmitted(map_.case_opened):
        qtbot.mouseClick(map_, Qt.MouseButton.LeftButton, pos=QPoint(280, 240))


def test_the_map_works_by_keys_alone(plots, qtbot):
    map_ = plots["map"]
    map_.set_current(1)
    qtbot.keyClick(map_, Qt.Key.Key_Right)
    assert map_.current == 2
    qtbot.keyClick(map_, Qt.Key.Key_Up)
    assert map_.current == 4
    qtbot.keyClick(map_, Qt.Key.Key_Left)
    assert map_.current == 3
    qtbot.keyClick(map_, Qt.Key.Key_Left)
    assert map_.current == 3, "there is nothing further left"
    with qtbot.waitSignal(map_.case_opened) as caught:
        qtbot.keyClick(map_, Qt.Key.Key_Return)
    assert caught.args == [3]


def test_the_first_key_on_the_map_chooses_a_dot(plots, qtbot):
    qtbot.keyClick(plots["map"], Qt.Key.Key_Down)
    assert plots["map"].current in {dot.image_id for dot in DOTS}
