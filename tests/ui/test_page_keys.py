"""Facts about keys: each means one thing, and the same wherever on its page the focus is."""

from __future__ import annotations

from collections import Counter

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QListWidget, QToolButton, QVBoxLayout, QWidget

from clipsvd_app.ui.page_keys import PageKeys, is_typing
from clipsvd_app.ui.shell.actions import ACTIONS
from clipsvd_app.ui.viewer.commands import COMMANDS

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
