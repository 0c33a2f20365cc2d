"""Facts about the frame of the window."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QWidget

from clipsvd_app.ui.kit.empty_state import EmptyState
from clipsvd_app.ui.session.notices import Notice
from clipsvd_app.ui.session.state import EmptyAction, EmptySpec, Segment, StatusState, TitleState
from clipsvd_app.ui.shell.actions import ACTIONS
from clipsvd_app.ui.shell.main_window import MainWindow

pytestmark = pytest.mark.gui
PAGES = ("label", "train", "inspect", "explain", "export")


@pytest.fixture
def window(qtbot, theme):
    window = MainWindow(theme)
    qtbot.addWidget(window)
    for key in PAGES:
        window.add_page(key, key.title(), key, QWidget())
    window.add_page("settings", "Settings", "settings", QWidget(), at_bottom=True)
    window.show()
    return window


def test_each_page_has_a_key_of_its_own(window, qtbot):
    for number, key in enumerate(PAGES[1:], start=2):
        with qtbot.waitSignal(window.page_changed) as changed:
            qtbot.keyClick(window, Qt.Key(ord(str(number))), Qt.KeyboardModifier.ControlModifier)
        assert changed.args == [key]
        assert window.current_page == key


def test_the_frame_appears_without_waiting_for_heavy_parts():
    heavy = "{'torch', 'pyqtgraph', 'pydicom', 'SimpleITK'}"
    code = f"import sys, clipsvd_app.ui.shell.main_window; sys.exit(str({heavy} & sys.modules.keys() or ''))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.stderr.strip() == ""


def test_no_two_commands_share_a_key():
    keys = [QKeySequence(spec.shortcut).toString() for spec in ACTIONS if spec.shortcut]
    assert len(keys) == len(set(keys))


def test_files_dropped_anywhere_are_handed_on_in_their_order(window, qtbot, drop_files, tmp_path):
    with qtbot.waitSignal(window.paths_dropped) as dropped:
        assert drop_files(window, tmp_path / "b.dcm", tmp_path / "a")
    assert dropped.args == [[str(tmp_path / "b.dcm"), str(tmp_path / "a")]]


def test_a_placeholder_gives_way_to_the_real_page(window):
    real = QLabel("real")
    window.set_page_widget("label", real)
    assert window.current_page == "label"
    assert real.isVisible()


def test_the_title_names_the_project(window):
    window.set_title(TitleState("Nodules", "3 patients", read_only=True))
    assert "Nodules" in window.windowTitle()
    assert "read only" in _visible_words(window)


def test_a_segment_without_words_is_hidden(window):
    window.set_status(StatusState(engine=Segment("Engine ready", "good"), saved=Segment("All changes saved")))
    words = _visible_words(window)
    assert "Engine ready" in words
    assert "" not in words


def test_a_recent_project_is_asked_for_by_its_path(window, qtbot):
    window.set_recent_projects(["/data/a.clipsvd", "/data/b.clipsvd"])
    recent = next(menu for menu in window.findChildren(QMenu) if menu.title() == "Open recent")
    with qtbot.waitSignal(window.recent_requested) as asked:
        recent.actions()[1].trigger()
    assert asked.args == ["/data/b.clipsvd"]


def test_the_key_sheet_covers_the_window_and_closes_with_escape(window, qtbot):
    window.show_keys()
    sheet = window._keys
    assert sheet.isVisible()
    assert sheet.size() == window.size()
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()


def test_closing_is_announced(window, qtbot):
    with qtbot.waitSignal(window.closing):
        window.close()


def test_switching_the_theme_leaves_no_widget_behind_and_repaints(window, theme, qapp, qtbot):
    window.show_notice(Notice("error", "It broke.", "Mend it."))
    before = len(qapp.allWidgets())
    dark = window.grab().toImage().pixelColor(2, 200).lightness()
    theme.set_theme("light")
    light = window.grab().toImage().pixelColor(2, 200).lightness()
    theme.set_theme("dark")
    assert light > dark + 100
    assert len(qapp.allWidgets()) == before


def test_an_empty_state_says_which_button_was_pressed(qtbot, theme):
    spec = EmptySpec("train", "Nothing yet", "Label first.", (EmptyAction("go", "Go", primary=True),))
    state = EmptyState(theme, spec)
    qtbot.addWidget(state)
    with qtbot.waitSignal(state.action_requested) as asked:
        state.findChildren(QPushButton)[0].click()
    assert asked.args == ["go"]


def _visible_words(window) -> list[str]:
    return [label.text() for label in window.findChildren(QLabel) if label.isVisible() and not label.pixmap()]
