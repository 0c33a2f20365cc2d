"""One picture of the viewer with its window, measures and overlays."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, QRectF, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QFrame, QStackedLayout, QWidget

from clipsvd_app.ui.kit.empty_state import EmptyState
from clipsvd_app.ui.kit.image_mime import has_images, image_ids_of
from clipsvd_app.ui.viewer.pane.canvas import WHOLE, Canvas
from clipsvd_app.ui.viewer.pane.corner_layer import RING, CornerLayer
from clipsvd_app.ui.viewer.pane.cursors import cursor_of
from clipsvd_app.ui.viewer.pane.drag_handle import DragHandle
from clipsvd_app.ui.viewer.pane.drawing_hand import DrawingHand, Measures
from clipsvd_app.ui.viewer.pane.layer import layer_of
from clipsvd_app.ui.viewer.pane.window_drag import dragged, least_width
from clipsvd_app.ui.viewer.tools.measures import region_in

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtGui import QDragEnterEvent, QDropEvent, QMouseEvent, QPaintEvent

    from clipsvd_app.domain.measures import Measure
    from clipsvd_app.domain.project_values import Mark
    from clipsvd_app.domain.view import Crop, Window
    from clipsvd_app.ui.look.theme import Theme
    from clipsvd_app.ui.session.state import EmptySpec
    from clipsvd_app.ui.viewer.state import ClassBadge, FrameState
    from clipsvd_app.ui.viewer.tools.geometry import Region

USUAL_OPACITY = 0.55
HANDLE_NEEDS_PX = 320


class Pane(QFrame):
    """Shows a :class:`FrameState`. ``measures`` by picture are shared with the other panes.

    Signals: ``pressed()``, ``scrolled(int)`` by so many frames, ``pointed(float, float)`` at a column and
    row with Shift held, ``drag_requested()``, ``image_dropped(int)``, ``window_changed(Window)`` by the
    user's hand, ``measures_changed()``.
    """

    pressed = Signal()
    scrolled = Signal(int)
    pointed = Signal(float, float)
    drag_requested = Signal()
    image_dropped = Signal(int)
    window_changed = Signal(object)
    measures_changed = Signal()

    def __init__(
        self, theme: Theme, measures: Measures, empty: EmptySpec, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.tool = "window"
        self.frame: FrameState | None = None
        self.window_spec: Window | None = None
        self.inverted = False
        self._pointer: QPointF | None = None
        self._opacity = USUAL_OPACITY
        self._handle_wanted = self._ringed = False
        self.setAcceptDrops(True)
        self.empty = EmptyState(theme, empty)
        self.canvas = Canvas(theme.palette.viewer)
        self.corner = CornerLayer(theme.palette.viewer_text, self.canvas)
        self.handle = DragHandle(theme, self.canvas)
        self.hand = DrawingHand(self.canvas, measures)
        self._layers = QStackedLayout(self)
        self._layers.addWidget(self.empty)
        self._layers.addWidget(self.canvas)
        self.canvas.resized.connect(self._place_layers)
        self.handle.drag_requested.connect(self.drag_requested)
        self.hand.moved.connect(self.refresh)
        self.hand.kept.connect(self.measures_changed)
        self.set_frame(None)

    @property
    def region(self) -> Region | None:
        """The newest region drawn on this picture."""
        if self.frame is None:
            return None
        found = (region_in(measure, self.frame.pixels) for measure in reversed(self.hand.measures))
        return next((region for region in found if region is not None), None)

    def set_frame(self, frame: FrameState | None) -> None:
        """Show a frame, or the empty state; zoom and the user's own window stay within one series."""
        before, self.frame = self.frame, frame
        self._layers.setCurrentWidget(self.empty if frame is None else self.canvas)
        self.corner.setVisible(frame is not None)
        self.hand.turn_to("" if frame is None else frame.key)
        if frame is None:
            return
        if frame.measures is not None:
            self.hand.adopt(frame.measures)
        same_series = before is not None and bool(frame.series_key) and before.series_key == frame.series_key
        if not self._keeps_window(before, frame):
            self.window_spec, self.inverted = frame.window, frame.inverted
        spacing = frame.spacing_mm
        self._apply_window()
        self.canvas.set_pixels(frame.pixels, spacing[0] / spacing[1] if spacing else frame.limits.aspect)
        self.set_overlay(None)
        self.handle.set_image(frame.image_id)
        if before is None or not same_series:
            self.canvas.reset_orientation()
        if before is None or not same_series or before.pixels.shape != frame.pixels.shape:
            self.canvas.fit()
        self.corner.raise_()
        self.handle.raise_()
        self.refresh()

    def set_badge(self, badge: ClassBadge | None, mark: Mark) -> None:
        """Show another class and mark for the same frame."""
        self._change_frame(badge=badge, mark=mark)

    def set_crop(self, crop: Crop | None) -> None:
        """Show another region that training sees of the same frame."""
        self._change_frame(crop=crop)

    def set_training_window(self, window: Window | None) -> None:
        """Show the same frame in another window that training was told to use, None for the file's own."""
        if self.frame is not None and window != self.frame.training_window:
            shown = window or self.frame.file_window
            self._change_frame(window=shown, training_window=window)
            if shown is not None:
                self.adopt_window(shown)

    def set_measures(self, measures: tuple[Measure, ...]) -> None:
        """Show what is kept with the same frame."""
        if self.hand.drawing is None and not self.hand.is_moving and measures != self.hand.measures:
            self.hand.adopt(measures)
        self._change_frame(measures=measures)

    def set_cross(self, image_id: int, cross: tuple[float, float] | None) -> None:
        """Let the other planes cut the same picture elsewhere, which belongs to another slice there."""
        self._change_frame(image_id=image_id, cross=cross)

    def set_overlay(self, heat: NDArray[Any] | None, view: QRectF = WHOLE) -> None:
        """Lay a heat map of values from 0 to 1 over a part of the frame, or take it away."""
        self.canvas.set_heat(heat, self._opacity, view)

    def set_opacity(self, opacity: float) -> None:
        """Make the heat map fainter or stronger."""
        self._opacity = opacity
        self.canvas.set_heat_opacity(opacity)

    def set_tool(self, tool: str) -> None:
        """Give the left button another tool."""
        self.tool = tool
        self.hand.set_tool(tool)
        self.show_cursor(None)

    def set_ring(self, shown: bool) -> None:
        """Show that keys and choices go here."""
        self._ringed = shown
        self.corner.set_ring(shown)
        self.update()

    def set_handle_shown(self, shown: bool) -> None:
        """Offer the handle that the image is dragged by."""
        self._handle_wanted = shown
        roomy = shown and self.canvas.width() >= HANDLE_NEEDS_PX
        self.handle.setVisible(roomy)
        self.corner.leave_room_for_handle(roomy)

    def set_window(self, window: Window) -> None:
        """Use a window that the user chose."""
        self.adopt_window(window)
        self.window_changed.emit(window)

    def adopt_window(self, window: Window) -> None:
        """Use a window that was chosen in another pane."""
        self.window_spec = window
        self._apply_window()
        self.refresh()

    def drag_window(self, right_px: float, down_px: float) -> None:
        """Change the window as a drag of so many pixels does."""
        if self.window_spec is not None and self.frame is not None:
            narrowest = least_width(self.window_spec, self.frame.pixels.dtype)
            self.set_window(dragged(self.window_spec, right_px, down_px, narrowest))

    def set_inverted(self, inverted: bool) -> None:
        """Swap black and white, or not."""
        self.inverted = inverted
        self._apply_window()

    def fit(self) -> None:
        """Show the whole frame."""
        self.canvas.fit()
        self.refresh()

    def reset(self) -> None:
        """Go back to the frame's own window, orientation and size."""
        if self.frame is None:
            return
        self.canvas.reset_orientation()
        self.set_inverted(self.frame.inverted)
        if self.frame.window is not None:
            self.set_window(self.frame.window)
        self.fit()

    def point_at(self, pointer: QPointF | None) -> None:
        """Read the value under the pointer."""
        self._pointer = pointer
        self.refresh()

    def point_planes(self, at: QPointF) -> None:
        """Ask the other planes of a volume to come here."""
        point = self.canvas.to_image(at)
        self.pointed.emit(point.x(), point.y())

    def show_cursor(self, at: QPointF | None) -> None:
        """Let the pointer say what a press would do here."""
        holds = at is not None and self.hand.under(at) is not None
        self.canvas.viewport.setCursor(cursor_of(self.tool, holds=holds))

    def refresh(self) -> None:
        """Draw the layers again."""
        if self.frame is not None:
            layer = layer_of(self.canvas, self.frame, self.window_spec, self.hand, self._pointer)
            self.corner.set_state(layer)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.pressed.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._ringed and self.frame is None:
            painter = QPainter(self)
            painter.setPen(RING)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if has_images(event.mimeData()):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.image_dropped.emit(image_ids_of(event.mimeData())[0])

    def _change_frame(self, **values: Any) -> None:  # noqa: ANN401
        if self.frame is not None:
            self.frame = replace(self.frame, **values)
            self.refresh()

    def _keeps_window(self, before: FrameState | None, frame: FrameState) -> bool:
        """Whether the window that the user chose for the frame before is good for this one."""
        if before is None or frame.window is None or not self._is_adjusted(before):
            return False
        return bool(frame.windowed_with) and frame.windowed_with == before.windowed_with

    def _is_adjusted(self, frame: FrameState) -> bool:
        """Whether the user chose another window than the frame's own."""
        return frame.window is not None and (self.window_spec, self.inverted) != (
            frame.window,
            frame.inverted,
        )

    def _apply_window(self) -> None:
        if self.frame is not None:
            look = partial(self.frame.greys, window=self.window_spec, inverted=self.inverted)
            self.canvas.set_greys(look)

    def _place_layers(self) -> None:
        self.corner.setGeometry(self.canvas.rect())
        self.set_handle_shown(self._handle_wanted)
        self.handle.move(self.canvas.width() - self.handle.width() - 12, 12)
        self.refresh()
