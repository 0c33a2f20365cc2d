"""Facts about the viewer's tools, layouts and keys."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from clipsvd_app.domain.view import Crop, Window
from clipsvd_app.ui.kit.image_mime import mime_of
from clipsvd_app.ui.shell.actions import VIEWER_KEYS
from clipsvd_app.ui.viewer.commands import COMMANDS
from clipsvd_app.ui.viewer.keys import key_command
from clipsvd_app.ui.viewer.state import FrameState, WindowPreset
from clipsvd_app.ui.viewer.tools.geometry import Region
from clipsvd_app.ui.viewer.viewer import ImageViewer

pytestmark = pytest.mark.gui
LEFT = Qt.MouseButton.LeftButton
CT = Window(40, 400)


def frame(image_id=7, **changes) -> FrameState:
    rows, columns = np.mgrid[:80, :80]
    given = {
        "image_id": image_id,
        "pixels": (rows * 10 + columns).astype(np.float32),
        "window": CT,
        "spacing_mm": (0.5, 0.5),
        "units": "HU",
        "presets": (WindowPreset("Lung", Window(-600, 1500)),),
        "index": 3,
        "count": 10,
        "series_key": "a",
    }
    return FrameState(**(given | changes))


@pytest.fixture
def viewer(qtbot, theme):
    viewer = ImageViewer(theme)
    qtbot.addWidget(viewer)
    viewer.resize(700, 560)
    viewer.show()
    viewer.set_frame(frame())
    return viewer


def at(viewer, column, row) -> tuple[float, float]:
    return viewer.pane.canvas.to_viewport(QPointF(column, row)).toTuple()


def click(viewer, drag_mouse, column, row) -> None:
    place = at(viewer, column, row)
    drag_mouse(viewer.pane.canvas.viewport, place, place, LEFT, steps=1)


def test_a_line_can_be_dragged_or_clicked_at_both_ends(viewer, qtbot, drag_mouse):
    qtbot.keyClick(viewer, Qt.Key.Key_D)
    drag_mouse(viewer.pane.canvas.viewport, at(viewer, 10, 10), at(viewer, 40, 50), LEFT)
    click(viewer, drag_mouse, 20, 20)
    click(viewer, drag_mouse, 20, 60)
    first, second = viewer.pane.corner.state.shapes
    assert first.lines == ("25.0 mm",)
    assert second.lines == ("20.0 mm",)
    assert viewer.window_spec == CT


def test_measures_stay_with_their_picture(viewer, qtbot, drag_mouse):
    qtbot.keyClick(viewer, Qt.Key.Key_D)
    drag_mouse(viewer.pane.canvas.viewport, at(viewer, 10, 10), at(viewer, 40, 50), LEFT)
    viewer.set_frame(frame(8, index=4))
    assert viewer.pane.corner.state.shapes == ()
    viewer.set_frame(frame(7))
    assert len(viewer.pane.corner.state.shapes) == 1
    qtbot.keyClick(viewer, Qt.Key.Key_C)
    assert viewer.pane.corner.state.shapes == ()


def test_an_angle_is_measured_by_keyboard_alone(viewer, qtbot):
    qtbot.keyClick(viewer, Qt.Key.Key_A)
    qtbot.keyClick(viewer, Qt.Key.Key_Return)
    for _ in range(2):
        qtbot.keyClick(viewer, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(viewer, Qt.Key.Key_Return)
    for _ in range(20):
        qtbot.keyClick(viewer, Qt.Key.Key_Down)
    qtbot.keyClick(viewer, Qt.Key.Key_Return)
    (shape,) = viewer.pane.corner.state.shapes
    assert shape.lines == ("90.0°",)
    assert viewer.frame.index == 3


def test_escape_drops_the_measure_then_the_tool(viewer, qtbot):
    qtbot.keyClick(viewer, Qt.Key.Key_A)
    qtbot.keyClick(viewer, Qt.Key.Key_Return)
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    assert viewer.pane.hand.drawing is None
    assert viewer.tool == "angle"
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    assert viewer.tool == "window"


def test_a_region_is_offered_to_training_in_pixels(viewer, qtbot, drag_mouse):
    qtbot.keyClick(viewer, Qt.Key.Key_G)
    drag_mouse(viewer.pane.canvas.viewport, at(viewer, 10.4, 20.4), at(viewer, 41.6, 51.6), LEFT)
    assert viewer.bar.region_offer == "Train on this region"
    with qtbot.waitSignal(viewer.region_chosen) as chosen:
        qtbot.keyClick(viewer, Qt.Key.Key_T)
    assert chosen.args == [7, Region(10, 20, 32, 32), False]
    assert viewer.bar.region_offer == ""


def test_a_stored_region_is_shown_and_can_be_given_up(viewer, qtbot):
    viewer.set_frame(frame(crop=Crop(0.25, 0.5, 0.5, 0.25)))
    corners = [viewer.pane.canvas.to_image(corner).toTuple() for corner in viewer.pane.corner.state.crop]
    assert corners[0] == pytest.approx((20, 40))
    assert corners[2] == pytest.approx((60, 60))
    assert viewer.bar.region_offer == "Train on the whole image"
    with qtbot.waitSignal(viewer.region_chosen) as chosen:
        qtbot.keyClick(viewer, Qt.Key.Key_T, Qt.KeyboardModifier.ShiftModifier)
    assert chosen.args == [7, None, True]


def test_turning_and_mirroring_follow_what_is_seen(viewer, qtbot):
    canvas = viewer.pane.canvas

    def seen(column, row) -> QPointF:
        return canvas.to_viewport(QPointF(column, row))

    qtbot.keyClick(viewer, Qt.Key.Key_Q)
    assert seen(0, 0).x() > seen(0, 80).x()  # a turn to the right puts the top on the right
    before = seen(0, 0)
    qtbot.keyClick(viewer, Qt.Key.Key_H)
    assert seen(0, 0).y() == pytest.approx(before.y(), abs=1)
    assert seen(0, 0).x() < seen(0, 80).x()
    qtbot.keyClick(viewer, Qt.Key.Key_V)
    assert seen(0, 0).y() > seen(80, 0).y()
    qtbot.keyClick(viewer, Qt.Key.Key_R)
    assert canvas.edges_seen(("L", "T", "R", "B")) == ("L", "T", "R", "B")


def test_one_to_one_shows_a_column_on_each_pixel(viewer, qtbot):
    qtbot.keyClick(viewer, Qt.Key.Key_O)
    assert viewer.pane.canvas.scale() == pytest.approx(1 / viewer.devicePixelRatioF())


def test_an_image_that_fits_goes_on_fitting(viewer, qtbot):
    fitted = viewer.pane.canvas.scale()
    viewer.resize(700, 400)
    qtbot.waitUntil(lambda: viewer.pane.canvas.scale() < 0.8 * fitted)
    corners = [viewer.pane.canvas.to_viewport(QPointF(*corner)) for corner in ((0, 0), (80, 80))]
    assert all(viewer.pane.canvas.viewport.rect().contains(corner.toPoint()) for corner in corners)


def test_stacks_side_by_side_scroll_together_until_they_are_unlinked(viewer, qtbot):
    asked = []
    viewer.slice_requested.connect(lambda pane, index: asked.append((pane, index)))
    viewer.set_layout("2")
    viewer.set_frame(frame(20, index=1, count=3, series_key="b"), 1)
    qtbot.keyClick(viewer, Qt.Key.Key_Down)
    assert asked == [(0, 4), (1, 2)]
    asked.clear()
    qtbot.keyClick(viewer, Qt.Key.Key_Down)  # the shorter stack has arrived at its end
    assert asked == [(0, 5)]
    asked.clear()
    qtbot.keyClick(viewer, Qt.Key.Key_L)
    qtbot.keyClick(viewer, Qt.Key.Key_Up)
    assert asked == [(0, 4)]


def test_keys_go_to_the_active_pane(viewer, qtbot):
    viewer.set_layout("4")
    viewer.set_frame(frame(20, series_key="b"), 1)
    qtbot.keyClick(viewer, Qt.Key.Key_N)
    qtbot.keyClick(viewer, Qt.Key.Key_I)
    assert [pane.inverted for pane in viewer.grid.panes[:2]] == [False, True]


def test_an_empty_pane_can_be_chosen_and_left_by_mouse_and_key(viewer, qtbot):
    viewer.set_layout("2")
    qtbot.mouseClick(viewer.grid.panes[1], LEFT)
    assert viewer.active == 1
    assert viewer.bar.isEnabled()
    bare = viewer.grid.panes[1].grab().toImage()
    qtbot.keyClick(viewer, Qt.Key.Key_N)
    assert viewer.active == 0
    assert viewer.grid.panes[1].grab().toImage() != bare


def test_an_enlarged_pane_hides_the_others_until_escape(viewer, qtbot):
    viewer.set_layout("4")
    qtbot.keyClick(viewer, Qt.Key.Key_E)
    assert [pane.isVisible() for pane in viewer.grid.panes] == [True, False, False, False]
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    assert all(pane.isVisible() for pane in viewer.grid.panes)


def test_fewer_panes_forget_what_the_others_showed(viewer):
    viewer.set_layout("2")
    viewer.set_frame(frame(20), 1)
    viewer.set_layout("1")
    viewer.set_layout("2")
    assert viewer.frame_of(0).image_id == 7
    assert viewer.frame_of(1) is None


def test_an_image_dropped_on_a_pane_is_asked_for_there(viewer, qtbot, drop_mime):
    viewer.set_layout("2")
    with qtbot.waitSignal(viewer.image_dropped) as dropped:
        assert drop_mime(viewer.grid.panes[1], mime_of([31, 32]))
    assert dropped.args == [1, 31]
    assert viewer.active == 1


def test_the_planes_of_a_volume_share_their_window(viewer, drag_mouse):
    viewer.set_layout("mpr")
    for pane in range(3):
        viewer.set_frame(frame(series_key=f"plane {pane}", cross=(5.0, 5.0)), pane)
    drag_mouse(viewer.grid.panes[0].canvas.viewport, (60, 60), (120, 90), LEFT)
    assert viewer.grid.panes[0].window_spec != CT
    assert (
        viewer.grid.panes[1].window_spec
        == viewer.grid.panes[2].window_spec
        == viewer.grid.panes[0].window_spec
    )


def test_every_command_has_one_key_and_does_something(viewer):
    keys = [command.key for command in COMMANDS]
    assert len(set(keys)) == len(keys)
    for command in COMMANDS:
        pressed = QKeySequence(command.key)[0]
        event = QKeyEvent(QKeyEvent.Type.KeyPress, pressed.key(), pressed.keyboardModifiers())
        assert key_command(event) is command
        viewer.carry_out(command)


def test_the_key_sheet_names_every_command():
    told = " ".join(entry.text for _title, lines in VIEWER_KEYS for entry in lines)
    missing = [command.id for command in COMMANDS if command.text.split(":")[0] not in told]
    assert missing == []


def test_a_narrow_strip_leaves_out_what_has_a_key(viewer):
    viewer.resize(340, 400)
    assert viewer.bar.layout().minimumSize().width() <= 340


def drawn_line(viewer, qtbot, drag_mouse) -> None:
    qtbot.keyClick(viewer, Qt.Key.Key_D)
    drag_mouse(viewer.pane.canvas.viewport, at(viewer, 10, 10), at(viewer, 40, 50), LEFT)
    qtbot.keyClick(viewer, Qt.Key.Key_W)


def test_an_end_of_a_line_can_be_moved_with_any_tool(viewer, qtbot, drag_mouse):
    drawn_line(viewer, qtbot, drag_mouse)
    with qtbot.waitSignal(viewer.measured) as told:
        drag_mouse(viewer.pane.canvas.viewport, at(viewer, 40, 50), at(viewer, 10, 50), LEFT)
    (shape,) = viewer.pane.corner.state.shapes
    assert shape.lines == ("20.0 mm",)
    assert len(told.args[1]) == 1
    assert viewer.window_spec == CT


def test_a_line_taken_by_its_middle_moves_as_a_whole(viewer, qtbot, drag_mouse):
    drawn_line(viewer, qtbot, drag_mouse)
    drag_mouse(viewer.pane.canvas.viewport, at(viewer, 25, 30), at(viewer, 35, 40), LEFT)
    (measure,) = viewer.pane.hand.measures
    assert measure.points == (pytest.approx((20, 20), abs=0.3), pytest.approx((50, 60), abs=0.3))


def test_a_drag_beside_a_measure_still_windows(viewer, qtbot, drag_mouse):
    drawn_line(viewer, qtbot, drag_mouse)
    before = viewer.pane.hand.measures
    drag_mouse(viewer.pane.canvas.viewport, at(viewer, 60, 10), at(viewer, 70, 20), LEFT)
    assert viewer.pane.hand.measures == before
    assert viewer.window_spec != CT


def test_delete_takes_the_marked_measure(viewer, qtbot, drag_mouse):
    drawn_line(viewer, qtbot, drag_mouse)
    click(viewer, drag_mouse, 25, 30)
    assert viewer.pane.corner.state.shapes[0].handles
    qtbot.keyClick(viewer, Qt.Key.Key_Delete)
    assert viewer.pane.hand.measures == ()


def test_escape_puts_a_held_measure_back_and_unmarks_it(viewer, qtbot, drag_mouse):
    drawn_line(viewer, qtbot, drag_mouse)
    before = viewer.pane.hand.measures
    hand = viewer.pane.hand
    assert hand.grab(QPointF(*at(viewer, 40, 50)))
    hand.move(QPointF(*at(viewer, 60, 60)))
    assert hand.measures != before
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    assert hand.measures == before
    assert hand.selected is None


def test_the_measures_of_an_image_are_listed_and_marked_from_the_list(viewer, qtbot, drag_mouse):
    assert viewer.bar._button("measures").isHidden()
    drawn_line(viewer, qtbot, drag_mouse)
    button = viewer.bar._button("measures")
    assert not button.isHidden()
    menu = button.menu()
    menu.aboutToShow.emit()
    assert menu.actions()[0].text() == "1   25.0 mm"
    menu.actions()[0].trigger()
    assert viewer.pane.hand.selected == 0
    next(action for action in menu.actions() if action.text().startswith("Delete the selected")).trigger()
    assert viewer.pane.hand.measures == ()


def test_the_pointer_says_what_a_press_would_do(viewer, qtbot, drag_mouse):
    viewport = viewer.pane.canvas.viewport
    drawn_line(viewer, qtbot, drag_mouse)
    viewer.pane.show_cursor(QPointF(*at(viewer, 40, 50)))
    assert viewport.cursor().shape() == Qt.CursorShape.SizeAllCursor
    viewer.pane.show_cursor(QPointF(*at(viewer, 70, 10)))
    assert viewport.cursor().shape() == Qt.CursorShape.BitmapCursor
    for key, shape in (
        (Qt.Key.Key_P, Qt.CursorShape.OpenHandCursor),
        (Qt.Key.Key_A, Qt.CursorShape.CrossCursor),
    ):
        qtbot.keyClick(viewer, key)
        assert viewport.cursor().shape() == shape
