"""Facts about the image viewer."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from clipsvd_app.domain.view import Window
from clipsvd_app.imaging.values import ScaleLimits
from clipsvd_app.ui.viewer import image_view
from clipsvd_app.ui.viewer.pane.corner_layer import ruler_length_mm
from clipsvd_app.ui.viewer.pane.layer import probe_text
from clipsvd_app.ui.viewer.state import ClassBadge, Corners, FrameState, WindowPreset
from clipsvd_app.ui.viewer.viewer import ImageViewer

pytestmark = pytest.mark.gui
WINDOW = Window(500, 1000)
PRESETS = (WindowPreset("Lung", Window(-600, 1500)), WindowPreset("Bone", Window(300, 1500)))


def frame(**changes) -> FrameState:
    rows, columns = np.mgrid[:64, :48]
    given = {
        "image_id": 7,
        "pixels": (rows * 10 + columns).astype(np.float32),
        "window": WINDOW,
        "spacing_mm": (0.5, 0.5),
        "units": "HU",
        "presets": (
            WindowPreset("Lung", Window(-600, 1500)),
            WindowPreset("Bone", Window(300, 1500)),
        ),
        "index": 3,
        "count": 10,
    }
    return FrameState(**(given | changes))


@pytest.fixture
def viewer(qtbot, theme):
    viewer = ImageViewer(theme)
    qtbot.addWidget(viewer)
    viewer.resize(640, 500)
    viewer.show()
    viewer.set_frame(frame())
    return viewer


def centre_grey(viewer) -> int:
    picture = viewer.pane.canvas.viewport.grab().toImage()
    return picture.pixelColor(picture.rect().center() + QPoint(7, -9)).lightness()


def wheel(viewer, notches, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
    viewport = viewer.pane.canvas.viewport
    at = QPointF(viewport.rect().center())
    event = QWheelEvent(
        at,
        QPointF(viewport.mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, event)


@pytest.mark.parametrize("button", [Qt.MouseButton.RightButton, Qt.MouseButton.LeftButton])
def test_a_drag_to_the_right_widens_the_window(viewer, drag_mouse, button):
    seen = []
    viewer.window_changed.connect(seen.append)
    drag_mouse(viewer.pane.canvas.viewport, (200, 200), (260, 200), button)
    assert seen[-1].width > WINDOW.width
    assert seen[-1].centre == WINDOW.centre
    assert viewer.window_spec == seen[-1]


def test_the_window_changes_what_is_seen(viewer):
    before = centre_grey(viewer)
    viewer.set_frame(frame(window=Window(2000, 1000)))
    assert centre_grey(viewer) == 0
    viewer.set_frame(frame(window=Window(-2000, 1000)))
    assert centre_grey(viewer) == 255
    assert 0 < before < 255


def test_inverting_turns_black_into_white(viewer, qtbot):
    viewer.set_frame(frame(window=Window(2000, 1000)))
    qtbot.keyClick(viewer, Qt.Key.Key_I)
    assert centre_grey(viewer) == 255


def test_colour_is_shown_as_it_is(viewer):
    red = np.zeros((32, 32, 3), dtype=np.uint8)
    red[..., 0] = 200
    viewer.set_frame(frame(pixels=red, window=None))
    picture = viewer.pane.canvas.viewport.grab().toImage()
    assert picture.pixelColor(picture.rect().center() + QPoint(7, -9)).red() == pytest.approx(200, abs=2)


def test_the_wheel_asks_for_the_next_slice(viewer, qtbot):
    with qtbot.waitSignal(viewer.slice_requested) as asked:
        wheel(viewer, -1)
    assert asked.args == [0, 4]


def test_slices_asked_for_in_a_hurry_add_up(viewer):
    seen = []
    viewer.slice_requested.connect(lambda _pane, index: seen.append(index))
    wheel(viewer, -1)
    wheel(viewer, -1)
    assert seen == [4, 5]


def test_the_wheel_goes_to_the_next_image_where_there_is_one_slice(viewer, qtbot):
    viewer.set_frame(frame(index=0, count=1))
    with qtbot.waitSignal(viewer.step_requested) as asked:
        wheel(viewer, -1)
    assert asked.args == [1]


def test_control_and_wheel_zoom_and_a_double_click_fits_again(viewer, qtbot):
    fitted = viewer.pane.canvas.scale()
    wheel(viewer, 3, Qt.KeyboardModifier.ControlModifier)
    assert viewer.pane.canvas.scale() > 1.5 * fitted
    qtbot.mouseDClick(viewer.pane.canvas.viewport, Qt.MouseButton.LeftButton)
    assert viewer.pane.canvas.scale() == pytest.approx(fitted)


def test_the_middle_button_moves_the_image(viewer, drag_mouse):
    before = viewer.pane.canvas.to_image(QPointF(200, 200))
    drag_mouse(viewer.pane.canvas.viewport, (200, 200), (240, 220), Qt.MouseButton.MiddleButton)
    after = viewer.pane.canvas.to_image(QPointF(240, 220))
    assert after.x() == pytest.approx(before.x(), abs=0.3)
    assert after.y() == pytest.approx(before.y(), abs=0.3)


def test_zoom_is_kept_within_a_series_and_not_beyond(viewer):
    viewer.set_frame(frame(series_key="a"))
    fitted = viewer.pane.canvas.scale()
    wheel(viewer, 3, Qt.KeyboardModifier.ControlModifier)
    zoomed = viewer.pane.canvas.scale()
    viewer.set_frame(frame(series_key="a", index=4))
    assert viewer.pane.canvas.scale() == pytest.approx(zoomed)
    viewer.set_frame(frame(series_key="b"))
    assert viewer.pane.canvas.scale() == pytest.approx(fitted)


def test_the_users_own_window_stays_within_a_series_and_not_beyond(viewer, drag_mouse):
    viewer.set_frame(frame(series_key="a"))
    drag_mouse(viewer.pane.canvas.viewport, (200, 200), (260, 240), Qt.MouseButton.RightButton)
    chosen = viewer.window_spec
    viewer.set_frame(frame(series_key="a", index=4))
    assert viewer.window_spec == chosen != WINDOW
    viewer.set_frame(frame(series_key="b"))
    assert viewer.window_spec == WINDOW


def test_another_frames_own_window_is_used_while_the_user_chose_none(viewer):
    viewer.set_frame(frame(series_key="a"))
    viewer.set_frame(frame(series_key="a", index=4, window=Window(30, 60)))
    assert viewer.window_spec == Window(30, 60)


def test_alt_and_a_number_choose_a_preset(viewer, qtbot):
    with qtbot.waitSignal(viewer.window_changed) as changed:
        qtbot.keyClick(viewer, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    assert changed.args == [Window(300, 1500)]


def test_reset_goes_back_to_the_windows_own(viewer, qtbot, drag_mouse):
    drag_mouse(viewer.pane.canvas.viewport, (200, 200), (260, 240), Qt.MouseButton.RightButton)
    qtbot.keyClick(viewer, Qt.Key.Key_R)
    assert viewer.window_spec == WINDOW


def test_the_cine_waits_for_each_frame_and_goes_round(viewer, qtbot):
    seen = []
    viewer.slice_requested.connect(lambda _pane, index: seen.append(index))
    viewer.set_frame(frame(index=9))
    qtbot.keyClick(viewer, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: seen == [0])
    qtbot.wait(250)
    assert seen == [0]
    viewer.set_frame(frame(index=0))
    qtbot.waitUntil(lambda: seen == [0, 1])
    qtbot.keyClick(viewer, Qt.Key.Key_Space)
    assert not viewer.slices.playing


def test_the_pointer_reads_the_value_with_its_unit(viewer, drag_mouse):
    at = viewer.pane.canvas.to_viewport(QPointF(20.5, 30.5))
    drag_mouse(
        viewer.pane.canvas.viewport, (at.x(), at.y()), (at.x(), at.y()), Qt.MouseButton.MiddleButton, steps=1
    )
    assert viewer.pane.corner.state.probe_text == "x 20  y 30   320 HU"


def test_the_pointer_reads_the_right_value_of_a_turned_and_mirrored_image(viewer):
    viewer.bar.command.emit("rotate")
    viewer.bar.command.emit("flip")
    at = viewer.pane.canvas.to_viewport(QPointF(20.5, 30.5))
    assert probe_text(viewer.frame, viewer.pane.canvas.to_image(at)) == "x 20  y 30   320 HU"


@pytest.mark.parametrize(
    "shape", [{"spacing_mm": (1.0, 0.5)}, {"spacing_mm": None, "limits": ScaleLimits(aspect=2.0)}]
)
def test_pixels_that_are_not_square_are_shown_in_their_true_shape(viewer, shape):
    viewer.set_frame(frame(**shape))
    origin, right, down = (viewer.pane.canvas.to_viewport(QPointF(*p)) for p in ((0, 0), (40, 0), (0, 40)))
    assert (down.y() - origin.y()) / (right.x() - origin.x()) == pytest.approx(2.0, abs=0.05)


def test_alt_and_drag_carry_the_shown_image(viewer, qtbot, drag_mouse, monkeypatch):
    carried = []
    monkeypatch.setattr(image_view, "drag_images", lambda _source, ids, _ghost: carried.append(ids))
    with qtbot.waitSignal(viewer.drag_started):
        drag_mouse(
            viewer.pane.canvas.viewport,
            (200, 200),
            (280, 280),
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.AltModifier,
            steps=2,
        )
    assert carried[0] == (7,)
    assert viewer.window_spec == WINDOW


def test_the_handle_carries_the_shown_image(viewer, drag_mouse, monkeypatch):
    carried = []
    monkeypatch.setattr(image_view, "drag_images", lambda _source, ids, _ghost: carried.append(ids))
    drag_mouse(viewer.pane.handle, (10, 10), (60, 60), Qt.MouseButton.LeftButton)
    assert carried == [(7,)]


def test_a_heat_map_is_laid_over_the_image(viewer):
    before = viewer.pane.canvas.viewport.grab().toImage()
    viewer.set_overlay(np.ones((7, 7)))
    after = viewer.pane.canvas.viewport.grab().toImage()
    at = before.rect().center() + QPoint(7, -9)
    assert after.pixelColor(at).saturation() > before.pixelColor(at).saturation()
    viewer.set_overlay(None)
    assert viewer.pane.canvas.viewport.grab().toImage().pixelColor(at) == before.pixelColor(at)


def test_nothing_to_show_says_what_to_do_and_takes_no_keys(viewer, qtbot):
    viewer.set_frame(None)
    asked = []
    viewer.region_chosen.connect(lambda *args: asked.append(args))
    qtbot.keyClick(viewer, Qt.Key.Key_T)
    assert asked == []
    assert viewer.pane.empty.isVisible()


def test_corner_texts_and_badge_are_what_was_given(viewer):
    corners = Corners(top_left=("CR",), bottom_right=("demo",))
    viewer.set_frame(frame(corners=corners, badge=ClassBadge(1, "benign")))
    assert viewer.pane.corner.state.corners == corners
    viewer.set_badge(ClassBadge(0, "normal"))
    assert viewer.pane.corner.state.badge == ClassBadge(0, "normal")
    viewer.grab()


def test_a_mark_shows_beside_the_class_and_goes_with_it(viewer):
    viewer.resize(700, 500)
    viewer.set_frame(frame(badge=ClassBadge(0, "normal")))
    plain = viewer.pane.corner.grab().toImage()
    viewer.set_badge(ClassBadge(0, "normal"), "uncertain")
    assert viewer.pane.corner.state.mark == "uncertain"
    uncertain = viewer.pane.corner.grab().toImage()
    viewer.set_badge(None, "excluded")
    left_out = viewer.pane.corner.grab().toImage()
    assert plain != uncertain != left_out != plain
    viewer.set_badge(ClassBadge(0, "normal"))
    assert viewer.pane.corner.grab().toImage() == plain


def test_the_ruler_never_outgrows_its_place():
    assert ruler_length_mm(2.0) == 50
    assert ruler_length_mm(140.0) == 1
