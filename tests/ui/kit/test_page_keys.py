"""Facts about keys: each means one thing, and the same wherever on its page the focus is."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QListWidget, QToolButton, QVBoxLayout, QWidget

from clipsvd_app.domain.view import Window
from clipsvd_app.ui.kit.page_keys import PageKeys, is_typing
from clipsvd_app.ui.label.classes.bin import ClassBin
from clipsvd_app.ui.label.page import LabelPage
from clipsvd_app.ui.label.state import BinState, PatientRow, SeriesRow, StripItem, StripState, StudyRow
from clipsvd_app.ui.shell.actions import ACTIONS
from clipsvd_app.ui.viewer.commands import COMMANDS
from clipsvd_app.ui.viewer.state import FrameState, WindowPreset

pytestmark = pytest.mark.gui
LABELLING = {*"0123456789", "Del", "Backspace", "U", "X", *(f"Shift+{digit}" for digit in range(1, 10))}
PRESETS = {f"Alt+{digit}" for digit in range(1, 10)}


class Page(QWidget):
    """Writes down the keys that reach it."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[str] = []
        self.field, self.chooser, self.list, self.button = (
            QLineEdit(),
            QComboBox(),
            QListWidget(),
            QToolButton(),
        )
        self.button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        column = QVBoxLayout(self)
        for part in (self.field, self.chooser, self.list, self.button):
            column.addWidget(part)
        self.chooser.addItems(["red", "1st", "2nd"])
        self.list.addItems(["red", "1st", "2nd"])
        self.page_keys = PageKeys(self)

    def keyPressEvent(self, event) -> None:
        if is_typing():
            event.ignore()
        else:
            self.keys.append(event.text())


@pytest.fixture
def page(qtbot, theme):
    made = Page()
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.mark.parametrize("part", ["chooser", "list", "button"])
def test_letters_digits_and_signs_reach_the_page_from_choosers_lists_and_buttons(page, qtbot, part):
    focused = getattr(page, part)
    focused.setFocus()
    for key in "r1+":
        qtbot.keyClick(focused, key)
    assert page.keys == ["r", "1", "+"]
    assert page.chooser.currentText() == "red"


def test_what_moves_in_a_list_or_chooser_stays_there(page, qtbot):
    page.list.setCurrentRow(0)
    qtbot.keyClick(page.list, Qt.Key.Key_Down)
    assert page.list.currentRow() == 1
    qtbot.keyClick(page.chooser, Qt.Key.Key_Down)
    assert page.chooser.currentText() == "1st"
    assert page.keys == []


def test_a_text_field_keeps_every_letter(page, qtbot):
    page.field.setFocus()
    qtbot.keyClicks(page.field, "r1+")
    assert page.field.text() == "r1+"
    assert page.keys == []


def test_no_key_does_two_things():
    keys = Counter(
        [command.key for command in COMMANDS] + [spec.shortcut for spec in ACTIONS if spec.shortcut]
    )
    keys.update(LABELLING | PRESETS)
    assert [key for key, uses in keys.items() if uses > 1] == []


@pytest.fixture
def label_page(qtbot, theme):
    made = LabelPage(theme)
    qtbot.addWidget(made)
    made.resize(1300, 800)
    made.show()
    series = SeriesRow("r1", "axial", (1, 2, 3))
    made.tree.set_patients((PatientRow("p1", "Inge", (StudyRow("s1", "Invert", (series,)),)),))
    made.bins.set_bins((BinState(1, 0, "normal"), BinState(2, 1, "nodule")))
    made.strip.set_state(StripState(tuple(StripItem(i, f"image {i}") for i in range(1, 4))))
    made.show_work()
    presets = (WindowPreset("soft", Window(40, 400)), WindowPreset("bone", Window(300, 1500)))
    values = np.zeros((60, 80), np.float32)
    made.show_frame(FrameState(1, values, Window(0, 100), presets=presets, index=1, count=3, series_key="1"))
    return made


PLACES = {
    "pool": lambda page: page.strip.view,
    "studies": lambda page: page.tree.view,
    "class": lambda page: page.bins.findChildren(ClassBin)[0],
    "order of the pool": lambda page: page.strip.findChild(QComboBox),
    "a tool": lambda page: page.viewer.bar.findChildren(QToolButton)[2],
    "viewer": lambda page: page.viewer,
}


@pytest.mark.parametrize("place", PLACES)
def test_viewer_and_labelling_keys_work_wherever_the_focus_is(label_page, qtbot, place):
    focused, viewer = PLACES[place](label_page), label_page.viewer
    asked: list[int] = []
    slices: list[int] = []
    label_page.label_requested.connect(lambda _ids, position, _next: asked.append(position))
    viewer.slice_requested.connect(lambda _pane, index: slices.append(index))
    focused.setFocus()
    qtbot.keyClick(focused, "i")
    assert viewer.pane.inverted
    qtbot.keyClick(focused, "d")
    assert viewer.tool == "distance"
    qtbot.keyClick(focused, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    assert viewer.window_spec == Window(300, 1500)
    before = viewer.pane.canvas.scale()
    qtbot.keyClick(focused, "+")
    assert viewer.pane.canvas.scale() > before
    qtbot.keyClick(focused, "2")
    assert asked == [1]


def test_no_key_of_the_page_acts_while_words_are_typed(label_page, qtbot):
    field, viewer = label_page.strip.findChild(QLineEdit), label_page.viewer
    asked: list[object] = []
    label_page.label_requested.connect(lambda *said: asked.append(said))
    label_page.mark_requested.connect(lambda *said: asked.append(said))
    label_page.clear_requested.connect(lambda *said: asked.append(said))
    before = viewer.window_spec, viewer.tool, viewer.pane.canvas.scale()
    field.setFocus()
    qtbot.keyClicks(field, "uix 12+0d")
    for key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_PageDown, Qt.Key.Key_Up):
        qtbot.keyClick(field, key)
    assert field.text() == "uix 12+0"
    assert (viewer.window_spec, viewer.tool, viewer.pane.canvas.scale()) == before
    assert not viewer.pane.inverted
    assert asked == []
