"""Labelling from the first class to the last undo with keys alone: no widget is called, none is clicked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from support.project_images import draw_pictures

from clipsvd_app.services.studies.import_plan import apply_import, plan_import
from clipsvd_app.services.studies.patient_rules import parse_rule
from clipsvd_app.ui.app import Studio
from clipsvd_app.ui.pages import Pages

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gui
K = Qt.Key
CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


@pytest.fixture
def studio(qtbot, qapp, tmp_path: Path):
    draw_pictures(tmp_path / "in", (f"{number // 2}_{number}.png" for number in range(6)))
    made = Studio(qapp)
    qtbot.addWidget(made.window)
    made.window.show()
    made.pages = Pages(made.session, made.window, made.theme)
    made.window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is made.window, timeout=5000)
    assert made.session.new_project(tmp_path / "job.clipsvd")
    rule = parse_rule("regex:^([^_]+)")
    session = made.session
    session.do(apply_import(session.project, plan_import(session.project, [tmp_path / "in"], rule)))
    yield made
    made.window.close()


def press(*keys: tuple[Qt.Key, Qt.KeyboardModifier] | Qt.Key) -> None:
    """Press keys in whatever has the keyboard."""
    for key in keys:
        code, modifiers = key if isinstance(key, tuple) else (key, Qt.KeyboardModifier.NoModifier)
        QTest.keyClick(QApplication.focusWidget() or QApplication.activeWindow(), code, modifiers)
        QApplication.processEvents()


def write(text: str) -> None:
    QTest.keyClicks(QApplication.focusWidget(), text)


def labels(studio) -> list[str]:
    names = {known.id: known.name for known in studio.session.project.classes()}
    return [
        names.get(image.class_id, "") + (f"[{image.mark}]" if image.mark else "")
        for image in studio.session.project.images()
    ]


def test_labelling_from_the_first_class_to_the_last_undo(studio):
    press((K.Key_N, CTRL | SHIFT))
    write("cyst")
    press(K.Key_Return)
    write("mass")
    press(K.Key_Return, K.Key_Escape)
    assert [known.name for known in studio.session.classes()] == ["cyst", "mass"]
    assert studio.pages.label.strip.view.hasFocus()

    press(K.Key_1, (K.Key_Right, SHIFT), (K.Key_2, SHIFT))
    press(K.Key_Right, (K.Key_2, SHIFT), K.Key_U, K.Key_Right, K.Key_X)
    assert labels(studio) == ["cyst", "mass", "mass", "mass[uncertain]", "[excluded]", ""]

    press(K.Key_F6)
    assert studio.pages.label.bins.isAncestorOf(QApplication.focusWidget())
    press(K.Key_F2)
    write("simple cyst")
    press(K.Key_Return)
    press((K.Key_Down, ALT))
    assert [known.name for known in studio.session.classes()] == ["mass", "simple cyst"]

    press(*[(K.Key_Z, CTRL)] * 9)
    assert labels(studio) == [""] * 6
    assert studio.session.classes() == ()
    press(*[(K.Key_Z, CTRL | SHIFT)] * 9)
    assert labels(studio) == ["simple cyst", "mass", "mass", "mass[uncertain]", "[excluded]", ""]


def test_a_whole_patient_is_labelled_from_the_tree(studio):
    press((K.Key_N, CTRL | SHIFT))
    write("cyst")
    press(K.Key_Return, K.Key_Escape)
    press((K.Key_F6, SHIFT), (K.Key_F6, SHIFT))
    assert studio.pages.label.tree.view.hasFocus()
    press(K.Key_Home, K.Key_Down, K.Key_1)
    assert labels(studio) == ["", "", "cyst", "cyst", "", ""]


def test_the_keyboard_goes_round_the_panels_and_into_the_search(studio):
    page = studio.pages.label
    seen = []
    for _ in range(4):
        focused = QApplication.focusWidget()
        panels = {"tree": page.tree, "viewer": page.viewer, "pool": page.strip, "classes": page.bins}
        seen += [name for name, panel in panels.items() if panel is focused or panel.isAncestorOf(focused)]
        press(K.Key_F6)
    assert sorted(seen) == ["classes", "pool", "tree", "viewer"]
    press((K.Key_F, CTRL))
    assert QApplication.focusWidget().accessibleName() == "Search images"


def test_escape_in_the_pool_brings_back_what_the_tree_hid(studio):
    page = studio.pages.label
    press((K.Key_F6, SHIFT), (K.Key_F6, SHIFT), K.Key_Home, K.Key_Down)
    assert len(page.strip.view.model().items) == 2
    press(K.Key_F6, K.Key_F6)
    assert page.strip.view.hasFocus()
    press(K.Key_Escape)
    assert len(page.strip.view.model().items) == 6
    assert page.tree.selected_ids == ()


def two_classes() -> None:
    press((K.Key_N, CTRL | SHIFT))
    write("cyst")
    press(K.Key_Return)
    write("mass")
    press(K.Key_Return, K.Key_Escape)


def test_every_label_brings_up_the_next_image_until_all_are_labelled(studio):
    two_classes()
    for number in range(6):
        press((K.Key_1, K.Key_2)[number % 2])
    assert labels(studio) == ["cyst", "mass"] * 3
    last = studio.pages.viewing.shown
    press(K.Key_1)
    assert studio.pages.viewing.shown == last


def test_the_next_image_stays_away_where_the_settings_say_so(studio):
    two_classes()
    studio.session.change_settings(replace(studio.session.settings, next_after_label=False))
    press(K.Key_1, K.Key_2)
    assert labels(studio) == ["mass", "", "", "", "", ""]


def test_after_the_wheel_a_key_labels_what_is_on_the_screen(studio, qtbot):
    two_classes()
    page, images = studio.pages.label, studio.session.images()
    page.strip.select((images[0].id,))
    qtbot.waitUntil(lambda: page.viewer.frame is not None)
    page.viewer.scroll_stack(0, 1)
    qtbot.waitUntil(lambda: page.viewer.frame.image_id == images[1].id)
    assert page.strip.selected_ids == (images[1].id,)
    press((K.Key_2, SHIFT))
    assert labels(studio) == ["", "mass", "", "", "", ""]


def test_a_series_chosen_in_the_tree_is_labelled_whole_until_the_wheel_leaves_it(studio, qtbot):
    two_classes()
    press((K.Key_F6, SHIFT), (K.Key_F6, SHIFT), K.Key_Home, K.Key_Down)
    page = studio.pages.label
    assert len(page.target_ids) == 2
    assert page.strip._chosen.text() == "2 selected"
    shown = page.viewer.frame.image_id if page.viewer.frame else None
    page.viewer.scroll_stack(0, 1)
    qtbot.waitUntil(lambda: page.viewer.frame is not None and page.viewer.frame.image_id != shown)
    assert page.target_ids == (page.viewer.frame.image_id,)
