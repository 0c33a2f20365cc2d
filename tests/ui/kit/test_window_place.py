"""Facts about where the window opens: sized from the screen, then as it was left, on the screens of today."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QSplitter, QWidget

from clipsvd_app.settings import config_folder
from clipsvd_app.ui.kit.window_place import (
    LARGEST,
    TITLE_BAR_PX,
    Place,
    first_place,
    on_screens,
    recall_place,
    recall_splits,
    remember_place,
)
from clipsvd_app.ui.shell.main_window import SMALLEST_PX

pytestmark = pytest.mark.gui
DESK, SECOND = QRect(0, 0, 1920, 1040), QRect(1920, 0, 1280, 1024)


@pytest.mark.parametrize(
    ("screen", "maximised"),
    [
        (QRect(0, 0, 960, 500), True),  # 1920 x 1080 at 200 %
        (QRect(0, 0, 1366, 728), False),
        (QRect(0, 25, 1440, 850), False),
        (DESK, False),
        (QRect(0, 0, 3840, 2120), False),
    ],
)
def test_the_first_window_fits_its_screen(screen, maximised):
    place = first_place(screen)
    assert place.maximised == maximised
    assert screen.contains(place.area)
    assert place.area.size().boundedTo(LARGEST) == place.area.size()
    if not maximised:
        assert place.area.width() >= SMALLEST_PX[0]
        assert place.area.height() >= SMALLEST_PX[1]


def test_a_place_on_a_screen_stays_as_it_was():
    place = Place(QRect(2000, 40, 900, 700), splits=(("a", (1, 2)),))
    assert on_screens(place, [DESK, SECOND]) == place


def test_a_window_whose_screen_is_gone_comes_to_the_middle_of_the_main_one():
    area = on_screens(Place(QRect(2000, 40, 900, 700)), [DESK]).area
    assert area.size() == QSize(900, 700)
    assert abs((area.center() - DESK.center()).manhattanLength()) <= 2


def test_a_window_larger_than_its_screen_shrinks_below_the_title_bar():
    area = on_screens(Place(QRect(0, 0, 3000, 2000), maximised=True), [DESK])
    assert area.area == QRect(0, 0, 1920, 1040 - TITLE_BAR_PX)
    assert area.maximised


def test_a_title_bar_above_or_beside_the_screen_comes_back():
    for left, top in ((-800, 100), (1850, 100), (100, -300)):
        area = on_screens(Place(QRect(left, top, 900, 700)), [DESK]).area
        assert DESK.contains(area)


@pytest.fixture
def window(qtbot):
    made = QWidget()
    qtbot.addWidget(made)
    splitter = QSplitter(Qt.Orientation.Horizontal, made)
    splitter.setObjectName("halves")
    splitter.setHandleWidth(1)
    for _ in range(2):
        splitter.addWidget(QWidget())
    splitter.resize(301, 100)
    return made


def test_place_state_and_splitters_come_back(window, qtbot):
    window.setGeometry(40, 30, 500, 400)
    splitter = window.findChild(QSplitter)
    window.show()
    splitter.setSizes([100, 200])
    remember_place(window)
    splitter.setSizes([150, 150])
    window.resize(300, 300)
    recall_place(window)
    recall_splits(window)
    assert window.size() == QSize(500, 400)
    assert splitter.sizes() == [100, 200]
    window.showMaximized()
    remember_place(window)
    window.showNormal()
    recall_place(window)
    assert window.windowState() & Qt.WindowState.WindowMaximized


@pytest.mark.parametrize(
    "text", ["", "[]", '{"area": [1, 2]}', '{"area": [0, 0, 1e999, 5], "splits": {}}', "{"]
)
def test_a_damaged_record_gives_the_first_place(window, text):
    config_folder().mkdir(parents=True, exist_ok=True)
    (config_folder() / "window.json").write_text(text)
    recall_place(window)
    recall_splits(window)
    assert window.width() > 0


def test_nothing_but_numbers_and_names_of_splitters_is_stored(window):
    remember_place(window)
    stored = json.loads((config_folder() / "window.json").read_text())
    assert stored.keys() == {"area", "maximised", "splits"}
    assert stored["splits"].keys() <= {"halves"}
