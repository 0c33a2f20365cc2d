"""Facts about the size of things: every page fits the smallest screen, and what does not is found."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget
from support.fitting import faults
from support.fitting_run import SIZES
from support.full_window import AnsweringEngine, make_project

from clipsvd_app.ui.kit.elided_label import ElidedLabel
from clipsvd_app.ui.kit.page_parts import label, scrolled
from clipsvd_app.ui.kit.wrapping_row import WrappingRow
from clipsvd_app.ui.session.session import Session
from clipsvd_app.ui.viewer.tool_bar import ViewerBar

pytestmark = pytest.mark.gui
LONG = "a sentence of many words that has no room at all where it stands"


@pytest.fixture(scope="module")
def project(qapp, tmp_path_factory):
    """A file of a project with everything in it; made once, because figures take a while."""
    folder = tmp_path_factory.mktemp("full")
    session = Session(AnsweringEngine())
    path = make_project(session, folder)
    session.close()
    return path


@pytest.mark.parametrize("scale", SIZES)
def test_every_page_fits_at_every_size(scale, project, repository, tmp_path):
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(repository), str(repository / "tests")]),
        "CLIPSVD_HOME": str(tmp_path),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "support.fitting_run", scale, str(project)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout == ""


@pytest.fixture
def box(qtbot, theme):
    made = QWidget()
    made.setFixedSize(200, 120)
    qtbot.addWidget(made)
    return made


def kinds(window) -> set[str]:
    window.show()
    QApplication.processEvents()
    return {line.partition(":")[0] for line in faults(window)}


def test_a_cut_label_is_found_and_a_tooltip_with_the_whole_forgives_it(box):
    words = QLabel(LONG, box)
    words.setGeometry(0, 0, 100, 20)
    assert kinds(box) == {"cut"}
    words.setToolTip("something else")
    assert kinds(box) == {"cut"}
    words.setToolTip(LONG)
    assert kinds(box) == set()


def test_lines_that_wrap_beyond_their_label_are_found(box):
    words = label(LONG)
    words.setParent(box)
    words.setGeometry(0, 0, 100, 20)
    assert kinds(box) == {"cut"}


def test_a_shortened_button_is_found(box):
    tool = QToolButton(box)
    tool.setText(LONG)
    tool.setGeometry(0, 0, 80, 24)
    assert kinds(box) & {"cut", "shortened"}


def test_widgets_of_a_layout_that_lie_on_each_other_are_found(box):
    column = QVBoxLayout(box)
    for _ in range(2):
        part = QWidget()
        part.setMinimumHeight(80)
        column.addWidget(part)
    assert kinds(box) == {"outside", "overlap"}


def test_text_printed_over_text_is_found(box):
    for text in ("first", "second"):
        words = QLabel(text, box)
        words.setGeometry(10, 10, 80, 20)
    assert kinds(box) == {"text on text"}


def test_a_widget_outside_of_its_parent_is_found_unless_it_can_be_scrolled_to(box):
    inside = QWidget(box)
    inside.setGeometry(150, 0, 100, 20)
    assert kinds(box) == {"outside"}
    inside.hide()
    tall = QWidget()
    tall.setMinimumSize(50, 900)
    area = scrolled(tall)
    area.setParent(box)
    area.setGeometry(0, 0, 100, 100)
    area.show()
    assert kinds(box) == set()
    tall.setMinimumWidth(300)
    assert kinds(box) == {"outside"}


def test_an_elided_label_says_the_whole_only_where_it_is_short(box):
    words = ElidedLabel(LONG)
    words.set_hint("why")
    row = QHBoxLayout(box)
    row.addWidget(words)
    box.show()
    assert (words.text(), words.toolTip()) == (LONG, f"{LONG}\nwhy")
    words.setText("short")
    assert words.toolTip() == "why"


def test_tools_without_room_are_in_a_menu_and_work_from_there(qtbot, theme):
    bar = ViewerBar(theme)
    qtbot.addWidget(bar)
    bar.setMinimumSize(1, 1)  # as in a page, where its neighbours have their say
    bar.resize(1200, 40)
    bar.show()
    assert bar._more.isHidden()
    bar.resize(260, 40)
    assert bar._more.isVisible()
    assert bar._more.focusPolicy() & Qt.FocusPolicy.TabFocus
    bar._more.menu().aboutToShow.emit()
    offered = {entry.text().replace("&&", "&"): entry for entry in bar._more.menu().actions()}
    hidden = [b for b, _icon in bar._buttons.values() if b.isHidden() and b not in _conditional(bar)]
    assert {button.toolTip() for button in hidden} == offered.keys()
    with qtbot.waitSignal(bar.command) as asked:
        next(entry for text, entry in offered.items() if text.startswith("Invert")).trigger()
    assert asked.args == ["invert"]


def test_a_line_of_controls_wraps_before_it_is_cut(qtbot):
    left, right = QLabel("what is said"), QLabel("what is chosen")
    row = WrappingRow((left,), (right,))
    qtbot.addWidget(row)
    row.setMinimumSize(1, 1)
    row.resize(600, 30)
    row.show()
    assert not row.is_wrapped
    row.resize(row.minimumSizeHint().width(), 60)
    QApplication.processEvents()
    assert row.is_wrapped
    assert right.mapTo(row, right.rect().topLeft()).y() >= left.height()
    row.resize(600, 30)
    left.setText(LONG * 2)
    QApplication.processEvents()
    assert row.is_wrapped


def _conditional(bar) -> list[QWidget]:
    """Buttons that show only where they apply, however much room there is."""
    return [bar._button("measures"), bar._button("link")]
