"""Facts about figures in the window: they zoom, say values, open what is clicked, and save themselves."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ET

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from shiboken6 import delete
from support.made_figures import COUNTS, DOTS, EMPTY, FIGURES, STEPS

from clipsvd_app.errors import UserError
from clipsvd_app.figures.confusion import confusion_figure
from clipsvd_app.figures.probabilities import probabilities_figure
from clipsvd_app.ui.kit.figures.figure_view import FigureView
from clipsvd_app.ui.kit.figures.saving import save_button
from clipsvd_app.ui.train.training_curves import TrainingCurves

pytestmark = pytest.mark.gui
CONTROL, NOTHING = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier
LEFT = Qt.MouseButton.LeftButton
ZOOMED = [name for name, figure in FIGURES.items() if not any(panel.rows for panel in figure.panels)]


@pytest.fixture
def shown(qtbot, theme):
    """Show a figure at a size, drawn once."""
    made = []

    def show(figure, width=560, height=420):
        view = FigureView(figure.title)
        qtbot.addWidget(view)
        made.append(view)
        view.set_figure(figure)
        view.resize(width, height)
        with qtbot.waitExposed(view):
            view.show()
        view.grab()
        return view

    yield show
    for view in made:
        delete(view)


def wheel(view, modifiers=NOTHING, delta=240) -> bool:
    """Turn the wheel over the middle; returns whether the figure took it."""
    graphics = view._graphics.viewport()
    middle = QPointF(graphics.rect().center())
    event = QWheelEvent(
        middle,
        QPointF(graphics.mapToGlobal(middle.toPoint())),
        QPoint(),
        QPoint(0, delta),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(graphics, event)
    return event.isAccepted()


def width_of(view) -> float:
    (left, right), _ = view._panels[0].box.viewRange()
    return right - left


def spot_of(view, key):
    return next(spot for panel in view.figure.panels for spot in panel.spots if spot.key == key)


def press(qtbot, view, key) -> None:
    """Click what stands for a key."""
    under, place = view.under(view.place_of(spot_of(view, key)))
    qtbot.mouseClick(under, LEFT, pos=place)


@pytest.mark.parametrize("name", ZOOMED)
def test_the_wheel_zooms_and_reset_shows_all_again(name, shown):
    view = shown(FIGURES[name])
    whole = width_of(view)
    assert wheel(view, CONTROL)
    assert width_of(view) < whole
    assert view.zoomed
    assert view._reset.isVisible()
    view._reset.click()
    assert width_of(view) == pytest.approx(whole)
    assert not view.zoomed
    assert not view._reset.isVisible()


def test_without_ctrl_or_focus_the_wheel_belongs_to_the_page(shown, qtbot):
    view = shown(FIGURES["roc"])
    view.clearFocus()
    whole = width_of(view)
    assert not wheel(view)
    assert width_of(view) == whole
    view.setFocus()
    qtbot.waitUntil(view.hasFocus)
    wheel(view)
    assert width_of(view) < whole


def test_a_drag_frames_what_is_zoomed_to(shown, drag_mouse):
    view = shown(FIGURES["roc"])
    whole = width_of(view)
    box = view._panels[0].box.sceneBoundingRect()
    start, end = box.center(), box.center() + QPointF(box.width() / 4, box.height() / 4)
    drag_mouse(view._graphics.viewport(), start.toTuple(), end.toTuple(), LEFT)
    assert width_of(view) == pytest.approx(whole / 4, rel=0.1)
    drag_mouse(
        view._graphics.viewport(), start.toTuple(), end.toTuple(), LEFT, Qt.KeyboardModifier.ShiftModifier
    )
    assert width_of(view) == pytest.approx(whole / 4, rel=0.1), "with Shift it moves, and zooms no further"


def test_an_unsteady_click_zooms_into_nothing_and_a_matrix_stays_whole(shown, drag_mouse):
    curve, matrix = shown(FIGURES["roc"]), shown(FIGURES["confusion"])
    for view, length in ((curve, 7), (matrix, 90)):
        whole, start = width_of(view), view._panels[0].box.sceneBoundingRect().center()
        drag_mouse(
            view._graphics.viewport(), start.toTuple(), (start + QPointF(length, length)).toTuple(), LEFT
        )
        assert width_of(view) == whole
        assert not view.zoomed


def test_the_keys_zoom_and_reset(shown, qtbot):
    view = shown(FIGURES["risk"])
    whole = width_of(view)
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    assert width_of(view) < whole
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert width_of(view) == pytest.approx(whole)


@pytest.mark.parametrize("name", FIGURES)
def test_every_value_answers_the_mouse(name, shown):
    view = shown(FIGURES[name])
    spot = view.figure.panels[0].spots[-1]
    assert view.tip_at(view.place_of(spot)) in {s.said for s in view.figure.panels[0].spots}


@pytest.mark.parametrize("name", FIGURES)
def test_the_arrow_keys_go_from_value_to_value(name, shown, qtbot):
    view = shown(FIGURES[name])
    said = []
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Up):
        qtbot.keyClick(view, key)
        said.append(view.accessibleDescription())
    assert len(set(said)) > 1
    assert any(said[0].startswith(spot.said) for panel in view.figure.panels for spot in panel.spots)


@pytest.mark.parametrize("name", ["roc", "reliability", "confusion"])
def test_picture_and_numbers_are_saved_whole(name, shown, tmp_path):
    view = shown(FIGURES[name])
    for suffix in ("svg", "png", "pdf"):
        view.save_picture(tmp_path / f"plot.{suffix}")
    view.save_rows(tmp_path / "plot.csv")
    text = "".join(ET.parse(tmp_path / "plot.svg").getroot().itertext())
    for panel in view.figure.panels:
        for axis in (panel.x, panel.y):
            assert axis.label in text
    picture = QImage(str(tmp_path / "plot.png"))
    assert picture.width() > 900
    assert picture.pixelColor(0, 0).name() == "#ffffff", "on white in the dark theme"
    assert (tmp_path / "plot.pdf").read_bytes().startswith(b"%PDF")
    with (tmp_path / "plot.csv").open(encoding="utf-8", newline="") as file:
        assert tuple(tuple(row) for row in csv.reader(file)) == view.data_rows()


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_described_and_reached_by_tab(name, shown):
    view = shown(FIGURES[name])
    assert view.accessibleName()
    assert len(view.accessibleDescription()) > 20
    assert view.focusPolicy() & Qt.FocusPolicy.TabFocus


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("width", [120, 300, 1200])
def test_no_size_is_too_small_to_draw(name, width, shown):
    shown(FIGURES[name], width, 90)


def test_nothing_can_be_shown_and_saved(shown, tmp_path):
    view = shown(EMPTY["roc"])
    view.save_picture(tmp_path / "empty.png")
    assert len(view.data_rows()) == 1
    view.set_figure(FIGURES["roc"])
    view.set_figure(FIGURES["reliability"])
    view.set_figure(EMPTY["risk"])
    assert view.tip_at(QPointF(100, 100)) == ""


def test_a_section_stays_while_the_figure_grows(shown):
    view = shown(FIGURES["risk"])
    wheel(view, CONTROL)
    section = width_of(view)
    view.set_figure(FIGURES["risk"], keep_zoom=True)
    assert width_of(view) == section
    view.set_figure(FIGURES["risk"])
    assert width_of(view) > section


def test_another_theme_redraws_the_figure(shown, theme):
    view = shown(FIGURES["risk"])
    dark = view.grab().toImage().pixelColor(4, 4)
    theme.set_theme("light")
    view.grab()
    assert view._palette.name == "light"
    theme.set_theme("dark")
    assert view.grab().toImage().pixelColor(4, 4) == dark


def test_key_and_button_open_the_same_menu(shown, qtbot):
    view, opened = shown(FIGURES["risk"]), []
    button = save_button(view)
    qtbot.addWidget(button)
    view.open_save_menu = opened.append
    button.click()
    qtbot.keyClick(view, Qt.Key.Key_S, CONTROL)
    assert len(opened) == 2


def test_the_menu_saves_every_form_and_resets_the_zoom(shown):
    view = shown(FIGURES["roc"])
    menu = view.save_menu()
    assert [action.text() for action in menu.actions() if action.text()] == [
        "Save as picture, SVG…",
        "Save as picture, PDF…",
        "Save as picture, PNG…",
        "Save as numbers, CSV…",
        "Show all",
    ]
    assert not menu.actions()[-1].isEnabled()


def test_a_picture_that_cannot_be_written_says_where_to_write(shown, tmp_path):
    with pytest.raises(UserError) as caught:
        shown(FIGURES["roc"]).save_picture(tmp_path / "no_such_folder" / "plot.svg")
    assert "folder" in caught.value.remedy


def test_a_list_leaves_the_wheel_to_its_page(shown, qtbot):
    view = shown(FIGURES["probabilities"])
    view.setFocus()
    qtbot.waitUntil(view.hasFocus)
    assert not wheel(view, CONTROL)


def test_a_name_that_does_not_fit_is_shortened_and_said_whole(shown):
    long = "a very long name of a class that nobody would ever print in a figure of this size"
    view = shown(probabilities_figure((long, "lesion"), (0.5, 0.5), (0.5, 0.5)), 260)
    ((_, shortened), _) = view._panels[0].left._tickLevels[0]
    assert shortened.endswith("…")
    assert long in view.tip_at(view.place_of(view.figure.panels[0].spots[0]))


def test_a_clicked_cell_names_its_label_and_its_prediction(shown, qtbot):
    view = shown(FIGURES["confusion"])
    with qtbot.waitSignal(view.opened) as caught:
        press(qtbot, view, (1, 0))
    assert caught.args == [(1, 0)]
    assert view.chosen == (1, 0)
    assert "3 images" in spot_of(view, (1, 0)).said


def test_a_matrix_without_cases_does_not_open(shown, qtbot):
    view = shown(confusion_figure(("normal", "lesion"), COUNTS))
    with qtbot.assertNotEmitted(view.opened):
        under, place = view.under(view.place_of(view.figure.panels[0].spots[0]))
        qtbot.mouseClick(under, LEFT, pos=place)
        qtbot.keyClick(view, Qt.Key.Key_Return)


def test_the_matrix_is_worked_by_keys_alone(shown, qtbot):
    view = shown(FIGURES["confusion"])
    with qtbot.waitSignal(view.opened) as caught:
        for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Return):
            qtbot.keyClick(view, key)
    assert caught.args == [(0, 1)]


def test_the_arrow_keys_go_from_the_image_tower_to_the_text_tower(shown, qtbot):
    view = shown(FIGURES["heads"])
    view.set_chosen(("image", 1, 0))
    with qtbot.waitSignal(view.moved) as caught:
        qtbot.keyClick(view, Qt.Key.Key_Right)
    assert caught.args == [("text", 0, 0)]


def test_a_click_on_a_dot_opens_its_case(shown, qtbot):
    view = shown(FIGURES["case map"])
    for dot in DOTS:
        with qtbot.waitSignal(view.opened) as caught:
            press(qtbot, view, dot.image_id)
        assert caught.args == [dot.image_id]
    with qtbot.assertNotEmitted(view.opened):
        under = view._graphics.viewport()
        qtbot.mouseClick(under, LEFT, pos=under.rect().center())


def test_the_map_works_by_keys_alone(shown, qtbot):
    view = shown(FIGURES["case map"])
    view.set_chosen(1)
    for key, chosen in (("Right", 2), ("Up", 4), ("Left", 3), ("Left", 3)):
        qtbot.keyClick(view, getattr(Qt.Key, f"Key_{key}"))
        assert view.chosen == chosen
    with qtbot.waitSignal(view.opened) as caught:
        qtbot.keyClick(view, Qt.Key.Key_Return)
    assert caught.args == [3]


def test_a_step_that_goes_back_starts_a_new_curve(qtbot, theme):
    curves = TrainingCurves()
    qtbot.addWidget(curves)
    curves.start(10)
    for point in (*STEPS, STEPS[0]):
        curves.add_point(point)
    assert len(curves.data_rows()) == 2
