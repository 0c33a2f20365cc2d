"""Facts about the film strip."""

from __future__ import annotations

import time

import pytest
from msgspec import structs
from PySide6.QtCore import QEvent, QMimeData, QObject, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QComboBox, QLineEdit

from clipsvd_app.ui.kit.image_mime import IMAGE_IDS, image_ids_of, mime_of
from clipsvd_app.ui.label.state import StripItem, StripState
from clipsvd_app.ui.label.strip import view
from clipsvd_app.ui.label.strip.delegate import CELL
from clipsvd_app.ui.label.strip.film_strip import FilmStrip
from clipsvd_app.ui.label.strip.model import THUMBNAILS_KEPT, StripModel

pytestmark = pytest.mark.gui


def items(count, first=100) -> tuple[StripItem, ...]:
    return tuple(StripItem(first + i, f"image {i}", predicted=i % 3, probability=0.5) for i in range(count))


def picture(side=160) -> QImage:
    image = QImage(side, side, QImage.Format.Format_Grayscale8)
    image.fill(120)
    return image


@pytest.fixture
def strip(qtbot, theme):
    strip = FilmStrip(theme)
    qtbot.addWidget(strip)
    strip.resize(800, 300)
    strip.show()
    return strip


@pytest.fixture
def asked(strip):
    asked = []
    strip.thumbnails_needed.connect(asked.append)
    return asked


def test_only_thumbnails_in_sight_are_asked_for(strip, asked, qtbot):
    strip.set_state(StripState(items(10_000)))
    qtbot.waitUntil(lambda: bool(asked))
    assert asked[0][0] == 100
    assert len(asked[0]) < 60


class RunningPause:
    """A timer that runs; counts how often it is started anew."""

    starts = 0

    def isActive(self) -> bool:
        return True

    def start(self, _pause_ms: int) -> None:
        self.starts += 1


def test_thumbnails_wait_while_the_viewer_goes_through_slices(strip, asked, qtbot, monkeypatch):
    strip.set_state(StripState(items(500)))
    qtbot.waitUntil(lambda: len(asked) == 1)
    pause = RunningPause()
    monkeypatch.setattr(strip, "_look_pause", pause)
    for image_id in (100, 101, 102):  # all in sight: nothing scrolls
        strip.follow(image_id)
    assert (pause.starts, len(asked)) == (3, 1)


def test_scrolling_asks_for_what_comes_into_sight_and_not_again_for_what_has_come(strip, asked, qtbot):
    strip.set_state(StripState(items(10_000)))
    qtbot.waitUntil(lambda: len(asked) == 1)
    for image_id in asked[0]:
        strip.set_thumbnail(image_id, picture())
    bar = strip.view.verticalScrollBar()
    bar.setValue(bar.maximum())
    qtbot.waitUntil(lambda: len(asked) == 2)
    assert asked[1][-1] == 100 + 9_999
    assert not set(asked[0]) & set(asked[1])


def test_ten_thousand_images_are_shown_and_scrolled_without_delay(strip, qapp):
    begun = time.perf_counter()
    strip.set_state(StripState(items(10_000)))
    qapp.processEvents()
    shown_s = time.perf_counter() - begun
    begun = time.perf_counter()
    for step in range(20):
        strip.view.verticalScrollBar().setValue(step * 500)
        strip.view.viewport().repaint()
    scrolled_s = (time.perf_counter() - begun) / 20
    assert shown_s < 1.5
    assert scrolled_s < 0.15


def test_thousands_of_images_are_chosen_in_one_go(strip):
    strip.set_state(StripState(items(10_000)))
    told = []
    strip.selection_changed.connect(told.append)
    strip.select(range(100, 9_000, 2))
    assert len(told) == 1
    assert told[0] == tuple(range(100, 9_000, 2))


def test_how_many_are_chosen_is_said_before_a_key_labels_them(strip):
    strip.set_state(StripState(items(10)))
    strip.select((101,))
    assert strip._chosen.isHidden()
    strip.select((101, 104, 105))
    assert strip._chosen.text() == "3 selected"
    assert strip._chosen.isVisible()


def test_the_choice_follows_what_is_on_the_screen_and_several_stay_while_it_is_theirs(strip):
    strip.set_state(StripState(items(10)))
    strip.select((101, 104))
    strip.follow(101)
    assert strip.selected_ids == (101, 104)
    strip.follow(104)
    assert strip.selected_ids == (104,)
    strip.follow(107)
    assert strip.selected_ids == (107,)
    strip.follow(999)
    assert strip.selected_ids == ()


def test_an_image_taken_out_of_the_choice_is_not_opened(strip, qtbot):
    strip.set_state(StripState(items(10)))
    strip.select((101, 104))
    opened = []
    strip.opened.connect(opened.append)
    at = strip.view.visualRect(strip.view.model().index(4, 0)).center()
    qtbot.mouseClick(
        strip.view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, at
    )
    assert strip.selected_ids == (101,)
    assert opened == []


