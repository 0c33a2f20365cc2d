"""Facts about images that an adapter was applied to: how they are listed, warned of, and looked at."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from support.phantom_ct import chest, write_series

from clipsvd_app.jobs.answers import PredictedImage, PredictResult
from clipsvd_app.services.adapters.application import NO_LIKENESS, gather, list_files, unlike_summary
from clipsvd_app.ui.export.applied_images import AppliedImagesController
from clipsvd_app.ui.export.page import ExportPage
from clipsvd_app.ui.export.results_table import MARKED, TOP, UNLIKE
from clipsvd_app.ui.export.state import AdapterView, ApplyState, applied_row
from clipsvd_app.ui.session.background import Background

pytestmark = pytest.mark.gui
NAMES = ("effusion", "none")


@pytest.fixture
def series(tmp_path):
    write_series(tmp_path / "in" / "a", chest(5, 32))
    write_series(tmp_path / "in" / "b", chest(5, 32)[:2], series=2)
    return list_files([tmp_path / "in"])


def predicted(files, unlike=()) -> PredictResult:
    rows = tuple(
        PredictedImage(
            file.id,
            (0.5 + file.id / 100, 0.5 - file.id / 100),
            (0.5, 0.5),
            "ultrasound" if file.id in unlike else None,
        )
        for file in files
    )
    return PredictResult(NAMES, rows, (), learnt_kind="radiography")


@pytest.fixture
def bench(qtbot, theme, series):
    page = ExportPage(theme)
    qtbot.addWidget(page)
    page.resize(1200, 700)
    background = Background()
    images = AppliedImagesController(SimpleNamespace(background=background), page, theme)
    rows = gather(series, predicted(series, unlike={6}))
    images.set_rows(rows, NAMES)
    page.apply_tab.set_state(
        ApplyState(
            AdapterView("a.sigma.safetensors", NAMES, ()),
            tuple(applied_row(row) for row in rows),
            warning=unlike_summary(rows, "radiography"),
        )
    )
    page.show_tab("apply")
    page.show()
    yield SimpleNamespace(page=page, table=page.apply_tab.table, images=images, rows=rows)
    background.close()


def test_images_unlike_those_of_training_come_first_and_are_counted(series):
    rows = gather(series, predicted(series, unlike={5, 6}))
    assert [row.file.id for row in rows[:3]] == [5, 6, 0]
    assert "nearer to an ultrasound image than to a radiograph" in rows[0].unlike
    assert unlike_summary(rows, "radiography").startswith("2 of 7 images are unlike")
    one = gather(series, predicted(series, unlike={6}))
    assert unlike_summary(one, "radiography").startswith("1 of 7 images is unlike")
    assert unlike_summary(gather(series, predicted(series)), "radiography") == ""
    assert unlike_summary(rows, "") == NO_LIKENESS


def test_the_table_marks_them_faintly_and_hides_the_column_without_any(bench):
    model = bench.table.model()
    assert bench.table.image_ids()[0] == 6
    assert model.index(0, UNLIKE).data() == MARKED
    assert "do not rely on" in model.index(0, UNLIKE).data(Qt.ItemDataRole.ToolTipRole)
    assert model.index(0, TOP).data(Qt.ItemDataRole.ForegroundRole) is not None
    assert model.index(1, TOP).data(Qt.ItemDataRole.ForegroundRole) is None
    assert not bench.table.isColumnHidden(UNLIKE)
    bench.table.set_rows(NAMES, tuple(applied_row(row) for row in bench.rows if not row.unlike))
    assert bench.table.isColumnHidden(UNLIKE)


def test_a_table_saved_says_which_are_unlike(bench, tmp_path):
    from clipsvd_app.services.adapters.application import write_csv

    write_csv(bench.rows, NAMES, tmp_path / "out.csv")
    lines = (tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].endswith("unlike_training,refused")
    assert [line.count("Unlike the training images") for line in lines[1:]] == [1, 0, 0, 0, 0, 0, 0]


def opened(bench, qtbot, image_id):
    qtbot.waitUntil(
        lambda: bench.images.dialog.viewer.frame is not None
        and bench.images.dialog.viewer.frame.image_id == image_id
    )
    return bench.images.dialog


def test_enter_or_a_double_click_shows_the_image_in_its_stack(bench, qtbot):
    bench.table.selectRow(0)
    qtbot.keyClick(bench.table, Qt.Key.Key_Return)
    dialog = opened(bench, qtbot, 6)
    assert dialog.viewer.frame.count == 2
    assert dialog.viewer.frame.edges == ("R", "A", "L", "P")
    bench.table.doubleClicked.emit(bench.table.model().index(1, 0))
    assert opened(bench, qtbot, 0).viewer.frame.count == 5


def test_slices_are_scrolled_in_the_order_of_the_body_each_with_its_prediction(bench, qtbot):
    bench.images.open(4)  # the file names run the other way than the slices
    dialog = opened(bench, qtbot, 4)
    assert dialog.viewer.frame.index == 0
    qtbot.keyClick(dialog.viewer, Qt.Key.Key_Down)
    dialog = opened(bench, qtbot, 3)
    assert dialog.viewer.frame.corners.bottom_left[0].startswith("Slice 2 of 5 · 5 mm")
    assert dialog._said.text().startswith("effusion, 53")


def test_next_image_moves_through_the_table(bench, qtbot):
    bench.table.selectRow(0)
    qtbot.keyClick(bench.table, Qt.Key.Key_Return)
    dialog = opened(bench, qtbot, 6)
    qtbot.keyClick(dialog.viewer, Qt.Key.Key_Right)
    opened(bench, qtbot, 0)
    assert bench.table.currentIndex().row() == 1


def test_nothing_can_be_trained_or_compared_there(bench, qtbot):
    bench.images.open(0)
    dialog = opened(bench, qtbot, 0)
    asked = []
    dialog.viewer.training_window_chosen.connect(lambda *said: asked.append(said))
    dialog.viewer.region_chosen.connect(lambda *said: asked.append(said))
    for key in (Qt.Key.Key_T, Qt.Key.Key_Y, Qt.Key.Key_M, Qt.Key.Key_J):
        qtbot.keyClick(dialog.viewer, key)
    qtbot.keyClick(dialog.viewer, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    assert asked == []
    assert dialog.viewer.layout_name == "1"
    assert dialog.viewer.bar._button("layout").isHidden()


def test_escape_puts_the_tool_away_first_and_then_closes_the_window(bench, qtbot):
    bench.images.open(0)
    dialog = opened(bench, qtbot, 0)
    qtbot.keyClick(dialog.viewer, Qt.Key.Key_D)
    qtbot.keyClick(dialog.viewer, Qt.Key.Key_Escape)
    assert dialog.isVisible()
    assert dialog.viewer.tool == "window"
    qtbot.keyClick(dialog.viewer, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_a_file_that_went_away_is_one_sentence_and_other_predictions_close_the_window(bench, qtbot, series):
    bench.images.open(0)
    opened(bench, qtbot, 0)
    for file in series:
        Path(file.path).unlink()
    bench.images.open(1)
    qtbot.waitUntil(lambda: bench.images.dialog.viewer.frame is None)
    bench.images.set_rows((), ())
    assert not bench.images.dialog.isVisible()


def test_grey_is_what_the_viewer_makes_of_the_file(bench, qtbot):
    bench.images.open(0)
    frame = opened(bench, qtbot, 0).viewer.frame
    assert frame.window is not None
    assert frame.pixels.dtype == np.float32
