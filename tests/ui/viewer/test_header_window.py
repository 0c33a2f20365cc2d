"""Facts about the window with the header of the shown file."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget
from support.films import film
from support.project_images import project_image

from clipsvd_app.imaging.header_listing import HeaderRow
from clipsvd_app.ui.session.background import Background
from clipsvd_app.ui.viewer.controllers.headers import HeaderController
from clipsvd_app.ui.viewer.header_dialog import NOTHING_FOUND, VALUE, HeaderDialog

pytestmark = pytest.mark.gui
LONG = "x" * 1000
ROWS = (
    HeaderRow("(0008,0060)", "Modality", "CS", "CT"),
    HeaderRow("(0010,0010)", "PatientName", "PN", "<b>Doe</b>"),
    HeaderRow(
        "(0028,3010)",
        "VOILUTSequence",
        "SQ",
        "1 item",
        (HeaderRow("", "Item 1", "", "", (HeaderRow("(0028,3003)", "LUTExplanation", "LO", LONG),)),),
    ),
)


@pytest.fixture
def dialog(qtbot, theme):
    made = HeaderDialog()
    qtbot.addWidget(made)
    made.show_rows("P001 · 1", ROWS)
    return made


def shown(dialog) -> list[str]:
    model = dialog.tree.model()
    return [model.index(row, 1).data() for row in range(model.rowCount())]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("modal", ["Modality"]),
        ("0008,0060", ["Modality"]),
        ("00100010", ["PatientName"]),
        ("xxx", ["VOILUTSequence"]),
        ("item 1", ["VOILUTSequence"]),
        ("nowhere", []),
        ("", ["Modality", "PatientName", "VOILUTSequence"]),
    ],
)
def test_words_are_found_in_tags_names_and_values_however_deep(dialog, words, found):
    dialog.search.setText(words)
    assert shown(dialog) == found
    assert (dialog.said.text() == NOTHING_FOUND) == (not found)


def test_the_whole_value_is_copied_though_the_cell_is_cut(dialog, qtbot):
    dialog.search.setText("LUTExplanation")
    model = dialog.tree.model()
    leaf = model.index(0, 0, model.index(0, 0, model.index(0, 0)))
    assert len(leaf.siblingAtColumn(VALUE).data()) < len(LONG)
    assert leaf.siblingAtColumn(VALUE).data(Qt.ItemDataRole.ToolTipRole) == LONG
    dialog.tree.setCurrentIndex(leaf)
    qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == LONG


def test_it_says_that_it_may_name_the_patient_and_keeps_nothing(dialog):
    dialog.show_error("P001 · 2", "a.dcm is not there. Check the name.")
    assert shown(dialog) == []
    assert dialog.said.text() == "a.dcm is not there. Check the name."


class Files(QObject):
    """The part of a session that reads files, and what the viewer shows of them."""

    shown_changed, project_opened, project_changed = Signal(), Signal(), Signal()

    def __init__(self, paths) -> None:
        super().__init__()
        self.background = Background()
        self.paths, self.seen, self.told = paths, None, []
        self.work = self.background.run
        self.tell = self.told.append

    def image(self, image_id):
        if image_id is None:
            return None
        from dataclasses import replace

        return replace(project_image(image_id), path=str(self.paths[image_id - 1]))

    def show(self, image_id) -> None:
        self.seen = image_id
        self.shown_changed.emit()


@pytest.fixture
def files(qtbot, tmp_path):
    made = Files(
        [film(tmp_path / "1.dcm", "first", 1), film(tmp_path / "2.dcm", "second", 2), tmp_path / "3"]
    )
    yield made
    made.background.close()


def test_the_window_follows_the_viewer_and_names_what_is_missing(qtbot, theme, files):
    parent = QWidget()
    qtbot.addWidget(parent)
    headers = HeaderController(files, files, parent)
    headers.toggle()
    assert not headers.dialog.isVisible()
    assert files.told[0].message == "No image is open."
    files.show(1)
    headers.toggle()

    def value_of(name: str) -> str:
        model = headers.dialog.tree.model()
        found = {
            model.index(row, 1).data(): model.index(row, VALUE).data() for row in range(model.rowCount())
        }
        return found.get(name, "")

    qtbot.waitUntil(lambda: value_of("PatientID") == "first")
    files.show(2)
    qtbot.waitUntil(lambda: value_of("PatientID") == "second")
    files.show(3)
    qtbot.waitUntil(lambda: "does not exist" in headers.dialog.said.text())
    assert value_of("PatientID") == ""
    headers.toggle()
    assert not headers.dialog.isVisible()
    files.show(1)
    assert value_of("PatientID") == ""
    headers.toggle()
    qtbot.waitUntil(lambda: value_of("PatientID") == "first")
    files.seen = None
    files.project_changed.emit()
    assert not headers.dialog.isVisible()
