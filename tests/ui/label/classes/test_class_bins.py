"""Facts about the class bins."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QMenu

from clipsvd_app.ui.kit.image_mime import mime_of, mime_of_class
from clipsvd_app.ui.label.classes.bins import ClassBins
from clipsvd_app.ui.label.state import BinState

pytestmark = pytest.mark.gui
BINS = (BinState(11, 0, "normal", (1, 2, 3)), BinState(12, 1, "nodule", (), "4 more worth having"))


@pytest.fixture
def bins(qtbot, theme):
    bins = ClassBins(theme)
    qtbot.addWidget(bins)
    bins.resize(300, 700)
    bins.show()
    bins.set_bins(BINS)
    return bins


def test_images_dropped_on_a_bin_say_which_and_where(bins, qtbot, drop_mime):
    with qtbot.waitSignal(bins.images_dropped) as dropped:
        assert drop_mime(bins.bins[12], mime_of([5, 9]))
    assert dropped.args == [12, (5, 9)]


def test_files_of_the_file_manager_can_be_dropped_on_a_bin(bins, qtbot, drop_files, tmp_path):
    with qtbot.waitSignal(bins.files_dropped) as dropped:
        assert drop_files(bins.bins[11], tmp_path / "a.dcm")
    assert dropped.args == [11, [str(tmp_path / "a.dcm")]]


def test_anything_else_is_not_welcome(bins, drop_mime):
    mime = QMimeData()
    mime.setText("hello")
    assert not drop_mime(bins.bins[11], mime)


def test_the_bin_under_the_images_lights_up_until_they_fall(bins, drop_mime):
    lit = []
    bins.bins[11].images_dropped.connect(lambda _ids: lit.append(bins.bins[11].property("drop")))
    drop_mime(bins.bins[11], mime_of([5]))
    assert lit == [False]


def test_counts_and_hints_are_shown(bins):
    assert bins.bins[11].count.text() == "3"
    assert bins.bins[12].hint.text() == "4 more worth having"
    assert not bins.bins[11].hint.isVisible()


def test_a_name_is_changed_with_f2_and_enter(bins, qtbot):
    bin_ = bins.bins[12]
    qtbot.keyClick(bin_, Qt.Key.Key_F2)
    assert bin_.name.is_edited
    bin_.name.setText("  benign   nodule ")
    with qtbot.waitSignal(bins.rename_class) as renamed:
        qtbot.keyClick(bin_.name, Qt.Key.Key_Return)
    assert renamed.args == [12, "benign nodule"]
    assert bin_.name.text() == "nodule"


def test_escape_keeps_the_old_name(bins, qtbot):
    seen = []
    bins.rename_class.connect(lambda *args: seen.append(args))
    bin_ = bins.bins[12]
    qtbot.mouseDClick(bin_, Qt.MouseButton.LeftButton)
    bin_.name.setText("other")
    qtbot.keyClick(bin_.name, Qt.Key.Key_Escape)
    assert (bin_.name.text(), bin_.name.is_edited, seen) == ("nodule", False, [])


def test_a_new_count_does_not_disturb_the_name_being_typed(bins, qtbot):
    bin_ = bins.bins[12]
    qtbot.keyClick(bin_, Qt.Key.Key_F2)
    bin_.name.setText("beni")
    bins.set_bins((BINS[0], BinState(12, 1, "nodule", (7,))))
    assert bins.bins[12] is bin_
    assert bin_.name.text() == "beni"


def test_a_class_is_added_by_its_name(bins, qtbot):
    bins.start_adding()
    qtbot.keyClicks(bins._new, "cyst")
    with qtbot.waitSignal(bins.add_class) as added:
        qtbot.keyClick(bins._new, Qt.Key.Key_Return)
    assert added.args == ["cyst"]
    assert bins._new.isVisible(), "the next name can follow at once"
    qtbot.keyClick(bins._new, Qt.Key.Key_Return)
    assert not bins._new.isVisible()


def test_an_empty_name_adds_nothing(bins, qtbot):
    seen = []
    bins.add_class.connect(seen.append)
    bins.start_adding()
    qtbot.keyClicks(bins._new, "   ")
    qtbot.keyClick(bins._new, Qt.Key.Key_Return)
    assert seen == []


def test_enter_on_a_bin_labels_what_is_selected(bins, qtbot):
    with qtbot.waitSignal(bins.chosen) as chosen:
        qtbot.keyClick(bins.bins[12], Qt.Key.Key_Return)
    assert chosen.args == [1]


def test_the_menu_of_a_bin_asks_for_prompts_and_removal(bins, qtbot):
    menu = bins.bins[11]._menu()
    entries = {action.text().split("\t")[0]: action for action in menu.actions()}
    with qtbot.waitSignal(bins.prompts_requested) as prompts:
        entries["Prompts…"].trigger()
    with qtbot.waitSignal(bins.remove_class) as removed:
        entries["Remove class, 3 images unlabelled"].trigger()
    with qtbot.waitSignal(bins.show_requested) as shown:
        entries["Select its images"].trigger()
    assert (prompts.args, removed.args, shown.args) == ([11], [11], [11])


def test_a_removed_class_takes_its_bin_along(bins):
    bins.set_bins(BINS[1:])
    assert list(bins.bins) == [12]


def test_classes_follow_the_order_given(bins, qapp):
    bins.set_bins((BinState(12, 0, "nodule"), BinState(11, 1, "normal"), BinState(13, 2, "cyst")))
    qapp.processEvents()
    assert sorted(bins.bins, key=lambda class_id: bins.bins[class_id].y()) == [12, 11, 13]


def test_thumbnails_are_asked_for_and_painted(bins, qtbot):
    with qtbot.waitSignal(bins.thumbnails_needed) as needed:
        bins.set_bins(BINS)
    assert needed.args == [[1, 2, 3]]
    before = bins.grab().toImage()
    picture = QImage(80, 60, QImage.Format.Format_Grayscale8)
    picture.fill(255)
    bins.set_thumbnail(2, picture)
    assert bins.grab().toImage() != before


def test_closed_menus_are_not_kept(bins, qapp, qtbot):
    bin_ = bins.bins[11]
    for _ in range(3):
        bin_._menu().popup(bin_.mapToGlobal(bin_.rect().center()))
        qapp.activePopupWidget().close()
    qtbot.waitUntil(lambda: bin_.findChildren(QMenu) == [])


def test_a_bin_offers_the_other_classes_to_merge_into(bins, qtbot):
    menu = bins.bins[11]._menu()
    (merging,) = [action.menu() for action in menu.actions() if action.menu()]
    assert [action.text() for action in merging.actions()] == ["nodule"]
    with qtbot.waitSignal(bins.merge_class) as merged:
        merging.actions()[0].trigger()
    assert merged.args == [11, 12]


def test_alt_and_an_arrow_move_a_class(bins, qtbot):
    with qtbot.waitSignal(bins.move_class) as moved:
        qtbot.keyClick(bins.bins[11], Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert moved.args == [11, 1]


def test_a_class_dropped_on_another_takes_its_place(bins, qtbot, drop_mime):
    with qtbot.waitSignal(bins.move_class) as moved:
        assert drop_mime(bins.bins[11], mime_of_class(12))
    assert moved.args == [12, 0]
    assert not drop_mime(bins.bins[11], mime_of_class(11))


def test_delete_removes_an_empty_class_and_asks_about_another(bins, qtbot, qapp):
    with qtbot.waitSignal(bins.remove_class) as removed:
        qtbot.keyClick(bins.bins[12], Qt.Key.Key_Delete)
    assert removed.args == [12]
    qtbot.keyClick(bins.bins[11], Qt.Key.Key_Delete)
    asking = qapp.activePopupWidget()
    entries = [action for action in asking.actions() if action.isEnabled() and not action.isSeparator()]
    with qtbot.waitSignal(bins.merge_class) as merged:
        entries[0].trigger()
    assert entries[0].text() == "Move its images to nodule"
    assert merged.args == [11, 12]
    asking.close()
