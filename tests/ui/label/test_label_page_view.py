"""Facts about the Label page's layout and its studies tree."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication, QPushButton

from clipsvd_app.domain.measures import Measure
from clipsvd_app.ui.label.page import LabelPage
from clipsvd_app.ui.label.state import (
    BinState,
    PatientRow,
    ReaderState,
    SeriesRow,
    StripItem,
    StripState,
    StudyRow,
)
from clipsvd_app.ui.label.strip.model import StripModel
from clipsvd_app.ui.label.studies import tree as studies_tree_module
from clipsvd_app.ui.label.studies.model import FLAGS_ROLE, PROGRESS_ROLE, StudiesModel
from clipsvd_app.ui.label.studies.tree import StudiesTree
from clipsvd_app.ui.viewer.state import FrameState

pytestmark = pytest.mark.gui


def patients(labelled=0) -> tuple[PatientRow, ...]:
    first = StudyRow(
        "s1", "CT", (SeriesRow("r1", "axial", (1, 2, 3), labelled), SeriesRow("r2", "scout", (4,)))
    )
    second = StudyRow("s2", "CR", (SeriesRow("r3", "chest", (5, 6)),))
    return (PatientRow("p1", "Patient 1", (first,)), PatientRow("p2", "Patient 2", (second,)))


@pytest.fixture
def tree(qtbot, theme):
    tree = StudiesTree(theme)
    qtbot.addWidget(tree)
    tree.resize(260, 500)
    tree.show()
    tree.set_patients(patients())
    return tree


@pytest.fixture
def page(qtbot, theme):
    page = LabelPage(theme)
    qtbot.addWidget(page)
    page.resize(1300, 800)
    page.show()
    page.tree.set_patients(patients())
    page.bins.set_bins((BinState(1, 0, "normal"), BinState(2, 1, "nodule")))
    page.strip.set_state(StripState(tuple(StripItem(i, f"image {i}") for i in range(1, 7))))
    page.show_work()
    return page


def test_an_irregular_series_carries_a_sign_and_says_why_on_every_row_above(tree):
    irregular = SeriesRow("r1", "axial", (1, 2, 3), 0, ("1 slice is missing.", "Sizes differ."))
    study = StudyRow("s1", "CT", (irregular, SeriesRow("r2", "scout", (4,))))
    model = tree.view.model()
    tip = Qt.ItemDataRole.ToolTipRole
    tree.view.expandAll()
    before = tree.view.grab().toImage()
    tree.set_patients((PatientRow("p1", "Patient 1", (study,)), patients()[1]))
    assert tree.view.grab().toImage() != before
    assert model.index_of("r1").data(tip).splitlines()[1:] == ["1 slice is missing.", "Sizes differ."]
    assert "CT: axial: 1 slice is missing." in model.index_of("p1").data(tip)
    assert "missing" not in model.index_of("r2").data(tip)
    assert not model.index_of("p2").data(FLAGS_ROLE)


def frame(image_id) -> FrameState:
    return FrameState(image_id, np.zeros((8, 8), dtype=np.uint8))


def test_the_models_keep_qts_rules(qapp):
    fatal = QAbstractItemModelTester.FailureReportingMode.Warning
    studies, strip = StudiesModel(), StripModel()
    testers = [QAbstractItemModelTester(model, fatal) for model in (studies, strip)]
    studies.set_patients(patients())
    studies.set_patients(patients(labelled=2))
    studies.set_patients(patients()[:1])
    strip.set_items([StripItem(1, "a")])
    assert len(testers) == 2


def test_a_patient_counts_all_images_below(tree):
    tree.set_patients(patients(labelled=2))
    index = tree.view.model().index_of("p1")
    assert index.data(PROGRESS_ROLE) == (2, 4)


def test_choosing_a_row_gives_all_images_below_it_once(tree, qtbot):
    with qtbot.waitSignal(tree.images_selected) as selected:
        tree.select("p1")
    assert selected.args == [(1, 2, 3, 4)]
    flag = QItemSelectionModel.SelectionFlag.Select
    tree.view.selectionModel().select(tree.view.model().index_of("r1"), flag)
    tree.view.selectionModel().select(tree.view.model().index_of("s2"), flag)
    assert sorted(tree.selected_ids) == [1, 2, 3, 4, 5, 6]


def test_a_drag_from_the_tree_carries_the_series(tree, monkeypatch):
    carried = []
    monkeypatch.setattr(studies_tree_module, "drag_images", lambda _source, ids, _ghost: carried.append(ids))
    tree.select("r1")
    tree.view.startDrag(Qt.DropAction.CopyAction)
    assert carried == [(1, 2, 3)]


def test_a_new_count_folds_nothing_and_keeps_the_selection(tree):
    tree.view.expandAll()
    tree.select("r3")
    tree.set_patients(patients(labelled=1))
    assert tree.selected_ids == (5, 6)
    assert tree.view.isExpanded(tree.view.model().index_of("s1"))


def test_new_studies_fold_nothing_and_keep_the_selection(tree):
    tree.view.expandAll()
    tree.select("r3")
    more = PatientRow("p0", "Patient 0", (StudyRow("s0", "US", (SeriesRow("r0", "neck", (9,)),)),))
    tree.set_patients((more, *patients()))
    assert tree.selected_ids == (5, 6)
    assert tree.view.isExpanded(tree.view.model().index_of("s1"))
    assert not tree.view.isExpanded(tree.view.model().index_of("p0"))


def test_without_studies_the_tree_says_how_to_get_some(tree, qtbot):
    tree.set_patients(())
    assert not tree.view.isVisible()
    with qtbot.waitSignal(tree.action_requested) as asked:
        tree.findChildren(QPushButton)[0].click()
    assert asked.args == ["file.add_folder"]


def test_without_a_project_the_page_offers_the_demo(page, qtbot):
    page.show_empty()
    button = next(b for b in page.welcome.findChildren(QPushButton) if "demo" in b.text())
    with qtbot.waitSignal(page.action_requested) as asked:
        button.click()
    assert asked.args == ["demo"]


def test_enter_on_a_class_labels_the_pools_selection_else_the_shown_image(page, qtbot):
    page.show_frame(frame(5))
    with qtbot.waitSignal(page.label_requested) as labelled:
        qtbot.keyClick(page.bins.bins[2], Qt.Key.Key_Return)
    assert labelled.args == [(5,), 1, False]
    page.strip.select((2, 3))
    with qtbot.waitSignal(page.label_requested) as labelled:
        qtbot.keyClick(page.bins.bins[1], Qt.Key.Key_Return)
    assert labelled.args == [(2, 3), 0, False]


@pytest.mark.parametrize("part", ["viewer", "strip.view", "tree.view", "bins"])
def test_a_labelling_key_means_what_is_on_the_screen_wherever_the_focus_is(page, qtbot, part):
    page.strip.select((2,))
    page.show_frame(frame(4))
    focused = operator.attrgetter(part)(page)
    with qtbot.waitSignal(page.label_requested) as labelled:
        qtbot.keyClick(focused, Qt.Key.Key_1)
    assert labelled.args == [(4,), 0, True]
    with qtbot.waitSignal(page.label_requested) as labelled:
        qtbot.keyClick(focused, Qt.Key.Key_2, Qt.KeyboardModifier.ShiftModifier)
    assert labelled.args == [(4,), 1, False]
    with qtbot.waitSignal(page.clear_requested) as cleared:
        qtbot.keyClick(focused, Qt.Key.Key_0)
    assert cleared.args == [(4,)]


@pytest.mark.parametrize("part", ["strip.view", "tree.view", "bins"])
def test_the_keys_of_the_viewer_work_wherever_the_focus_is(page, qtbot, part):
    page.show_frame(frame(4))
    qtbot.keyClick(operator.attrgetter(part)(page), Qt.Key.Key_I)
    assert page.viewer.pane.inverted
    qtbot.keyClick(operator.attrgetter(part)(page), Qt.Key.Key_D)
    assert page.viewer.tool == "distance"


def test_letters_typed_into_the_search_are_no_commands(page, qtbot):
    page.show_frame(frame(4))
    page.strip.focus_search()
    asked = []
    page.label_requested.connect(lambda *args: asked.append(args))
    qtbot.keyClicks(QApplication.focusWidget(), "i2 dense")
    assert asked == []
    assert not page.viewer.pane.inverted


def test_delete_takes_a_marked_measurement_before_a_label(page, qtbot):
    page.show_frame(frame(4))
    page.viewer.set_measures((Measure("distance", ((0.0, 0.0), (3.0, 4.0))),), 0)
    page.viewer.pane.hand.select(0)
    cleared = []
    page.clear_requested.connect(cleared.append)
    qtbot.keyClick(page.strip.view, Qt.Key.Key_Delete)
    assert page.viewer.pane.hand.measures == ()
    assert cleared == []
    qtbot.keyClick(page.strip.view, Qt.Key.Key_Delete)
    assert cleared == [(4,)]


def test_u_and_x_mark_the_shown_image_or_all_that_are_chosen(page, qtbot):
    page.show_frame(frame(4))
    with qtbot.waitSignal(page.mark_requested) as marked:
        qtbot.keyClick(page.viewer, Qt.Key.Key_U)
    assert marked.args == [(4,), "uncertain"]
    page.strip.select((1, 2, 3))
    with qtbot.waitSignal(page.mark_requested) as marked:
        qtbot.keyClick(page.tree.view, Qt.Key.Key_X)
    assert marked.args == [(1, 2, 3), "excluded"]


def test_the_line_above_the_page_says_what_a_second_reader_does(page, qtbot):
    assert not page.reader_bar.isVisible()
    page.reader_bar.set_state(ReaderState("comparing", "Reader B", "κ 0.71", can_step=True))
    with qtbot.waitSignal(page.reader_bar.step_requested):
        next(b for b in page.reader_bar.findChildren(QPushButton) if "Next" in b.text()).click()
    page.reader_bar.set_state(ReaderState())
    assert not page.reader_bar.isVisible()


def test_the_viewers_arrows_walk_through_the_pool(page, qtbot):
    page.strip.select((1,))
    page.show_frame(frame(1))
    with qtbot.waitSignal(page.strip.opened) as opened:
        qtbot.keyClick(page.viewer, Qt.Key.Key_Right)
    assert opened.args == [2]


def test_a_thumbnail_reaches_pool_bins_and_the_viewers_handle(page):
    page.bins.set_bins((BinState(1, 0, "normal", (3,)),))
    page.show_frame(frame(3))
    picture = QImage(32, 32, QImage.Format.Format_Grayscale8)
    picture.fill(90)
    before = page.bins.grab().toImage()
    page.set_thumbnail(3, picture)
    assert page.strip.thumbnail(3) is not None
    assert page.bins.grab().toImage() != before
    assert not page.viewer.pane.handle.ghost.isNull()


def test_the_viewer_can_have_the_whole_page(page, qtbot):
    page.set_viewer_alone(True)
    assert page.viewer_alone
    assert not page.tree.isVisible()
    qtbot.waitUntil(lambda: page.viewer.width() == page.width())
    page.set_viewer_alone(False)
    assert page.tree.isVisible()
    assert page.strip.isVisible()


def test_the_page_shrinks_to_a_small_screen(page):
    page.resize(960, 520)
    assert page.minimumSizeHint().width() <= 960 - 88
    page.grab()


def test_switching_the_theme_leaves_no_widget_behind(page, theme, qapp):
    before = len(qapp.allWidgets())
    theme.set_theme("light")
    page.grab()
    theme.set_theme("dark")
    page.grab()
    assert len(qapp.allWidgets()) == before
