"""Facts about the look."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QDialog, QPushButton

from clipsvd_app.resources import resource_path
from clipsvd_app.ui.look import icons
from clipsvd_app.ui.look.class_colours import class_style, shape_path
from clipsvd_app.ui.look.theme import DARK, LIGHT, set_kind, style_sheet
from clipsvd_app.ui.shell.actions import ACTIONS
from clipsvd_app.ui.shell.main_window import MainWindow

pytestmark = pytest.mark.gui


def _luminance(colour: str) -> float:
    parts = [QColor(colour).redF(), QColor(colour).greenF(), QColor(colour).blueF()]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_words_can_be_read_on_every_ground(palette):
    for ground in (palette.window, palette.panel, palette.raised, palette.field):
        assert _contrast(palette.text, ground) >= 7
        assert _contrast(palette.text_muted, ground) >= 4.5
        assert _contrast(palette.text_faint, ground) >= 3
    assert _contrast(palette.on_accent, palette.accent) >= 4.5


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_class_colours_stand_out_in_both_themes(palette):
    for position in range(9):
        style = class_style(position)
        assert _contrast(style.colour, palette.panel) >= 2
        assert _contrast(style.ink, style.colour) >= 4.5


def test_each_of_nine_classes_has_a_colour_and_a_shape_of_its_own():
    styles = [class_style(position) for position in range(9)]
    assert len({style.colour for style in styles}) == 9
    assert len({style.shape for style in styles}) == 9
    assert all(not shape_path(style.shape, QRectF(0, 0, 20, 20)).isEmpty() for style in styles)
    assert class_style(9).number == 10


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_the_style_sheet_names_only_files_that_travel_along(palette):
    sheet = style_sheet(palette, 10.0)
    assert "$" not in sheet
    paths = re.findall(r'url\("([^"]+)"\)', sheet)
    assert len(paths) == sheet.count("url(") > 0
    for path in paths:
        assert resource_path(path).is_file()


def test_every_command_with_an_icon_has_its_drawing(qapp):
    names = {spec.icon for spec in ACTIONS if spec.icon}
    assert [name for name in names if not resource_path("icons", "ui", f"{name}.svg").is_file()] == []


def test_a_missing_drawing_still_gives_an_icon(qapp):
    assert not icons.icon("no-such-drawing", DARK).isNull()


def test_a_window_wears_the_theme_itself_and_its_dialogs_inherit_it(qtbot, theme, qapp):
    qapp.setStyleSheet("")
    window = MainWindow(theme)
    qtbot.addWidget(window)
    dialog = QDialog(window)
    button = QPushButton("Go", dialog)
    set_kind(button, "primary")
    dialog.show()
    for name, palette in (("light", LIGHT), ("dark", DARK)):
        theme.set_theme(name)
        qapp.processEvents()
        seen = button.grab().toImage().pixelColor(button.width() // 2, 3).name()
        assert seen == palette.accent
    assert qapp.styleSheet() == ""  # Qt would polish every widget once for each of its ancestors
