"""What the mouse does in a pane: each button or tool is one way of dragging."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from clipsvd_app.ui.viewer.pane.pane import Pane

WHEEL_NOTCH = 120
ZOOM_A_NOTCH = 1.2
ZOOM_PX_PER_DOUBLING = 160.0
SCROLL_PX_PER_SLICE = 10.0
_TOOL_OF_BUTTON = {Qt.MouseButton.RightButton: "window", Qt.MouseButton.MiddleButton: "pan"}


class PaneMouse(QObject):
    """Watches the canvas of a pane and turns events into what the pane can do."""

    def __init__(self, pane: Pane) -> None:
        super().__init__(pane)
        self._pane = pane
        self._pressed: Qt.MouseButton | None = None
        self._pressed_at = self._last = QPointF()
        self._wheel_rest = 0
        self._scroll_rest_px = 0.0
        self._shift = False
        pane.canvas.viewport.setMouseTracking(True)
        pane.canvas.viewport.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._pane.frame is None:
            return False
        kind = event.type()
        if isinstance(event, QWheelEvent):
            self._wheel(event)
            return True
        if not isinstance(event, QMouseEvent):
            if kind == QEvent.Type.Leave:
                self._pane.point_at(None)
            return False
        if kind == QEvent.Type.MouseButtonPress:
            self._press(event)
        elif kind == QEvent.Type.MouseMove:
            self._move(event)
        elif kind == QEvent.Type.MouseButtonRelease:
            self._release(event)
        elif kind == QEvent.Type.MouseButtonDblClick and self._pane.hand.kind is None:
            self._pane.fit()
        elif kind == QEvent.Type.MouseButtonDblClick:
            self._press(event)
        return True

    def _press(self, event: QMouseEvent) -> None:
        self._pane.pressed.emit()
        self._pressed = event.button()
        self._pressed_at = self._last = event.position()
        self._scroll_rest_px = 0.0
        self._shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if self._pressed != Qt.MouseButton.LeftButton or event.modifiers() & Qt.KeyboardModifier.AltModifier:
            return
        if self._shift:
            self._pane.point_planes(event.position())
        elif not self._pane.hand.grab(event.position()) and self._pane.hand.kind is not None:
            self._pane.hand.press(event.position())

    def _move(self, event: QMouseEvent) -> None:
        here = event.position()
        left = self._pressed == Qt.MouseButton.LeftButton
        if left and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            if (here - self._pressed_at).manhattanLength() >= QApplication.startDragDistance():
                self._pressed = None
                self._pane.drag_requested.emit()
            return
        if left and self._shift:
            self._pane.point_planes(here)
        elif self._pressed is not None and not self._pane.hand.is_moving:
            tool = self._pane.tool if left else _TOOL_OF_BUTTON.get(self._pressed, "")
            self._drag(tool, here)
        self._pane.hand.move(here)
        self._last = here
        if self._pressed is None:
            self._pane.show_cursor(here)
        self._pane.point_at(here)

    def _release(self, event: QMouseEvent) -> None:
        if self._pressed == Qt.MouseButton.LeftButton and not self._shift:
            self._pane.hand.release(event.position())
        moved = (event.position() - self._pressed_at).manhattanLength()
        if self._pressed == Qt.MouseButton.RightButton and moved < QApplication.startDragDistance():
            self._ask_menu(event)
        self._pressed = None

    def _ask_menu(self, event: QMouseEvent) -> None:
        """Ask for the menu where the right button went down and up; a drag with it is a window."""
        self._pressed = None
        at = event.globalPosition().toPoint()
        asked = QContextMenuEvent(QContextMenuEvent.Reason.Other, self._pane.mapFromGlobal(at), at)
        QApplication.sendEvent(self._pane, asked)

    def _drag(self, tool: str, here: QPointF) -> None:
        pane, moved = self._pane, here - self._last
        if tool == "window":
            pane.drag_window(moved.x(), moved.y())
        elif tool == "pan":
            pane.canvas.pan(self._last, here)
        elif tool == "zoom":
            pane.canvas.zoom(2.0 ** (-moved.y() / ZOOM_PX_PER_DOUBLING), self._pressed_at)
        elif tool == "scroll":
            self._scroll_rest_px += moved.y()
            frames = int(self._scroll_rest_px / SCROLL_PX_PER_SLICE)
            self._scroll_rest_px -= frames * SCROLL_PX_PER_SLICE
            if frames:
                pane.scrolled.emit(frames)

    def _wheel(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            factor = ZOOM_A_NOTCH ** (event.angleDelta().y() / WHEEL_NOTCH)
            self._pane.canvas.zoom(factor, event.position())
            self._pane.refresh()
            return
        self._wheel_rest += event.angleDelta().y()
        notches = int(self._wheel_rest / WHEEL_NOTCH)
        self._wheel_rest -= notches * WHEEL_NOTCH
        if notches:
            self._pane.scrolled.emit(-notches)
