"""The filter of the pool: what it shows, that it holds still, and the way back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from support.project_images import draw_pictures, project_image

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.project_values import ProjectClass
from clipsvd_app.jobs.answers import PoolItem, PreviewResult
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.services.labels.labels import set_marks
from clipsvd_app.services.studies.import_plan import apply_import, plan_import
from clipsvd_app.services.studies.patient_rules import PatientRule
from clipsvd_app.ui.app import Studio
from clipsvd_app.ui.label.strip.pool_filter import PoolFilter, filter_state, kinds_by_image
from clipsvd_app.ui.pages import Pages

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gui
CYST, MASS = 7, 9
POSITIONS = {CYST: 0, MASS: 1}
IMAGES = (
    project_image(1),
    project_image(2, CYST),
    project_image(3, MASS),
    replace(project_image(4), mark="uncertain"),
    replace(project_image(5, CYST), mark="excluded"),
)
PREVIEW = PreviewResult(tuple(PoolItem(i, (0.9, 0.1), 0.5, None, ()) for i in range(1, 6)), None, (), "")


def shown(kinds=(), name="", images=IMAGES) -> list[int]:
    kinds_of = kinds_by_image(images, POSITIONS, PREVIEW)
    asked = PoolFilter(frozenset(kinds), name).asked_anew(images, kinds_of)
    return [image.id for image in asked.kept(images, kinds_of)]


def test_each_entry_shows_what_it_says_and_several_show_any_of_them():
    assert shown() == [1, 2, 3, 4, 5]
    assert shown({"unlabelled"}) == [1]
    assert shown({"uncertain"}) == [4]
    assert shown({"excluded"}) == [5]
    assert shown({f"class:{CYST}"}) == [2, 5]
    assert shown({"disagrees"}) == [3]
    assert shown({"unlabelled", "uncertain"}) == [1, 4]
    assert shown(name="4.PN") == [4]
    assert shown({f"class:{MASS}"}, "2") == []


def test_a_filter_holds_still_and_judges_only_what_came_since():
    before = kinds_by_image(IMAGES, POSITIONS, None)
    asked = PoolFilter(frozenset({"unlabelled"})).asked_anew(IMAGES, before)
    later = (replace(IMAGES[0], class_id=CYST), *IMAGES[1:], project_image(6), project_image(8, MASS))
    kinds_of = kinds_by_image(later, POSITIONS, None)
    assert [image.id for image in asked.kept(later, kinds_of)] == [1, 6]
    assert asked.is_stale(later, kinds_of)
    again = asked.asked_anew(later, kinds_of)
    assert [image.id for image in again.kept(later, kinds_of)] == [6]
    assert not again.is_stale(later, kinds_of)


def test_the_menu_counts_and_a_class_that_is_gone_filters_nothing():
    classes = (ProjectClass(CYST, "cyst", (), 0),)
    state = filter_state(
        PoolFilter(frozenset({f"class:{CYST}", "class:99"}), "ab"),
        classes,
        kinds_by_image(IMAGES, POSITIONS, None),
        None,
    )
    assert [(entry.words, entry.count) for entry in state.entries] == [
        ("Unlabelled", 1),
        ("Uncertain", 1),
        ("Excluded", 1),
        ("cyst", 2),
    ]
    assert state.words == "cyst and names with “ab”"


@pytest.fixture
def studio(qtbot, qapp, tmp_path: Path):
    draw_pictures(
        tmp_path / "in", (f"{'left' if number % 2 else 'right'}_{number}.png" for number in range(6))
    )
    made = Studio(qapp)
    qtbot.addWidget(made.window)
    made.window.show()
    made.pages = Pages(made.session, made.window, made.theme)
    made.session.new_project(tmp_path / "job.clipsvd")
    plan = plan_import(made.session.project, [tmp_path / "in"], PatientRule("folder"))
    made.session.do(apply_import(made.session.project, plan))
    for name in ("cyst", "mass"):
        made.session.do(AddClass(class_from_name(name)))
    yield made
    made.window.close()


def pool(studio) -> list[int]:
    return [item.image_id for item in studio.pages.label.strip.view.model().items]


def tick(studio, *keys) -> None:
    """Tick entries of the menu, as a hand does."""
    button = studio.pages.label.strip.filter
    for key in keys:
        action = button.entries[key]
        button._menu._tick(action)


def caption(studio) -> str:
    return studio.pages.label.strip._caption.text()


def test_labelling_under_a_filter_moves_no_image_until_it_is_asked_anew(studio, qtbot):
    strip = studio.pages.label.strip
    every = pool(studio)
    tick(studio, "unlabelled")
    strip.select(every[:1])
    for _ in range(3):
        qtbot.keyClick(strip.view, Qt.Key.Key_1)
    assert pool(studio) == every
    assert [item.label for item in strip.view.model().items[:3]] == [0, 0, 0]
    assert strip._news.text() == "Filter again"
    strip._news.click()
    assert pool(studio) == every[3:]
    assert caption(studio) == "3 of 6 images, 3 unlabelled"
    assert studio.pages.viewing.shown == every[3]
    assert strip._news.isHidden()


def test_an_empty_pool_says_what_hides_everything_and_how_to_see_it(studio, qtbot):
    strip = studio.pages.label.strip
    tick(studio, "uncertain")
    assert pool(studio) == []
    assert not strip.view.isVisibleTo(studio.window)
    assert "Uncertain" in strip._nothing._sentence.text()
    assert "6 images are hidden" in strip._nothing._sentence.text()
    strip.setFocus()
    assert isinstance(strip.focusProxy().focusProxy(), QPushButton)
    strip.findChild(QPushButton).click()
    assert len(pool(studio)) == 6
    assert strip.view.isVisibleTo(studio.window)
    assert strip.filter.text() == "Filter"


def test_the_filter_goes_with_the_studies_and_with_every_order(studio):
    every = pool(studio)
    studio.session.do(set_marks(every[1:3], "uncertain"))
    tick(studio, "uncertain")
    assert pool(studio) == every[1:3]
    studio.pages.label.tree.images_selected.emit((every[1], every[4]))
    assert pool(studio) == [every[1]]
    studio.pages.label.strip.all_requested.emit()
    assert pool(studio) == every


def test_the_images_of_a_class_are_a_filter_too(studio, qtbot):
    strip = studio.pages.label.strip
    strip.select(pool(studio)[:2])
    qtbot.keyClick(strip.view, Qt.Key.Key_2, Qt.KeyboardModifier.ShiftModifier)
    studio.pages.label.bins.show_requested.emit(studio.session.classes()[1].id)
    assert len(pool(studio)) == 2
    assert strip.filter.text() == "Filter: mass"
    assert strip.filter.entries[f"class:{studio.session.classes()[1].id}"].isChecked()


def test_a_part_of_a_file_name_narrows_the_pool_and_a_second_reader_sees_no_filter(studio, qtbot):
    strip = studio.pages.label.strip
    field = strip.filter._name
    field.setText("LEFT")
    with qtbot.waitSignal(strip.filter_changed):
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert len(pool(studio)) == 3
    assert strip.filter.text() == "Filter: 2" if strip.filter._state.parts == 2 else "Filter"
    studio.pages.reading.read("B")
    assert len(pool(studio)) == 6
    assert not strip.filter.isEnabled()


def test_a_search_for_a_file_name_shows_its_images_first_at_once(studio, qtbot):
    strip = studio.pages.label.strip
    every = pool(studio)
    strip.search_changed.emit("left")
    names = {image.id: image.path for image in studio.session.images()}
    assert ["left" in names[image_id] for image_id in pool(studio)] == [True] * 3 + [False] * 3
    assert studio.pages.viewing.shown == pool(studio)[0]
    assert strip._order.currentData() == "text"
    strip.search_changed.emit("")
    assert pool(studio) == every
    strip.search_changed.emit("e")
    assert pool(studio) == every, "one letter is in nearly every name"


def test_ticking_leaves_the_menu_open(studio, qtbot):
    button = studio.pages.label.strip.filter
    button._menu.popup(studio.window.mapToGlobal(studio.window.rect().center()))
    button._menu.setActiveAction(button.entries["unlabelled"])
    qtbot.keyClick(button._menu, Qt.Key.Key_Space)
    assert button._menu.isVisible()
    assert button.entries["unlabelled"].isChecked()
    qtbot.keyClick(button._menu, Qt.Key.Key_Escape)
    assert QApplication.activePopupWidget() is None
