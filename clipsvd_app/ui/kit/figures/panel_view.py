"""One panel of a figure: a view box with its axes, its marks, and what answers the mouse."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QWheelEvent
from PySide6.QtWidgets import QFrame, QGraphicsItem

from clipsvd_app.figures.figure import Axis, Cells, Panel, Spot
from clipsvd_app.ui.kit.figures.figure_items import items_of, ring
from clipsvd_app.ui.look.inks import palette_in_force

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QFont
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.figures.figure import Ticks
    from clipsvd_app.ui.look.theme import Palette

_BEYOND_PX = 15
_ROOM = 0.015
_FRAME_PX = 8
"""The least side of a frame that is zoomed to."""
_REACH_PX, _CLICK_PX = 40.0, 12.0
"""How near the mouse must come to a value, and to what a click opens."""


class Graphics(pg.GraphicsView):  # type: ignore[misc]
    """Scrolls with its page until it is asked to zoom: by Ctrl, or once the figure has the focus."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, useOpenGL=False, background=None)
        self.zooms = True
        self.viewport().setAutoFillBackground(False)
        self.setCacheMode(self.CacheModeFlag.CacheNone)  # a cached ground would outlive its theme
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setAcceptDrops(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        wanted = event.modifiers() & Qt.KeyboardModifier.ControlModifier or self.parentWidget().hasFocus()
        if wanted and self.zooms:
            super().wheelEvent(event)
        else:
            event.ignore()


class _Box(pg.ViewBox):  # type: ignore[misc]
    """Dragging frames what is zoomed to; with Shift or the middle button it moves the section."""

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:  # noqa: ANN401 - pyqtgraph's own
        if event.button() == Qt.MouseButton.RightButton or not any(self.state["mouseEnabled"]):
            event.ignore()
            return
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        moves = shift or event.button() == Qt.MouseButton.MiddleButton
        self.state["mouseMode"] = self.PanMode if moves else self.RectMode
        step = event.pos() - event.buttonDownPos()
        if event.isFinish() and not moves and min(abs(step.x()), abs(step.y())) < _FRAME_PX:
            self.rbScaleBox.hide()  # a click with an unsteady hand
            event.accept()
            return
        super().mouseDragEvent(event, axis)
        if event.isFinish() and not moves:
            self.sigRangeChangedManually.emit(self.state["mouseEnabled"])


class _Axis(pg.AxisItem):  # type: ignore[misc]
    """With a grid, pyqtgraph drops the texts at both ends, which reach beyond it."""

    def boundingRect(self) -> QRectF:
        whole: QRectF = super().boundingRect()
        return whole.adjusted(-_BEYOND_PX, -_BEYOND_PX, _BEYOND_PX, _BEYOND_PX)


class PanelView:
    """One panel: a view box with its axes."""

    def __init__(self, panel: Panel, changed: Callable[[], None]) -> None:
        self.panel = panel
        self.zoomed = False
        self._items: list[QGraphicsItem] = []
        self._ring: QGraphicsItem | None = None
        self._frame: QGraphicsItem | None = None
        self._palette = palette_in_force()
        self.box = _Box(enableMouse=not panel.rows, enableMenu=False)
        self.box.disableAutoRange()
        self.left, self.bottom = _Axis("left"), _Axis("bottom")
        self.right = _Axis("right") if panel.right else None
        for axis in self._axes():
            axis.setZValue(-1000)  # its grid lies below the data
            axis.linkToView(self.box)
            axis.enableAutoSIPrefix(False)
            axis.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
            axis.setStyle(maxTickLevel=0, hideOverlappingLabels=False, tickAlpha=255)
        self._changed = changed
        self.box.sigRangeChangedManually.connect(self._zoomed_by_hand)

    def show_panel(self, panel: Panel, palette: Palette, font: QFont) -> None:
        """Draw a panel in place of the one before."""
        self.panel, self._palette = panel, palette
        for item in self._items:
            self.box.removeItem(item)
        self.point_at(None)
        self.choose(None)
        self._items = [item for mark in panel.marks for item in items_of(mark, panel, palette)]
        for item in self._items:
            self.box.addItem(item, ignoreBounds=True)
        cells = any(isinstance(mark, Cells) for mark in panel.marks)
        for axis, wanted in ((self.left, panel.y), (self.bottom, panel.x)):
            self._style(axis, wanted, font, bare=cells or not wanted.grid)
        if self.right is not None:
            self._style(
                self.right, Axis("", panel.y.low, panel.y.high, panel.right, grid=False), font, bare=True
            )
        if not self.zoomed:
            self.go_home()

    def name_rows(self, room_px: float) -> None:
        """Shorten the texts at both sides where they need more than ``room_px``, the names before values."""
        right_px = 0.0 if self.right is None else _shorten(self.right, self.panel.right, room_px * 2 / 3)
        _shorten(self.left, self.panel.y.ticks or (), min(room_px - right_px, room_px * 2 / 3))

    def home(self) -> QRectF:
        """Return the whole of both axes, with room for a dot at their ends."""
        x, y = self.panel.x, self.panel.y
        low = min(y.low, y.high)
        whole = QRectF(x.low, low, x.high - x.low, abs(y.high - y.low))
        room = whole.width() * _ROOM, whole.height() * _ROOM
        return whole.adjusted(-room[0], -room[1], *room)

    def go_home(self) -> None:
        """Show the whole of both axes."""
        home = self.home()
        self.zoomed = False
        self.box.invertY(self.panel.y.low > self.panel.y.high)
        self.box.setLimits(xMin=home.left(), xMax=home.right(), yMin=home.top(), yMax=home.bottom())
        self.box.setRange(home, padding=0)

    def zoom(self, factor: float) -> None:
        """Show more or less of the figure, around the middle of what is shown."""
        self.box.scaleBy((factor, factor))
        self._zoomed_by_hand()

    def place_of(self, spot: Spot) -> QPointF:
        """Return where a spot lies in the scene."""
        whole_row = spot.area is not None and math.isinf(spot.area[0])
        x = self.home().center().x() if whole_row else spot.x
        return QPointF(self.box.mapViewToScene(QPointF(x, spot.y)))

    def spot_at(self, place: QPointF) -> Spot | None:
        """Return what answers the mouse: the last drawn area, the nearest point in reach, a row's name."""
        at = self.box.mapSceneToView(place)
        inside = self.box.sceneBoundingRect().contains(place)
        nearest, reach = None, _REACH_PX
        for spot in reversed(self.panel.spots):
            if spot.area is not None:
                left, right, low, high = spot.area
                beside = math.isinf(left) or inside
                if beside and left <= at.x() <= right and low <= at.y() <= high:
                    return spot
            elif inside:
                step = self.place_of(spot) - place
                far = math.hypot(step.x(), step.y())
                if far < min(reach, _REACH_PX if spot.key is None else _CLICK_PX):
                    nearest, reach = spot, far
        return nearest or self._name_at(place, at.y())

    def _name_at(self, place: QPointF, row: float) -> Spot | None:
        """Return the whole name at the left of a row, which may be shortened."""
        if self.panel.y.ticks is None or place.x() > self.box.sceneBoundingRect().left():
            return None
        for at, name in self.panel.y.ticks:
            if abs(row - at) <= 0.5:
                return Spot(self.panel.x.low, at, name, area=(-math.inf, math.inf, at - 0.5, at + 0.5))
        return None

    def point_at(self, spot: Spot | None) -> None:
        """Mark the spot under the mouse."""
        self._ring = self._replaced(self._ring, spot)

    def choose(self, spot: Spot | None) -> None:
        """Mark the spot that is chosen."""
        self._frame = self._replaced(self._frame, spot)

    def _replaced(self, old: QGraphicsItem | None, spot: Spot | None) -> QGraphicsItem | None:
        if old is not None:
            self.box.removeItem(old)
        if spot is None:
            return None
        item = ring(spot, self.home(), self._palette)
        self.box.addItem(item, ignoreBounds=True)
        return item

    def _axes(self) -> list[Any]:
        return [self.left, self.bottom] + ([self.right] if self.right is not None else [])

    def _style(self, axis: Any, wanted: Axis, font: QFont, *, bare: bool) -> None:  # noqa: ANN401
        muted, line = self._palette.color("text_muted"), self._palette.color("border")
        axis.setTickFont(font)
        axis.setTextPen(muted)
        axis.setPen(QColor(0, 0, 0, 0) if bare else self._palette.color("border_strong"))
        axis.setTickPen(QColor(0, 0, 0, 0) if bare else line)
        axis.setGrid(255 if wanted.grid and not bare else False)
        axis.setStyle(tickLength=0 if bare else -5, tickAlpha=0 if bare else 255)
        axis.setTicks(None if wanted.ticks is None else [list(wanted.ticks)])
        axis.showLabel(bool(wanted.label))
        if wanted.label:
            size = f"{font.pointSizeF():.1f}pt" if font.pixelSize() < 0 else f"{font.pixelSize()}px"
            axis.setLabel(escape(wanted.label), **{"color": muted.name(), "font-size": size})

    def _zoomed_by_hand(self, *_: object) -> None:
        (left, right), (low, high) = self.box.viewRange()
        home = self.home()
        whole = math.isclose(right - left, home.width()) and math.isclose(high - low, home.height())
        self.zoomed = not whole
        self._changed()


def _shorten(axis: Any, ticks: Ticks, room_px: float) -> float:  # noqa: ANN401
    """Give an axis the texts that fit, and return what the longest takes."""
    metrics = QFontMetrics(axis.style["tickFont"])
    shown = [
        (at, metrics.elidedText(text, Qt.TextElideMode.ElideRight, round(room_px))) for at, text in ticks
    ]
    if ticks:
        axis.setTicks([shown])
    return float(max((metrics.horizontalAdvance(text) for _, text in shown), default=0))