def test_the_search_keeps_what_is_typed(strip, qtbot):
    field = strip.findChild(QLineEdit)
    qtbot.keyClicks(field, "t2 weighted")
    with qtbot.waitSignal(strip.search_changed) as searched:
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert searched.args == ["t2 weighted"]


def test_a_click_opens_an_image_once(strip, qtbot):
    strip.set_state(StripState(items(10)))
    opened = []
    strip.opened.connect(opened.append)
    middle = strip.view.visualRect(strip.view.model().index(2, 0)).center()
    qtbot.mouseClick(strip.view.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert opened == [102]
    assert strip.selected_ids == (102,)


def test_the_arrows_look_through_the_pool(strip, qtbot):
    strip.set_state(StripState(items(10)))
    strip.select((100,))
    opened = []
    strip.opened.connect(opened.append)
    qtbot.keyClick(strip.view, Qt.Key.Key_Right)
    strip.step(1)
    strip.step(-5)
    assert opened == [101, 102, 100]


def test_selection_follows_the_image_into_another_order(strip):
    strip.set_state(StripState(items(10)))
    strip.select((103, 104))
    opened = []
    strip.opened.connect(opened.append)
    strip.set_state(StripState(tuple(reversed(items(10))), "name"))
    assert set(strip.selected_ids) == {103, 104}
    assert opened == []


def test_a_new_label_keeps_place_and_selection(strip, qapp):
    strip.set_state(StripState(items(1000)))
    strip.view.verticalScrollBar().setValue(2000)
    strip.select((500,))
    place = strip.view.verticalScrollBar().value()
    changed = tuple(structs.replace(item, label=1) if item.image_id == 500 else item for item in items(1000))
    strip.set_state(StripState(changed))
    qapp.processEvents()
    assert strip.selected_ids == (500,)
    assert strip.view.verticalScrollBar().value() == place


def test_choosing_an_order_asks_for_it_and_a_state_does_not(strip, qtbot):
    orders = []
    strip.order_changed.connect(orders.append)
    strip.set_state(StripState(items(3), "similar", ("suggested", "similar")))
    box = strip.findChild(QComboBox)
    assert orders == []
    assert (box.count(), box.currentData()) == (2, "similar")
    box.setCurrentIndex(0)
    box.activated.emit(0)
    assert orders == ["suggested"]


def test_a_drag_carries_the_chosen_images(strip, monkeypatch):
    carried = []
    monkeypatch.setattr(view, "drag_images", lambda _source, ids, _ghost: carried.append(ids))
    strip.set_state(StripState(items(10)))
    strip.select((104, 102))
    strip.view.startDrag(Qt.DropAction.CopyAction)
    assert carried == [(102, 104)]


def test_old_thumbnails_are_let_go_and_asked_for_again(qapp):
    model = StripModel()
    model.set_items(items(THUMBNAILS_KEPT + 5, first=0))
    for image_id in range(THUMBNAILS_KEPT + 5):
        model.set_thumbnail(image_id, picture(2))
    assert model.missing(0, THUMBNAILS_KEPT + 4) == [0, 1, 2, 3, 4]


def test_the_strip_paints_labels_predictions_and_selection(strip):
    pool = (StripItem(1, "labelled", label=0), StripItem(2, "predicted", predicted=1, probability=0.9))
    strip.set_state(StripState(pool))
    plain = strip.view.grab().toImage()
    strip.set_thumbnail(1, picture())
    strip.select((1,))
    strip.set_shown(2)
    assert strip.view.grab().toImage() != plain


class Painted(QObject):
    """Adds up how much of a widget is painted."""

    def __init__(self, widget) -> None:
        super().__init__(widget)
        self.pixels = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched, event) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.pixels += sum(part.width() * part.height() for part in event.region())
        return False


def test_a_step_through_one_patients_stack_paints_two_cells_and_another_patient_all(strip, qtbot, qapp):
    first = [structs.replace(item, patient=1) for item in items(12)]
    strip.set_state(StripState((*first, *(structs.replace(item, patient=2) for item in items(6, first=200)))))
    strip.set_shown(100)
    qtbot.wait(100)
    painted = Painted(strip.view.viewport())
    strip.set_shown(101)
    qapp.processEvents()
    cell = CELL.width() * CELL.height()
    assert cell < painted.pixels < 4 * cell
    strip.set_shown(200)
    qapp.processEvents()
    assert painted.pixels > 10 * cell


def test_only_a_list_of_whole_numbers_is_taken_for_images():
    assert image_ids_of(mime_of([3, 1])) == (3, 1)
    assert image_ids_of(QMimeData()) == ()
    for bad in (b"", b"{}", b'["1"]', b"[1.5]", b"[true]", b"\xff"):
        mime = QMimeData()
        mime.setData(IMAGE_IDS, bad)
        assert image_ids_of(mime) == ()
