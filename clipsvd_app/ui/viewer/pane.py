"""One picture of the viewer with its window, measures and overlays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, QRectF, Signal
from PySide6.QtWidgets import QFrame, QStackedLayout, QWidget

from clipsvd_app.ui.image_mime import has_images, image_ids_of
from clipsvd_app.ui.shell.empty_state import EmptyState
from clipsvd_app.ui.viewer.canvas import WHOLE, Canvas
from clipsvd_app.ui.viewer.corner_layer import CornerLayer
from clipsvd_app.ui.viewer.drag_handle import DragHandle
from clipsvd_app.ui.viewer.pane_layer import layer_of
from clipsvd_app.ui.viewer.pane_mouse import PaneMouse
from clipsvd_app.ui.viewer.tools.drawing import Drawing, begun
from clipsvd_app.ui.viewer.tools.measures import POINTS_NEEDED, Measure, MeasureKind
from clipsvd_app.ui.viewer.windowing import dragged, least_width

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtGui import QDragEnterEvent, QDropEvent

    from clipsvd_app.jobs import WindowSpec
    from clipsvd_app.ui.shell.state import EmptySpec
    from clipsvd_app.ui.theme import Theme
    from clipsvd_app.ui.viewer.state import ClassBadge, FrameState
    from clipsvd_app.ui.viewer.tools.measuring import Point, Region

Measures = dict[str, tuple[Measure, ...]]
USUAL_OPACITY = 0.55
CLICK_PX = 4.0


class Pane(QFrame):
    """Shows a :class:`FrameState`. ``measures`` by picture are shared with the other panes.

    Signals: ``pressed()``, ``scrolled(int)`` by so many frames, ``pointed(float, float)`` at a column and
    row with Shift held, ``drag_requested()``, ``image_dropped(int)``, ``window_changed(WindowSpec)`` by the
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
        self._theme, self._measures = theme, measures
        self.tool = "window"
        self.frame: FrameState | None = None
        self.window_spec: WindowSpec | None = None
        self.inverted = False
        self._drawing: Drawing | None = None
        self._pointer: QPointF | None = None
        self._opacity = USUAL_OPACITY
        self.setAcceptDrops(True)
        self.empty = EmptyState(theme, empty)
        self.canvas = Canvas(theme.palette.viewer)
        self.corner = CornerLayer(theme.palette.viewer_text, self.canvas)
        self.handle = DragHandle(theme, self.canvas)
        self._layers = QStackedLayout(self)
        self._layers.addWidget(self.empty)
        self._layers.addWidget(self.canvas)
        self.canvas.resized.connect(self._place_layers)
        self.handle.drag_requested.connect(self.drag_requested)
        self._mouse = PaneMouse(self)
        self.set_frame(None)

    @property
    def measuring(self) -> MeasureKind | None:
        """What the left button draws, if the tool draws."""
        return next((kind for kind in POINTS_NEEDED if kind == self.tool), None)

    @property
    def drawing(self) -> Drawing | None:
        """The measure under way."""
        return self._drawing

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What was drawn on this picture."""
        return () if self.frame is None else self._measures.get(self.frame.key, ())

    @property
    def region(self) -> Region | None:
        """The newest region drawn on this picture."""
        if self.frame is None:
            return None
        found = (measure.region(self.frame.pixels) for measure in reversed(self.measures))
        return next((region for region in found if region is not None), None)

    def set_frame(self, frame: FrameState | None) -> None:
        """Show a frame, or the empty state; zoom and the user's own window stay within one series."""
        before, self.frame = self.frame, frame
        self._layers.setCurrentWidget(self.empty if frame is None else self.canvas)
        self.corner.setVisible(frame is not None)
        if before is None or frame is None or before.key != frame.key:
            self._drawing = None
        if frame is None:
            return
        same_series = before is not None and bool(frame.series_key) and before.series_key == frame.series_key
        if before is None or not same_series or frame.window is None or not self._is_adjusted(before):
            self.window_spec, self.inverted = frame.window, frame.inverted
        spacing = frame.spacing_mm
        self.canvas.set_pixels(frame.pixels, spacing[0] / spacing[1] if spacing else 1.0)
        self._apply_window()
        self.set_overlay(None)
        self.handle.set_image(frame.image_id)
        if before is None or not same_series:
            self.canvas.reset_orientation()
        if before is None or not same_series or before.pixels.shape != frame.pixels.shape:
            self.canvas.fit()
        self.corner.raise_()
        self.handle.raise_()
        self.refresh()

    def set_badge(self, badge: ClassBadge | None) -> None:
        """Show another class for the same frame."""
        self._change_frame(badge=badge)

    def set_crop(self, crop: tuple[float, float, float, float] | None) -> None:
        """Show another region that training sees of the same frame."""
        self._change_frame(crop=crop)

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
        self.cancel_drawing()

    def set_ring(self, role: str | None) -> None:
        """Frame the pane in a colour of the theme."""
        self.corner.set_ring(None if role is None else self._theme.palette.color(role))

    def set_handle_shown(self, shown: bool) -> None:
        """Offer the handle that the image is dragged by."""
        self.handle.setVisible(shown)
        self.corner.leave_room_for_handle(shown)

    def set_window(self, window: WindowSpec) -> None:
        """Use a window that the user chose."""
        self.window_spec = window
        self._apply_window()
        self.refresh()
        self.window_changed.emit(window)

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

    def press_drawing(self, at: QPointF) -> None:
        """Begin a measure where the pointer goes down, or carry its loose end there."""
        if self._drawing is None and self.measuring is not None:
            self._drawing = begun(self.measuring, self._image_point(at))
        self.move_drawing(at)

    def move_drawing(self, at: QPointF) -> None:
        """Carry the loose end of a measure along."""
        if self._drawing is not None:
            self._drawing = self._drawing.moved(self._image_point(at))

    def release_drawing(self, at: QPointF) -> None:
        """Set a point where the pointer comes up, away from the point before."""
        if self._drawing is None:
            return
        before = self.canvas.to_viewport(QPointF(*self._drawing.fixed[-1]))
        if (at - before).manhattanLength() >= CLICK_PX:
            self._fix(self._drawing.moved(self._image_point(at)))

    def key_point(self) -> None:
        """Set a point by key; the first one stands in the middle of what is seen."""
        if self._drawing is not None and self._drawing.loose != self._drawing.fixed[-1]:
            self._fix(self._drawing)
        elif self._drawing is None and self.measuring is not None:
            centre = QPointF(self.canvas.viewport.rect().center())
            self._drawing = begun(self.measuring, self._image_point(centre))
        self.refresh()

    def move_cursor(self, columns: int, rows: int) -> None:
        """Move the loose end of a measure by whole pixels of the image."""
        if self._drawing is not None:
            x, y = self._drawing.loose
            self._drawing = self._drawing.moved((x + columns, y + rows))
            self.refresh()

    def cancel_drawing(self) -> bool:
        """Drop the measure under way; returns whether there was one."""
        drawn, self._drawing = self._drawing is not None, None
        self.refresh()
        return drawn

    def clear_measures(self) -> None:
        """Take away what was drawn on this picture."""
        if self.frame is not None:
            self._measures.pop(self.frame.key, None)
            self.cancel_drawing()
            self.measures_changed.emit()

    def drop_region(self) -> None:
        """Take the region drawn away, because it was given to training."""
        if self.frame is not None:
            self._measures[self.frame.key] = tuple(m for m in self.measures if m.kind != "region")
            self.measures_changed.emit()

    def refresh(self) -> None:
        """Draw the layers anew."""
        if self.frame is not None:
            self.corner.set_state(
                layer_of(
                    self.canvas, self.frame, self.window_spec, self.measures, self._drawing, self._pointer
                )
            )

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if has_images(event.mimeData()):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.image_dropped.emit(image_ids_of(event.mimeData())[0])

    def _fix(self, drawing: Drawing) -> None:
        assert self.frame is not None
        result = drawing.fixed_here()
        if isinstance(result, Drawing):
            self._drawing = result
        else:
            self._drawing = None
            kept = self.measures
            if result.kind == "region":  # one at a time: it is what training may be given
                kept = tuple(measure for measure in kept if measure.kind != "region")
            self._measures[self.frame.key] = (*kept, result)
            self.measures_changed.emit()
        self.refresh()

    def _change_frame(self, **values: Any) -> None:  # noqa: ANN401
        if self.frame is not None:
            self.frame = replace(self.frame, **values)
            self.refresh()

    def _image_point(self, at: QPointF) -> Point:
        point = self.canvas.to_image(at)
        return point.x(), point.y()

    def _is_adjusted(self, frame: FrameState) -> bool:
        """Whether the user chose another window than the frame's own."""
        return frame.window is not None and (self.window_spec, self.inverted) != (
            frame.window,
            frame.inverted,
        )

    def _apply_window(self) -> None:
        if self.frame is not None:
            self.canvas.set_window(self.window_spec, inverted=self.inverted, colour=self.frame.is_colour)

    def _place_layers(self) -> None:
        self.corner.setGeometry(self.canvas.rect())
        self.handle.move(self.canvas.width() - self.handle.width() - 12, 12)
        self.refresh()
