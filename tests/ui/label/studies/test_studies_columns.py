"""The studies: what their files say, in columns, and how they follow the viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication
from support.films import film

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.dicom.examination import Examination, read_examination
from clipsvd_app.services.studies.import_plan import apply_import, plan_import
from clipsvd_app.ui.app import Studio
from clipsvd_app.ui.label.state import PatientRow, SeriesFacts, SeriesRow, StudyRow
from clipsvd_app.ui.label.studies.model import DATE, DESCRIPTION, MODALITY, NAME, StudiesModel
from clipsvd_app.ui.label.studies.tree import StudiesTree
from clipsvd_app.ui.pages import Pages

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gui
SHOWN = Qt.ItemDataRole.DisplayRole


def patients() -> tuple[PatientRow, ...]:
    """Patient a has two series in one study, b and c have one each."""
    first = StudyRow("a1", "Study 1", (SeriesRow("r1", "CT 1", (1, 2, 3)), SeriesRow("r2", "CT 2", (4,))))
    second = StudyRow("b1", "Study 1", (SeriesRow("r3", "MR 1", (5, 6)),))
    third = StudyRow("c1", "Study 1", (SeriesRow("r4", "Pictures 1", (7,)),))
    rows = (("a", first), ("b", second), ("c", third))
    return tuple(PatientRow(key, f"Patient {key}", (study,)) for key, study in rows)


FACTS = {
    "r1": SeriesFacts("2024-05-06", "CT", "Chest", "axial"),
    "r3": SeriesFacts("2021-01-02", "MR", "Brain", "T2"),
    "r4": SeriesFacts(),
}


@pytest.fixture
def tree(qtbot, theme):
    tree = StudiesTree(theme)
    qtbot.addWidget(tree)
    tree.resize(600, 400)
    tree.show()
    tree.set_patients(patients())
    return tree


def row(tree, key) -> list[str]:
    index = tree.view.model().index_of(key)
    return [index.siblingAtColumn(column).data(SHOWN) for column in (NAME, DATE, MODALITY, DESCRIPTION)]


def names(tree) -> list[str]:
    model = tree.view.model()
    return [model.index(at, 0).data(SHOWN) for at in range(model.rowCount())]


def test_the_model_keeps_qts_rules_while_it_is_filled_and_sorted(qapp):
    model = StudiesModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    model.set_patients(patients())
    model.sort(DATE, Qt.SortOrder.DescendingOrder)
    model.set_facts(FACTS)
    model.set_patients(patients())
    model.sort(NAME)
    assert tester is not None


def test_only_series_in_sight_are_read_and_each_once(tree, qtbot):
    asked = []
    tree.facts_needed.connect(asked.append)
    many = tuple(
        PatientRow(f"p{n}", f"Patient {n}", (StudyRow(f"s{n}", "Study", (SeriesRow(f"x{n}", "CT", (n,)),)),))
        for n in range(500)
    )
    tree.set_patients(many)
    qtbot.waitUntil(lambda: bool(asked))
    assert asked[0][0] == ("x0", 0)
    assert len(asked[0]) < 30
    tree.view.scrollToBottom()
    qtbot.waitUntil(lambda: len(asked) == 2)
    assert not set(asked[0]) & set(asked[1])


def test_columns_say_what_the_files_say_on_every_row_above_too(tree):
    tree.set_facts(FACTS)
    assert row(tree, "r1")[1:] == ["2024-05-06", "CT", "axial"]
    assert row(tree, "a1")[1:] == ["2024-05-06", "CT", "Chest"]
    assert row(tree, "b") == ["Patient b", "2021-01-02", "MR", "Brain"]
    assert row(tree, "c")[1:] == ["", "", ""]
    tip = tree.view.model().index_of("b").data(Qt.ItemDataRole.ToolTipRole)
    assert "2021-01-02 · MR · Brain" in tip


def test_another_project_begins_with_empty_columns_and_asks_anew(tree, qtbot):
    tree.set_facts(FACTS)
    asked = []
    tree.facts_needed.connect(asked.append)
    tree.forget_facts()
    assert row(tree, "b")[1:] == ["", "", ""]
    qtbot.waitUntil(lambda: bool(asked))
    assert ("r3", 5) in asked[0]
    tree.set_patients(patients()[1:])
    assert row(tree, "b")[1:] == ["", "", ""]


def test_sorting_reads_every_study_and_puts_what_is_unknown_last(tree):
    asked = []
    tree.facts_needed.connect(asked.append)
    header = tree.view.header()
    header.setSortIndicator(DATE, Qt.SortOrder.AscendingOrder)
    assert {key for wanted in asked for key, _image in wanted} == {"r1", "r3", "r4"}
    tree.set_facts(FACTS)
    assert names(tree) == ["Patient b", "Patient a", "Patient c"]
    header.setSortIndicator(DATE, Qt.SortOrder.DescendingOrder)
    assert names(tree) == ["Patient a", "Patient b", "Patient c"]
    tree.select("r3")
    header.setSortIndicator(NAME, Qt.SortOrder.DescendingOrder)
    assert names(tree) == ["Patient c", "Patient b", "Patient a"]
    assert tree.selected_ids == (5, 6)


def test_a_narrow_tree_leaves_columns_to_the_tooltips(tree, qapp):
    def shown(width: int) -> list[int]:
        tree.resize(width, 400)
        qapp.processEvents()
        return [column for column in range(4) if not tree.view.isColumnHidden(column)]

    assert shown(180) == [NAME]
    assert shown(300) == [NAME, MODALITY]
    assert shown(400) == [NAME, DATE, MODALITY]
    assert shown(600) == [NAME, DATE, MODALITY, DESCRIPTION]


def test_the_tree_follows_the_viewer_and_chooses_nothing_by_it(tree, qtbot):
    told = []
    tree.images_selected.connect(told.append)
    tree.follow(4)
    assert tree.view.currentIndex().data(SHOWN) == "CT 2"
    assert tree.view.isExpanded(tree.view.model().index_of("a1"))
    tree.follow(6)
    assert tree.view.currentIndex().data(SHOWN) == "Patient b", "one series alone needs no unfolding"
    assert not tree.view.isExpanded(tree.view.model().index_of("b"))
    assert told == []
    at = tree.view.visualRect(tree.view.currentIndex()).center()
    qtbot.mouseClick(tree.view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert told == [(5, 6)]
    tree.select("a")
    tree.follow(4)
    assert tree.view.currentIndex().data(SHOWN) == "Patient a", (
        "what the user chose and holds the image stays"
    )
    assert len(told) == 2


def test_an_examination_is_read_from_its_file_and_one_that_is_gone_is_refused(tmp_path):
    made = film(tmp_path / "a.dcm", "P1", 1, date="20240506")
    assert read_examination(made).date == "2024-05-06"
    assert read_examination(made).modality
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    assert read_examination(tmp_path / "a.png") == Examination()
    (tmp_path / "b.dcm").write_bytes(made.read_bytes()[:132] + bytes(range(200)))
    assert read_examination(tmp_path / "b.dcm").date == ""
    with pytest.raises(UserError):
        read_examination(tmp_path / "gone.dcm")


def test_what_files_say_is_shown_and_never_stored_and_names_only_on_request(qtbot, qapp, tmp_path: Path):
    (tmp_path / "in").mkdir()
    for number in range(3):
        film(tmp_path / "in" / f"Doe_{number}.dcm", f"P{number}", number, date=f"2024050{number + 1}")
    studio = Studio(qapp)
    qtbot.addWidget(studio.window)
    studio.window.show()
    studio.pages = Pages(studio.session, studio.window, studio.theme)
    session, page = studio.session, studio.pages.label
    session.new_project(tmp_path / "job.clipsvd")
    session.do(apply_import(session.project, plan_import(session.project, [tmp_path / "in"])))
    model = page.tree.view.model()
    qtbot.waitUntil(lambda: model.index(2, DATE).data(SHOWN) == "2024-05-03", timeout=10_000)
    qtbot.waitUntil(lambda: page.viewer.frame is not None)
    focused = QApplication.focusWidget()
    page.strip.step(1)
    qtbot.waitUntil(lambda: page.viewer.frame.image_id == session.images()[1].id)
    assert page.tree.view.currentIndex().data(SHOWN) == "Patient 002"
    assert QApplication.focusWidget() is focused
    assert len(page.strip.view.model().items) == 3, "the pool is not narrowed"
    index = page.strip.view.model().index(0)
    assert "Doe_0.dcm" in index.data(Qt.ItemDataRole.ToolTipRole)
    assert index.data(SHOWN) == session.images()[0].title
    assert not any("Doe" in line for line in page.viewer.frame.corners.top_left)
    studio.window.action("view.file_names").trigger()
    qtbot.waitUntil(lambda: "Doe_1.dcm" in page.viewer.frame.corners.top_left)
    assert page.strip.view.model().index(0).data(SHOWN) == "Doe_0.dcm"
    assert studio.window.action("view.file_names").text() == "Hide file names"
    studio.window.close()
    stored = (tmp_path / "job.clipsvd").read_bytes()
    assert b"2024-05" not in stored
    assert b"202405" not in stored
