"""Whatever came from a file, a table or a user is shown letter by letter."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import (
    QApplication,
    QInputDialog,
    QLabel,
    QMessageBox,
    QProgressDialog,
    QPushButton,
    QTextEdit,
    QToolTip,
    QWidget,
)
from support.fake_engine import FakeEngine

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.settings import Settings, save_settings
from clipsvd_app.ui.app import Studio
from clipsvd_app.ui.label.state import PatientRow
from clipsvd_app.ui.label.studies.tree import StudiesTree
from clipsvd_app.ui.look.plain_text import literal
from clipsvd_app.ui.pages import Pages
from clipsvd_app.ui.session.notices import Notice
from clipsvd_app.ui.session.session import Session
from clipsvd_app.ui.shell.menus import Actions

pytestmark = pytest.mark.gui
MARKUP = '<img src="/tmp/picture.png"><b>CT</b> & more'
OUR_OWN = {"notice_text"}
"""Labels that are rich text on purpose, because every text in them is escaped first; by object name."""


@pytest.fixture
def studio(qtbot, qapp, tmp_path, monkeypatch):
    """The whole window on a project whose classes are named like markup."""
    monkeypatch.setenv("CLIPSVD_HOME", str(tmp_path / "home"))
    save_settings(Settings())
    made = Studio(qapp, Session(FakeEngine()))
    qtbot.addWidget(made.window)
    made.pages = Pages(made.session, made.window, made.theme)
    assert made.session.new_project(tmp_path / f"a{MARKUP[-6:]}.clipsvd")
    for number in range(2):
        made.session.do(AddClass(class_from_name(f"<i>{number}</i> & other")))
    yield made
    made.session.close()


def test_no_label_of_any_page_guesses_the_format_of_its_text(studio):
    for key in ("label", "train", "inspect", "explain", "export", "settings"):
        studio.window.show_page(key)
        QApplication.processEvents()
    labels = studio.window.findChildren(QLabel)
    assert len(labels) > 50
    for label in labels:
        label.ensurePolished()
    rich = {
        label.objectName() or label.text()
        for label in labels
        if label.textFormat() != Qt.TextFormat.PlainText
    }
    assert rich <= OUR_OWN


def test_fields_that_could_show_markup_are_not_used(studio):
    assert not studio.window.findChildren(QTextEdit)


@pytest.mark.usefixtures("theme")
def test_a_tool_tip_shows_markup_as_it_is_written(qtbot):
    below = QWidget(toolTip=MARKUP)
    qtbot.addWidget(below)
    below.show()
    QApplication.sendEvent(
        below, QHelpEvent(QHelpEvent.Type.ToolTip, QPoint(1, 1), below.mapToGlobal(QPoint(1, 1)))
    )
    assert QToolTip.text() == MARKUP
    assert _tip().textFormat() == Qt.TextFormat.PlainText
    QToolTip.hideText()


def test_the_tool_tip_of_a_study_shows_its_header_as_it_is_written(qtbot, theme):
    tree = StudiesTree(theme)
    qtbot.addWidget(tree)
    tree.set_patients((PatientRow("p", MARKUP, ()),))
    tree.show()
    view = tree.view
    at = view.visualRect(view.model().index(0, 0)).center()
    event = QHelpEvent(QHelpEvent.Type.ToolTip, at, view.viewport().mapToGlobal(at))
    QApplication.sendEvent(view.viewport(), event)
    assert MARKUP in QToolTip.text()
    assert _tip().textFormat() == Qt.TextFormat.PlainText
    QToolTip.hideText()


@pytest.mark.usefixtures("theme")
@pytest.mark.parametrize("kind", [QMessageBox, QInputDialog, QProgressDialog])
def test_dialogs_of_qt_show_markup_as_it_is_written(qtbot, kind):
    dialog = kind()
    qtbot.addWidget(dialog)
    setter = dialog.setText if kind is QMessageBox else dialog.setLabelText
    setter(MARKUP)
    dialog.show()
    shown = [label for label in dialog.findChildren(QLabel) if label.text() == MARKUP]
    assert shown
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in shown)


def test_a_notice_escapes_what_it_tells_of(studio):
    studio.window.show_notice(Notice("error", MARKUP, MARKUP))
    label = studio.window.findChild(QLabel, "notice_text")
    assert "<img" not in label.text()
    assert "&lt;img" in label.text()


@pytest.mark.usefixtures("theme")
def test_an_ampersand_in_a_name_is_no_shortcut(qtbot, theme):
    frame = QWidget()
    qtbot.addWidget(frame)
    menus = Actions(theme, frame)
    button = QPushButton(literal("R&D\ttab"))
    qtbot.addWidget(button)
    assert button.shortcut().isEmpty()
    menus.set_recent(["/a & b.clipsvd"])
    assert [entry.text() for entry in menus._recent.actions()] == ["/a && b.clipsvd"]


def _tip() -> QLabel:
    tips = [
        w
        for w in QApplication.topLevelWidgets()
        if w.metaObject().className() == "QTipLabel" and w.isVisible()
    ]
    assert len(tips) == 1
    return tips[0]
