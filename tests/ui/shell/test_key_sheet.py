"""Facts about the sheet of keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from clipsvd_app.ui.shell.key_sheet import KeySheet, spread

pytestmark = pytest.mark.gui


@pytest.mark.parametrize("size", [(960, 600), (960, 1000), (1280, 720), (1600, 1000), (1920, 1080)])
def test_the_sheet_never_scrolls_sideways(qtbot, theme, size):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(*size)
    sheet = KeySheet(window)
    window.show()
    sheet.open()
    card = sheet._card
    assert card.width() <= sheet._scroll.viewport().width()
    assert sheet._scroll.horizontalScrollBar().maximum() == 0


def test_what_does_not_fit_is_reached_by_key(qtbot, theme):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(700, 400)
    sheet = KeySheet(window)
    window.show()
    sheet.open()
    assert sheet.columns == 1
    bar = sheet._scroll.verticalScrollBar()
    assert bar.maximum() > 0
    qtbot.keyClick(sheet, Qt.Key.Key_PageDown)
    assert bar.value() > 0
    assert sheet.isVisible()


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.integers(1, 4))
def test_columns_keep_the_order_and_none_is_needlessly_tall(heights, columns):
    ends = spread(heights, columns)
    assert ends[-1] == len(heights)
    assert len(ends) <= columns
    assert ends == sorted(set(ends))
    tallest = max(sum(heights[a:b]) for a, b in zip([0, *ends], ends, strict=False))
    assert tallest <= max(max(heights), -(-sum(heights) // columns) + max(heights))
