"""The viewer: one frame with window, zoom, slices, cine; it shows and asks, and changes no data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPixmap, QWheelEvent
from PySide6.QtWidgets import QApplication, QStackedLayout, QVBoxLayout, QWidget

from clipsvd_app.ui.image_mime import drag_images
from clipsvd_app.ui.shell.empty_state import EmptyState
from clipsvd_app.ui.shell.state import EmptySpec
from clipsvd_app.ui.viewer.canvas import Canvas
from clipsvd_app.ui.viewer.corner_layer import CornerLayer, LayerState, MeasuredLine, length_text
from clipsvd_app.ui.viewer.drag_handle import DragHandle
from clipsvd_app.ui.viewer.keys import KeyCommand, key_command
from clipsvd_app.ui.viewer.slice_bar import SliceBar
from clipsvd_app.ui.viewer.tool_bar import USUAL_OPACITY, ViewerBar
from clipsvd_app.ui.viewer.windowing import dragged, least_width

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from clipsvd_app.jobs import WindowSpec
    from clipsvd_app.ui.theme import Theme
    from clipsvd_app.ui.viewer.state import ClassBadge, FrameState

NOTHING_SHOWN = EmptySpec(
    "image",
    "No image on show",
    "Drop a folder, files or a ZIP onto the window, or choose a study on the left.",
)
WHEEL_NOTCH = 120
ZOOM_A_NOTCH = 1.2
ZOOM_PX_PER_DOUBLING = 160.0
_TOOL_OF_BUTTON = {Qt.MouseButton.RightButton: "window", Qt.MouseButton.MiddleButton: "pan"}


class ImageViewer(QWidget):
    """Shows a :class:`FrameState`.

    Signals: ``window_changed(WindowSpec)`` by the user's hand, ``inverted_changed(bool)``,
    ``slice_requested(int)`` place in the stack, ``step_requested(int)`` previous or next image,
    ``label_requested(tuple of ids, class position)``, ``clear_requested(tuple of ids)``,
    ``drag_started(int)`` image id.
    """

    window_changed = Signal(object)
    inverted_changed = Signal(bool)
    slice_requested = Signal(int)
    step_requested = Signal(int)
    label_requested = Signal(object, int)
    clear_requested = Signal(object)
    drag_started = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("viewer")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._theme = theme
        self._frame: FrameState | None = None
        self._window: WindowSpec | None = None
        self._inverted = False
        self._tool = "window"
        self._pressed: Qt.MouseButton | None = None
        self._pressed_at = QPointF()
        self._last = QPointF()
        self._line: tuple[QPointF, QPointF] | None = None
        self._wheel_rest = 0
        self._opacity = USUAL_OPACITY
        self._build(theme)
        self.set_frame(None)

    @property
    def frame(self) -> FrameState | None:
        """The frame on show."""
        return self._frame

    @property
    def window_spec(self) -> WindowSpec | None:
        """The display window in force."""
        return self._window

    def set_frame(self, frame: FrameState | None) -> None:
        """Show a frame, or the empty state; zoom and the user's own window stay within one series."""
        before, self._frame = self._frame, frame
        self._layers.setCurrentWidget(self._empty if frame is None else self._canvas)
        self._bar.setEnabled(frame is not None)
        self._handle.setVisible(frame is not None)
        self._corner.setVisible(frame is not None)
        self._line = None
        if frame is None:
            self._slices.set_place(0, 1)
            return
        same_series = before is not None and bool(frame.series_key) and before.series_key == frame.series_key
        if before is None or not same_series or frame.window is None or not self._is_adjusted(before):
            self._window, self._inverted = frame.window, frame.inverted
        spacing = frame.spacing_mm
        self._canvas.set_pixels(frame.pixels, spacing[0] / spacing[1] if spacing else 1.0)
        self._apply_window()
        self._canvas.set_heat(None, self._opacity)
        self._bar.set_heat_shown(False)
        self._bar.set_presets(frame.presets)
        self._slices.set_place(frame.index, frame.count)
        self._handle.set_image(frame.image_id)
        if before is None or not same_series:
            self._canvas.reset_orientation()
        if before is None or not same_series or before.pixels.shape != frame.pixels.shape:
            self._canvas.fit()
        self._corner.raise_()
        self._handle.raise_()
        self._write()

    def set_badge(self, badge: ClassBadge | None) -> None:
        """Show another class for the same frame."""
        if self._frame is not None:
            self._frame = replace(self._frame, badge=badge)
            self._write()

    def set_overlay(self, heat: NDArray[Any] | None) -> None:
        """Lay a heat map of values from 0 to 1 over the frame, or take it away."""
        self._canvas.set_heat(heat, self._opacity)
        self._bar.set_heat_shown(heat is not None)

    def set_thumbnail(self, picture: QPixmap) -> None:
        """Set what hangs under the pointer while the image is dragged."""
        self._handle.set_ghost(picture)

    def fit(self) -> None:
        """Show the whole frame."""
        self._canvas.fit()
        self._write()

    def reset(self) -> None:
        """Go back to the frame's own window, orientation and size."""
        if self._frame is None:
            return
        self._canvas.reset_orientation()
        self._set_inverted(self._frame.inverted)
        if self._frame.window is not None:
            self._set_window(self._frame.window)
        self.fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._frame is None:
            return False
        kind = event.type()
        if isinstance(event, QWheelEvent):
            self._wheel(event)
            return True
        if not isinstance(event, QMouseEvent):
            if kind == QEvent.Type.Leave:
                self._corner.set_state(replace(self._corner.state, probe_text=""))
            return False
        if kind == QEvent.Type.MouseButtonPress:
            self._press(event)
        elif kind == QEvent.Type.MouseMove:
            self._move(event)
        elif kind == QEvent.Type.MouseButtonRelease:
            self._pressed = None
        elif kind == QEvent.Type.MouseButtonDblClick:
            self.fit()
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        command = None if self._frame is None else key_command(event)
        if command is None:
            super().keyPressEvent(event)
        else:
            self._obey(command)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._corner.set_ring(self._theme.palette.color("accent"))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._corner.set_ring(None)

    def _is_adjusted(self, frame: FrameState) -> bool:
        """Whether the user chose another window than the frame's own."""
        return frame.window is not None and (self._window, self._inverted) != (frame.window, frame.inverted)

    def _build(self, theme: Theme) -> None:
        self._bar = ViewerBar(theme)
        self._slices = SliceBar(theme)
        self._empty = EmptyState(theme, NOTHING_SHOWN)
        self._canvas = Canvas(theme.palette.viewer)
        self._corner = CornerLayer(theme.palette.viewer_text, self._canvas)
        self._handle = DragHandle(theme, self._canvas)
        self._layers = QStackedLayout()
        self._layers.addWidget(self._empty)
        self._layers.addWidget(self._canvas)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._bar)
        column.addLayout(self._layers, 1)
        column.addWidget(self._slices)
        self._canvas.viewport.setMouseTracking(True)
        self._canvas.viewport.installEventFilter(self)
        self._canvas.resized.connect(self._place_layers)
        self._bar.tool_chosen.connect(self._choose_tool)
        self._bar.command.connect(self._command)
        self._bar.preset_chosen.connect(self._choose_preset)
        self._bar.opacity_changed.connect(self._set_opacity)
        self._slices.slice_requested.connect(self.slice_requested)
        self._handle.drag_requested.connect(self._start_drag)

    def _place_layers(self) -> None:
        self._corner.setGeometry(self._canvas.rect())
        self._handle.move(self._canvas.width() - self._handle.width() - 12, 12)
        self._write()

    def _press(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._pressed = event.button()
        self._pressed_at = self._last = event.position()
        if self._tool == "measure" and self._pressed == Qt.MouseButton.LeftButton:
            start = self._canvas.to_image(event.position())
            self._line = (start, start)

    def _move(self, event: QMouseEvent) -> None:
        here, moved = event.position(), event.position() - self._last
        left = self._pressed == Qt.MouseButton.LeftButton
        if left and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            far = (here - self._pressed_at).manhattanLength() >= QApplication.startDragDistance()
            if far:
                self._start_drag()
            return
        tool = self._tool if left else _TOOL_OF_BUTTON.get(self._pressed or Qt.MouseButton.NoButton)
        if tool == "window":
            self._drag_window(moved)
        elif tool == "pan":
            self._canvas.pan(self._last, here)
        elif tool == "zoom":
            self._canvas.zoom(2.0 ** (-moved.y() / ZOOM_PX_PER_DOUBLING), self._pressed_at)
        elif tool == "measure" and self._line is not None:
            self._line = (self._line[0], self._canvas.to_image(here))
        self._last = here
        self._write(here)

    def _drag_window(self, moved: QPointF) -> None:
        if self._window is not None and self._frame is not None:
            narrowest = least_width(self._window, self._frame.pixels.dtype)
            self._set_window(dragged(self._window, moved.x(), moved.y(), narrowest))

    def _wheel(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._canvas.zoom(ZOOM_A_NOTCH ** (event.angleDelta().y() / WHEEL_NOTCH), event.position())
            self._write()
            return
        self._wheel_rest += event.angleDelta().y()
        notches = int(self._wheel_rest / WHEEL_NOTCH)
        self._wheel_rest -= notches * WHEEL_NOTCH
        if notches:
            self._scroll(-notches)

    def _scroll(self, frames: int) -> None:
        if self._frame is not None and self._frame.count > 1:
            self._slices.step(frames)
        else:
            self.step_requested.emit(1 if frames > 0 else -1)

    def _obey(self, command: KeyCommand) -> None:
        assert self._frame is not None
        if command.kind == "label":
            self.label_requested.emit((self._frame.image_id,), command.number)
        elif command.kind == "clear":
            self.clear_requested.emit((self._frame.image_id,))
        elif command.kind == "preset":
            self._choose_preset(command.number)
        elif command.kind == "scroll":
            self._scroll(command.number)
        elif command.kind == "step":
            self.step_requested.emit(command.number)
        else:
            self._command(command.kind)

    def _command(self, name: str) -> None:
        if name == "invert":
            self._set_inverted(not self._inverted)
            self.inverted_changed.emit(self._inverted)
        elif name == "rotate":
            self._canvas.rotate()
        elif name == "flip":
            self._canvas.flip()
        elif name == "fit":
            self.fit()
        elif name == "reset":
            self.reset()
        elif name == "play":
            self._slices.toggle_play()
        self._write()

    def _choose_tool(self, tool: str) -> None:
        self._tool = tool
        self._line = None
        self._write()

    def _choose_preset(self, position: int) -> None:
        if self._frame is not None and position < len(self._frame.presets):
            self._set_window(self._frame.presets[position].window)

    def _set_window(self, window: WindowSpec) -> None:
        self._window = window
        self._apply_window()
        self._write()
        self.window_changed.emit(window)

    def _set_inverted(self, inverted: bool) -> None:
        self._inverted = inverted
        self._apply_window()

    def _apply_window(self) -> None:
        if self._frame is not None:
            self._canvas.set_window(self._window, inverted=self._inverted, colour=self._frame.is_colour)

    def _set_opacity(self, opacity: float) -> None:
        self._opacity = opacity
        self._canvas.set_heat_opacity(opacity)

    def _start_drag(self) -> None:
        if self._frame is not None:
            self._pressed = None
            self.drag_started.emit(self._frame.image_id)
            drag_images(self, (self._frame.image_id,), self._handle.ghost)

    def _write(self, pointer: QPointF | None = None) -> None:
        frame = self._frame
        if frame is None:
            return
        scale = self._canvas.scale()
        self._corner.set_state(
            LayerState(
                corners=frame.corners,
                window_text=_window_text(self._window, scale),
                probe_text=self._probe(pointer) if pointer is not None else "",
                badge=frame.badge,
                px_per_mm=scale / frame.spacing_mm[1] if frame.spacing_mm else None,
                line=self._measured(frame),
            )
        )

    def _probe(self, pointer: QPointF) -> str:
        frame, at = self._frame, self._canvas.to_image(pointer)
        if frame is None:
            return ""
        rows, columns = frame.pixels.shape[:2]
        if not (0 <= at.x() < columns and 0 <= at.y() < rows):
            return ""
        row, column = int(at.y()), int(at.x())
        return f"x {column}  y {row}   {frame.value_text(row, column)}"

    def _measured(self, frame: FrameState) -> MeasuredLine | None:
        if self._line is None:
            return None
        start, end = (self._canvas.to_viewport(point) for point in self._line)
        return MeasuredLine(start, end, length_text(*self._line, frame.spacing_mm))


def _window_text(window: WindowSpec | None, scale: float) -> str:
    zoom = f"{100 * scale:.0f} %"
    return zoom if window is None else f"C {window.centre:.4g}   W {window.width:.4g}   {zoom}"
