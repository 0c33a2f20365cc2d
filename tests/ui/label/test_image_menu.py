"""The menu of images in pool, tree and viewer, and what its commands do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu
from support.project_images import draw_pictures

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.services.studies.import_plan import apply_import, plan_import
from clipsvd_app.services.studies.patient_rules import parse_rule
from clipsvd_app.ui.app import Studio
from clipsvd_app.ui.label import image_menu
from clipsvd_app.ui.pages import Pages

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gui
RIGHT, SHIFT = Qt.MouseButton.RightButton, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def studio(qtbot, qapp, tmp_path: Path):
    draw_pictures(tmp_path / "in", (f"{number // 2}_{number}.png" for number in range(6)))
    made = Studio(qapp)
    qtbot.addWidget(made.window)
    made.window.show()
    made.pages = Pages(made.session, made.window, made.theme)
    session = made.session
    session.new_project(tmp_path / "job.clipsvd")
    plan = plan_import(session.project, [tmp_path / "in"], parse_rule("regex:^([^_]+)"))
    session.do(apply_import(session.project, plan))
    for name in ("cyst", "mass"):
        session.do(AddClass(class_from_name(name)))
    qtbot.waitUntil(lambda: made.pages.label.viewer.frame is not None)
    yield made
    made.window.close()


def menu_of(studio, widget, at: QPoint, reason=QContextMenuEvent.Reason.Mouse) -> QMenu | None:
    """Ask for the menu as the platform does, and return what opened."""
    asked = QContextMenuEvent(reason, at, widget.mapToGlobal(at))
    QApplication.sendEvent(widget, asked)
    opened = QApplication.activePopupWidget()
    return opened if isinstance(opened, QMenu) else None


def texts(menu: QMenu) -> list[str]:
    found = [action.text().split("\t")[0] for action in menu.actions() if not action.isSeparator()]
    menu.close()
    return found


def labels(studio) -> list[int | None]:
    classes = {known.id: known.position for known in studio.session.classes()}
    return [classes.get(image.class_id) for image in studio.session.images()]


def test_pool_tree_and_viewer_open_the_same_menu_for_what_is_on_the_screen(studio, qtbot):
    page, images = studio.pages.label, studio.session.images()
    view = page.strip.view
    at = view.visualRect(view.model().index_of(images[2].id)).center()
    qtbot.mousePress(view.viewport(), RIGHT, pos=at)
    assert page.strip.selected_ids == (images[2].id,)
    assert studio.pages.viewing.shown == images[2].id
    in_pool = texts(menu_of(studio, view.viewport(), at))
    assert in_pool == [
        "P002 · 3",
        "Label as cyst",
        "Label as mass",
        "Clear label",
        "Mark as uncertain",
        "Exclude",
        "Sort by similarity",
        "Show in folder",
        "Change patient…",
        "Remove from project",
    ]
    qtbot.waitUntil(lambda: page.viewer.frame.image_id == images[2].id)
    canvas = page.viewer.pane.canvas.viewport
    assert menu_of(studio, canvas, canvas.rect().center()) is None, "a right drag may begin"
    qtbot.mouseClick(canvas, RIGHT, pos=canvas.rect().center())
    assert texts(QApplication.activePopupWidget()) == in_pool
    tree = page.tree.view
    tree.setFocus()
    row = tree.visualRect(tree.model().index(0, 0)).center()
    qtbot.mousePress(tree.viewport(), RIGHT, pos=row)
    in_tree = texts(menu_of(studio, tree.viewport(), row, QContextMenuEvent.Reason.Keyboard))
    assert in_tree[0] == "2 images of 1 patient"
    assert in_tree[-1] == "Remove 2 images from project"


def test_a_right_drag_over_the_viewer_is_a_window_and_opens_no_menu(studio, drag_mouse):
    canvas = studio.pages.label.viewer.pane.canvas.viewport
    drag_mouse(canvas, (40, 40), (120, 90), RIGHT)
    assert QApplication.activePopupWidget() is None


def test_the_keyboard_opens_the_menu_and_labels_from_it(studio, qtbot):
    page, images = studio.pages.label, studio.session.images()
    page.strip.setFocus()
    page.strip.select((images[0].id, images[1].id))
    studio.window.action("image.menu").trigger()
    menu = QApplication.activePopupWidget()
    assert texts(menu)[0] == "2 images of 1 patient"
    studio.window.action("image.menu").trigger()
    menu = QApplication.activePopupWidget()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
        qtbot.keyClick(menu, key)
    assert labels(studio)[:3] == [1, 1, None]


def test_leaving_out_can_be_taken_back_in_every_menu(studio, qtbot):
    page, images = studio.pages.label, studio.session.images()
    page.strip.select((images[0].id,))
    studio.window.action("edit.exclude").trigger()
    assert studio.window.action("edit.exclude").text() == "Include\tX"
    page.strip.select((images[0].id, images[1].id))
    assert studio.window.action("edit.exclude").text() == "Exclude\tX"
    page.strip.select((images[0].id,))
    studio.window.action("edit.exclude").trigger()
    assert {image.mark for image in studio.session.images()} == {""}


def test_removed_images_are_counted_the_next_one_comes_up_and_undo_brings_all_back(studio, qtbot):
    page, before = studio.pages.label, studio.session.images()
    told = []
    studio.session.notice.connect(told.append)
    page.strip.select((before[0].id, before[1].id))
    qtbot.keyClick(page.strip.view, Qt.Key.Key_1, SHIFT)
    studio.window.action("image.remove").trigger()
    qtbot.waitUntil(lambda: len(studio.session.images()) == 4)
    assert told[-1].message == "2 images were removed from the project, 2 of them labelled."
    assert studio.pages.viewing.shown == before[2].id
    assert page.strip.selected_ids == (before[2].id,)
    studio.window.action("edit.undo").trigger()
    assert [image.id for image in studio.session.images()] == [image.id for image in before]
    assert labels(studio)[:2] == [0, 0]


def test_images_are_given_to_another_patient_or_a_new_one_and_back(studio, qtbot):
    page, images = studio.pages.label, studio.session.images()
    page.strip.select((images[0].id,))
    studio.window.action("image.change_patient").trigger()
    dialog = studio.pages.menu.dialog
    qtbot.keyClicks(dialog.field, "003")
    assert dialog.key == images[4].patient_key
    qtbot.keyClick(dialog.field, Qt.Key.Key_Return)
    assert studio.session.image(images[0].id).patient_key == images[4].patient_key
    studio.window.action("image.change_patient").trigger()
    dialog = studio.pages.menu.dialog
    dialog.patients.setCurrentRow(0)
    dialog.change.click()
    assert len({image.patient_key for image in studio.session.images()}) == 4
    studio.session.undo_stack.undo()
    studio.session.undo_stack.undo()
    assert studio.session.images() == images


def test_the_file_is_shown_in_its_folder_or_said_to_be_gone(studio, monkeypatch, tmp_path):
    shown, told = [], []
    monkeypatch.setattr(image_menu, "reveal", shown.append)
    studio.session.notice.connect(told.append)
    studio.window.action("image.show_in_folder").trigger()
    assert [path.name for path in shown] == ["0_0.png"]
    shown[0].unlink()
    studio.window.action("image.show_in_folder").trigger()
    assert len(shown) == 1
    assert "“0_0.png” is missing." in told[-1].message


def test_a_second_reader_changes_no_patient_and_removes_nothing(studio):
    studio.pages.reading.read("B")
    for command in ("image.change_patient", "image.remove", "image.similar"):
        assert not studio.window.action(command).isEnabled()
