"""A series of many slices in the pool: one thumbnail, opened in place, and what keys and drags label."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs
from PySide6.QtCore import QItemSelectionModel, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication
from support.project_images import project_image

from clipsvd_app.settings import load_settings, save_settings
from clipsvd_app.ui.label.state import StripItem, StripState
from clipsvd_app.ui.label.strip import view
from clipsvd_app.ui.label.strip.film_strip import FilmStrip
from clipsvd_app.ui.label.strip.model import StripModel, folded
from clipsvd_app.ui.label.strip.pool import slices_of

pytestmark = pytest.mark.gui
CTRL, NONE = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier


def pool(*stacks: int) -> tuple[StripItem, ...]:
    """An image, then series of so many slices, then an image; slices are numbered 10, 11, … and 20, 21, …"""
    slices = [
        StripItem(10 * at + n, f"slice {n}", stack=at, slice=n + 1, slices=count)
        for at, count in enumerate(stacks, start=1)
        for n in range(count)
    ]
    return (StripItem(1, "one"), *slices, StripItem(2, "two"))


@pytest.fixture
def strip(qtbot, theme):
    strip = FilmStrip(theme)
    qtbot.addWidget(strip)
    strip.resize(1000, 420)
    strip.show()
    return strip


def cells(strip) -> list[tuple[int, ...]]:
    return [row.ids for row in strip.view.model().rows]


def centre_of(strip, image_id) -> QPoint:
    return strip.view.visualRect(strip.view.model().index_of(image_id)).center()


def test_a_series_is_one_thumbnail_of_its_middle_or_its_best_slice():
    in_order, rest = folded(pool(5), ()), pool(5)
    assert [row.ids for row in in_order] == [(1,), (10, 11, 12, 13, 14), (2,)]
    assert in_order[1].best == 12
    ranked = (rest[4], rest[0], rest[2], rest[1], rest[3], rest[5], rest[6])
    assert [(row.ids, row.best) for row in folded(ranked, ())][:2] == [((10, 11, 12, 13, 14), 13), ((1,), 1)]


def test_the_model_keeps_qts_rules_while_series_open_and_close(qapp):
    model = StripModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    model.set_items(pool(5, 4))
    model.open_stack(1)
    model.open_stack(2)
    assert model.rowCount() == 11
    model.set_items(pool(5))
    assert [row.opens for row in model.rows] == [0, 5, 0, 0, 0, 0, 0]
    model.close_stack(1, 11)
    assert (model.rowCount(), model.image_at(model.rows[1])) == (3, 11)
    assert tester is not None


@pytest.mark.parametrize("how", ["key", "double", "badge"])
def test_a_series_opens_in_its_place_and_closes_again(strip, qtbot, how):
    strip.set_state(StripState(pool(5)))
    strip.select((12,))

    def toggle() -> None:
        at = centre_of(strip, strip.selected_ids[0])
        if how == "key":
            qtbot.keyClick(strip.view, Qt.Key.Key_Return)
        elif how == "double":
            qtbot.mouseClick(strip.view.viewport(), Qt.MouseButton.LeftButton, NONE, at)
            qtbot.mouseDClick(strip.view.viewport(), Qt.MouseButton.LeftButton, NONE, at)
        else:
            cell = strip.view.visualRect(strip.view.model().index_of(10))
            badge = cell.topLeft() + QPoint(14, 12)
            qtbot.mouseClick(strip.view.viewport(), Qt.MouseButton.LeftButton, NONE, badge)

    toggle()
    assert cells(strip) == [(1,), (10,), (11,), (12,), (13,), (14,), (2,)]
    assert strip.selected_ids == (12,)
    toggle()
    assert cells(strip) == [(1,), (10, 11, 12, 13, 14), (2,)]


def test_a_key_on_a_closed_series_means_the_slice_on_the_screen_and_says_so(strip):
    strip.set_state(StripState(pool(5)))
    for image_id in (10, 13):
        strip.follow(image_id)
        assert strip.selected_ids == (image_id,)
        assert strip._chosen.text() == f"Slice {image_id - 9} of 5"
        assert strip._chosen.isVisible()
    strip.select((2,))
    assert not strip._chosen.isVisible()
    # not by the view, which would heed the modifiers of a key that another test pressed last
    strip.view.selectionModel().setCurrentIndex(
        strip.view.model().index_of(10), QItemSelectionModel.SelectionFlag.ClearAndSelect
    )
    assert strip.selected_ids == (13,)


def test_the_whole_series_is_chosen_where_all_its_slices_are_named_until_the_wheel_leaves_them(strip, qtbot):
    strip.set_state(StripState(pool(5)))
    strip.select((10, 11, 12, 13, 14))
    assert strip.selected_ids == (10, 11, 12, 13, 14)
    assert strip._chosen.text() == "5 selected"
    strip.follow(10)
    assert len(strip.selected_ids) == 5
    strip.set_state(StripState(tuple(reversed(pool(5)))))
    assert len(strip.selected_ids) == 5
    strip.follow(11)
    assert strip.selected_ids == (11,)
    strip.select((10, 11, 12, 13, 14))
    told = []
    strip.selection_changed.connect(told.append)
    qtbot.mouseClick(strip.view.viewport(), Qt.MouseButton.LeftButton, NONE, centre_of(strip, 10))
    assert told == [strip.selected_ids]
    assert len(strip.selected_ids) == 1


def test_a_drag_of_a_closed_series_carries_every_slice_the_shown_one_first(strip, monkeypatch):
    carried = []
    monkeypatch.setattr(view, "drag_images", lambda _source, ids, _ghost: carried.append(ids))
    strip.set_state(StripState(pool(4)))
    strip.follow(12)
    strip.view.startDrag(Qt.DropAction.CopyAction)
    strip.view.toggle_stack(strip.view.model().index_of(12))
    strip.view.startDrag(Qt.DropAction.CopyAction)
    assert carried == [(12, 10, 11, 13), (12,)]


def test_arrows_go_from_a_closed_series_to_the_next_cell_and_a_click_shows_its_slice(strip, qtbot):
    strip.set_state(StripState(pool(5)))
    strip.select((1,))
    opened = []
    strip.opened.connect(opened.append)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left):
        qtbot.keyClick(strip.view, key)
    assert opened == [12, 2, 12]


def test_another_order_shows_another_slice_and_a_new_label_none(strip):
    items = pool(5)
    strip.set_state(StripState(items))
    strip.follow(14)
    strip.select((1,))
    strip.set_state(StripState(tuple(structs.replace(item, label=0) for item in items)))
    model = strip.view.model()
    assert model.image_at(model.rows[1]) == 14
    strip.set_state(StripState((items[2], *items[:2], *items[3:]), "suggested"))
    assert model.image_at(model.rows[0]) == 11


def test_the_thumbnail_of_the_slice_on_show_is_asked_for_and_the_old_one_stands_until_then(strip, qtbot):
    asked = []
    strip.thumbnails_needed.connect(asked.append)
    strip.set_state(StripState(pool(5)))
    qtbot.waitUntil(lambda: asked == [[1, 12, 2]])
    asked.clear()
    strip.follow(14)
    qtbot.waitUntil(lambda: bool(asked))
    assert 14 in asked[0]


def test_only_stacks_are_put_under_one_thumbnail():
    def series(count, modality, *, one_file=False):
        return tuple(
            replace(project_image(n), modality=modality, sha256="same" if one_file else str(n))
            for n in range(count)
        )

    def found(images, shown=None) -> bool:
        return bool(slices_of(images, images if shown is None else shown))

    assert found(series(30, "CT"))
    assert found(series(4, "", one_file=True)), "a volume or a cine in one file"
    assert not found(series(30, "")), "pictures in a folder"
    assert not found(series(4, "MG")), "the views of a mammogram"
    assert not found(series(3, "MR"))
    assert not found(series(30, "CT"), series(30, "CT")[:3]), "what a choice leaves over"
    assert slices_of(series(30, "CT"), series(30, "CT"))[0] == (1, 1, 30)


def test_thumbnails_grow_and_shrink_by_wheel_and_key_and_their_size_is_kept(strip, qtbot):
    strip.set_state(StripState(pool(5)))
    before = strip.view.gridSize()
    at = QPointF(strip.view.viewport().rect().center())
    notch = QWheelEvent(
        at, at, QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, CTRL, Qt.ScrollPhase.NoScrollPhase, False
    )
    with qtbot.waitSignal(strip.size_changed) as kept:
        QApplication.sendEvent(strip.view.viewport(), notch)
        assert strip.view.gridSize().width() > before.width()
        qtbot.keyClick(strip.view, Qt.Key.Key_Minus, CTRL)
        qtbot.keyClick(strip.view, Qt.Key.Key_Minus, CTRL)
    assert kept.args == [strip.view.picture_px]
    assert strip.view.gridSize().width() < before.width()
    strip.set_picture_px(10_000)
    assert strip.view.picture_px == view.LARGEST_PX
    settings = replace(load_settings(), thumbnail_px=120, next_after_label=False)
    save_settings(settings)
    assert load_settings() == settings


def test_what_is_chosen_is_outlined_and_its_picture_left_as_it_is(strip, qapp):
    strip.set_state(StripState(pool()))
    qapp.processEvents()
    cell = strip.view.visualRect(strip.view.model().index_of(2))
    plain = strip.view.viewport().grab(cell).toImage()
    strip.select((2,))
    qapp.processEvents()
    chosen = strip.view.viewport().grab(cell).toImage()
    inside = cell.width() // 2, strip.view.picture_px // 4
    assert chosen != plain
    assert chosen.pixelColor(*inside) == plain.pixelColor(*inside)


def test_a_series_that_opens_far_down_keeps_its_slice_in_sight(strip, qapp):
    many = tuple(StripItem(1000 + n, "other") for n in range(900))
    strip.set_state(StripState((*many, *pool(200))))
    strip.resize(400, 300)
    qapp.processEvents()
    for _turn in range(2):
        strip.follow(70)
        strip.view.toggle_stack(strip.view.currentIndex())
        qapp.processEvents()
        at = strip.view.visualRect(strip.view.currentIndex())
        assert strip.view.viewport().rect().intersects(at)
        assert strip.selected_ids == (70,)
