"""Facts about the Export page: what is typed is what is asked for, and a failed check is never a success."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from shiboken6 import delete

from clipsvd_app.jobs.answers import Check, VerifyResult
from clipsvd_app.ui.export.page import ExportPage
from clipsvd_app.ui.export.results_table import CLASS, FILE, TOP
from clipsvd_app.ui.export.state import (
    AdapterView,
    AppliedRow,
    ApplyState,
    CardFields,
    ExportResult,
    ExportState,
    RefusedRow,
)

pytestmark = pytest.mark.gui
CARD = CardFields("Teaching.", "us@example.org", "CC-BY-4.0")
STATE = ExportState((2,), 2, "a.sigma.safetensors", "/tmp/a.sigma.safetensors", 450_000, (), CARD)
ADAPTER = AdapterView("a.sigma.safetensors", ("normal", "lesion"), (("Made", "2026"),))
ROWS = (
    AppliedRow(1, "one.dcm", "Study 1", (0.95, 0.05), (0.5, 0.5)),
    AppliedRow(2, "two.dcm", "Study 1", (0.48, 0.52), (0.9, 0.1)),
    AppliedRow(3, "ten.dcm", "Study 2", (0.3, 0.7), (0.2, 0.8)),
)


@pytest.fixture
def page(qtbot, theme):
    page = ExportPage(theme)
    qtbot.addWidget(page)
    page.resize(1300, 800)
    page.set_state(STATE)
    with qtbot.waitExposed(page):
        page.show()
    yield page
    delete(page)


def drop(widget, *paths):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(path) for path in paths])
    action, button, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(widget, QDragEnterEvent(QPoint(5, 5), action, mime, button, none))
    QApplication.sendEvent(widget, QDropEvent(QPointF(5, 5), action, mime, button, none))


def test_writing_asks_for_the_path_and_the_card_as_typed(page, qtbot):
    page.write_tab._use.setPlainText("  Research on stills. ")
    page.write_tab._path.setText("/tmp/b.sigma.safetensors")
    with qtbot.waitSignal(page.write_tab.export_requested) as caught:
        page.write_tab._write.click()
    assert caught.args == [
        "/tmp/b.sigma.safetensors",
        CardFields("Research on stills.", "us@example.org", "CC-BY-4.0"),
    ]


def test_what_is_typed_outlives_news_of_the_writing(page):
    page.write_tab._contact.setText("someone else")
    page.set_state(replace(STATE, writing=True))
    assert page.write_tab.card().contact == "someone else"
    assert not page.write_tab._write.isEnabled()


def test_no_file_no_writing(page):
    page.write_tab._path.setText("  ")
    assert not page.write_tab._write.isEnabled()


@pytest.mark.parametrize("passed", [True, False])
def test_the_result_is_called_written_only_when_every_check_held(page, passed):
    checks = VerifyResult((Check("Base", True, "same weights"), Check("Probes", passed, "144 of them")))
    page.set_state(replace(STATE, result=ExportResult("a.sigma.safetensors", checks)))
    assert ("a.sigma.safetensors written" in page.write_tab.banner.text()) is passed
    assert ("failed verification" in page.write_tab.banner.text()) is not passed


def test_without_a_run_an_adapter_can_still_be_used(page):
    page.set_state(ExportState())
    assert page._empty.isVisible()
    page.show_tab("apply")
    assert page.apply_tab.open_area.isVisible()


def test_a_dropped_adapter_is_opened_and_dropped_studies_are_handed_on(page, qtbot):
    page.show_tab("apply")
    with qtbot.waitSignal(page.apply_tab.adapter_opened) as opened:
        drop(page.apply_tab.open_area, "/tmp/a.sigma.safetensors")
    assert opened.args == ["/tmp/a.sigma.safetensors"]
    page.apply_tab.set_state(ApplyState(ADAPTER))
    with qtbot.waitSignal(page.apply_tab.studies_dropped) as dropped:
        drop(page.apply_tab.studies_area, "/tmp/one.dcm", "/tmp/folder")
    assert dropped.args == [["/tmp/one.dcm", "/tmp/folder"]]


def test_the_least_certain_image_stands_on_top(page):
    page.apply_tab.set_state(ApplyState(ADAPTER, ROWS))
    assert page.apply_tab.table.image_ids() == (2, 3, 1)


def test_headings_sort(page):
    page.apply_tab.set_state(ApplyState(ADAPTER, ROWS))
    table = page.apply_tab.table
    table.sortByColumn(FILE, Qt.SortOrder.AscendingOrder)
    assert table.image_ids() == (1, 3, 2)
    table.sortByColumn(TOP, Qt.SortOrder.DescendingOrder)
    assert table.image_ids() == (1, 3, 2)
    table.sortByColumn(CLASS, Qt.SortOrder.DescendingOrder)
    assert table.image_ids()[0] == 1


def test_a_refused_file_is_listed_with_its_sentence(page):
    page.show_tab("apply")
    page.apply_tab.set_state(ApplyState(ADAPTER, ROWS, (RefusedRow("x.txt", "This is no image."),)))
    assert page.apply_tab._refused_area.isVisible()
    page.apply_tab.set_state(ApplyState(ADAPTER, ROWS))
    assert not page.apply_tab._refused_area.isVisible()


def test_files_are_named_below_the_folder_of_all_and_whole_in_the_tool_tip(page):
    paths = ("/data/new/P1/IM1.dcm", "/data/new/P2/IM1.dcm")
    table = page.apply_tab.table
    table.set_rows(("a", "b"), tuple(replace(ROWS[0], file_name=path) for path in paths))
    cells = [table.model().index(row, FILE) for row in range(2)]
    assert [cell.data() for cell in cells] == ["P1/IM1.dcm", "P2/IM1.dcm"]
    assert [cell.data(Qt.ItemDataRole.ToolTipRole) for cell in cells] == list(paths)


def test_the_table_is_saved_only_when_it_is_whole(page):
    page.apply_tab.set_state(ApplyState(ADAPTER, ROWS, progress=("Predicting", 1, 3)))
    assert not page.apply_tab._csv.isEnabled()
    page.apply_tab.set_state(ApplyState(ADAPTER, ROWS))
    assert page.apply_tab._csv.isEnabled()
