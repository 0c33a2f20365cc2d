"""A figure in the window: axes, zoom, pan, values under the mouse and by the keys, and saving."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QPushButton, QToolTip

from clipsvd_app.figures.figure import NO_FIGURE
from clipsvd_app.services.report.plots import plotted
from clipsvd_app.ui.kit.figures.legend import Legend
from clipsvd_app.ui.kit.figures.panel_view import Graphics, PanelView
from clipsvd_app.ui.kit.figures.saving import Savable
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.plots.plot_widget import sized
from clipsvd_app.ui.look.inks import palette_in_force
from clipsvd_app.ui.look.theme import set_kind

if TYPE_CHECKING:
    from collections.abc import Hashable

    from PySide6.QtWidgets import QMenu, QWidget

    from clipsvd_app.figures.figure import Figure, Panel, Rows, Spot

HINT = "Drag to zoom in, Shift-drag to pan, Ctrl-scroll to zoom; double-click shows all."
_ZOOM = 0.8
_TEXT_SHARE = 0.75
"""How much of the width the texts at both sides of rows may take."""
QWIDGETSIZE_MAX = 16_777_215  # what Qt takes for no limit; PySide does not name it
_ROW_EM, _AXIS_EM, _PANEL_EM = 1.75, 3.2, 13.0
_ARROWS: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
_ZOOMS: dict[int, float] = {Qt.Key.Key_Plus: _ZOOM, Qt.Key.Key_Equal: _ZOOM, Qt.Key.Key_Minus: 1 / _ZOOM}


class FigureView(Savable):
    """Shows a :class:`Figure`; nothing is built before it is first seen.

    Signals: ``opened(key)`` by a click or Enter on what has a key, ``moved(key)`` by the arrow keys.
    """

    opened = Signal(object)
    moved = Signal(object)
    forms: ClassVar[tuple[str, ...]] = ("svg", "pdf", "png")

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._figure = NO_FIGURE
        self._stale = False
        self._palette = palette_in_force()
        self._panels: tuple[PanelView, ...] = ()
        self._spot: tuple[PanelView, Spot] | None = None
        self._chosen: Hashable = None
        self._graphics = Graphics(self)
        self._legend = Legend()
        self._reset = QPushButton("Show all", self)
        set_kind(self._reset, "quiet")
        self._reset.hide()
        self._reset.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(title)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        column = vertical(self, 4, margins=(4, 2, 4, 2))
        column.addWidget(self._legend)
        column.addWidget(self._graphics, 1)
        self._reset.clicked.connect(self.reset)
        scene = self._graphics.scene()
        scene.sigMouseMoved.connect(self._hover)
        scene.sigMouseClicked.connect(self._click)

    def set_figure(self, figure: Figure, *, keep_zoom: bool = False) -> None:
        """Show a figure; ``keep_zoom`` leaves a chosen section where it is while the figure grows."""
        if not (keep_zoom and self.zoomed):
            self.reset()
        self._figure = figure
        self._graphics.zooms = not any(panel.rows for panel in figure.panels)
        self.setToolTip(HINT if self._graphics.zooms else "")
        self._chosen = None
        self._say_size()
        self.say(figure.description)
        self._stale = True
        if self.isVisible():
            self._build()

    def set_chosen(self, key: Hashable) -> None:
        """Mark what stands for ``key``; None marks nothing."""
        self._chosen = key
        self._mark_chosen()

    @property
    def chosen(self) -> Hashable:
        """What is marked."""
        return self._chosen

    @property
    def figure(self) -> Figure:
        """What is shown."""
        return self._figure

    @property
    def zoomed(self) -> bool:
        """True where a section is shown."""
        return any(panel.zoomed for panel in self._panels)

    def reset(self) -> None:
        """Show the whole figure again."""
        for panel in self._panels:
            panel.go_home()
        self._reset.hide()

    def data_rows(self) -> Rows:
        return self._figure.table

    def picture(self, form: str) -> bytes:
        return plotted(self._figure, form)

    def save_menu(self) -> QMenu:
        menu = super().save_menu()
        if self._graphics.zooms:
            menu.addSeparator()
            menu.addAction("Show all", self.reset).setEnabled(self.zoomed)
        return menu

    def sizeHint(self) -> QSize:
        return QSize(420, min(max(self.minimumHeight(), 300), self.maximumHeight()))

    def spot_at(self, position: QPointF) -> Spot | None:
        """Return what answers the mouse at a place of this widget."""
        found = self._spot_at(QPointF(self._graphics.mapFrom(self, position.toPoint())))
        return found[1] if found else None

    def tip_at(self, position: QPointF) -> str:
        """Return what is said there."""
        spot = self.spot_at(position)
        return spot.said if spot else ""

    def place_of(self, spot: Spot) -> QPointF:
        """Return where a spot lies in this widget."""
        panel = next(panel for panel in self._panels if spot in panel.panel.spots)
        return QPointF(self._graphics.mapTo(self, panel.place_of(spot).toPoint()))

    def under(self, place: QPointF) -> tuple[QWidget, QPoint]:
        """Return the widget that takes the mouse at a place, and the place in that widget."""
        return self._graphics.viewport(), self._graphics.mapFrom(self, place.toPoint())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier & ~Qt.KeyboardModifier.ShiftModifier:
            super().keyPressEvent(event)
        elif key in _ARROWS and self._panels:
            self._step(_ARROWS[key])
        elif key in _ENTER and self._current_key() is not None:
            self._open(self._current_key())
        elif self._graphics.zooms and key in _ZOOMS:
            for panel in self._panels:
                panel.zoom(_ZOOMS[key])
        elif self._graphics.zooms and key == Qt.Key.Key_Home and self.zoomed:
            self.reset()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self._build()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._reset.adjustSize()
        self._reset.move(self.width() - self._reset.width() - 22, self._graphics.y() + 10)
        for panel in self._panels:
            panel.name_rows(self.width() * _TEXT_SHARE)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and self._spot is not None:
            return True  # the value that is shown stays
        return super().event(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None)
        QToolTip.hideText()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._palette is not palette_in_force():
            self._build()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._panels:
            painter.setPen(self._palette.color("text_faint"))
            centred = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect(), centred, self._figure.description)
        if self.hasFocus():
            painter.setPen(QPen(self._palette.color("accent"), 1.5))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        painter.end()

    def _build(self) -> None:
        """Draw the figure, in the axes that are there where they fit."""
        self._stale = False
        self._spot = None
        figure = self._figure
        if _kinds(figure) != tuple(_kind(view.panel) for view in self._panels):
            self._lay_out(figure)
        self._palette = palette_in_force()
        for view, panel in zip(self._panels, figure.panels, strict=True):
            view.show_panel(panel, self._palette, sized(self.font(), 0.88))
            view.name_rows(self.width() * _TEXT_SHARE)
        self._legend.set_figure(figure)
        opens = any(spot.key is not None for panel in figure.panels for spot in panel.spots)
        self._graphics.setCursor(Qt.CursorShape.PointingHandCursor if opens else Qt.CursorShape.ArrowCursor)
        self._mark_chosen()

    def _lay_out(self, figure: Figure) -> None:
        grid = pg.GraphicsLayout()
        grid.layout.setContentsMargins(2, 8, 14, 2)
        grid.layout.setSpacing(0)
        self._panels = tuple(PanelView(panel, self._zoom_changed) for panel in figure.panels)
        for place, view in enumerate(self._panels):
            row, column = (0, 3 * place) if figure.beside else (2 * place, 0)
            grid.addItem(view.left, row, column)
            grid.addItem(view.box, row, column + 1)
            grid.addItem(view.bottom, row + 1, column + 1)
            if view.right is not None:
                grid.addItem(view.right, row, column + 2)
            grid.layout.setAlignment(view.left, Qt.AlignmentFlag.AlignRight)
            if place and not figure.beside:
                view.box.setXLink(self._panels[0].box)
            if figure.beside:
                grid.layout.setColumnStretchFactor(column + 1, view.panel.share)
            else:
                grid.layout.setRowStretchFactor(row, view.panel.share)
        self._graphics.setCentralItem(grid)

    def _say_size(self) -> None:
        em = self.fontMetrics().height()
        each = [
            em * (_ROW_EM * panel.rows or _PANEL_EM) + em * (_AXIS_EM if panel.x.label else 0.6)
            for panel in self._figure.panels
        ]
        height = (max(each) if self._figure.beside else each[0] + 0.35 * sum(each[1:])) if each else 0
        named = any(mark.name for panel in self._figure.panels for mark in panel.marks)
        least = round(height + em * 1.5 * named)
        listed = any(panel.right for panel in self._figure.panels)  # rows far apart are hard to follow
        self.setMinimumHeight(least)
        self.setMaximumHeight(round(least * 1.25) if listed else QWIDGETSIZE_MAX)

    def _zoom_changed(self) -> None:
        self._reset.setVisible(self.zoomed)
        self._reset.raise_()

    def _spot_at(self, place: QPointF) -> tuple[PanelView, Spot] | None:
        for panel in self._panels:
            spot = panel.spot_at(place)
            if spot is not None:
                return panel, spot
        return None

    def _hover(self, place: QPointF) -> None:
        found = self._spot_at(place)
        if found == self._spot:
            return
        self._point_at(found)
        if found is None:
            QToolTip.hideText()
        else:
            at = self._graphics.mapToGlobal(place.toPoint())
            QToolTip.showText(at + QPoint(4, 4), found[1].said, self)

    def _point_at(self, found: tuple[PanelView, Spot] | None) -> None:
        self._spot = found
        for panel in self._panels:
            panel.point_at(found[1] if found is not None and found[0] is panel else None)

    def _click(self, event: Any) -> None:  # noqa: ANN401 - pyqtgraph's own kind of event
        if event.button() != Qt.MouseButton.LeftButton:
            return
        found = self._spot_at(event.scenePos())
        if event.double():
            self.reset()
        elif found is not None and found[1].key is not None:
            self._open(found[1].key)

    def _current_key(self) -> Hashable:
        return self._spot[1].key if self._spot is not None else self._chosen

    def _open(self, key: Hashable) -> None:
        self.set_chosen(key)
        self.opened.emit(key)

    def _step(self, direction: tuple[int, int]) -> None:
        """Go to the nearest spot in a direction; what lies aside of it counts as farther."""
        spots = [(panel, spot, panel.place_of(spot)) for panel in self._panels for spot in panel.panel.spots]
        if not spots:
            return
        here = self._here(spots)
        if here is None:
            panel, spot, place = spots[0]
        else:

            def far(entry: tuple[PanelView, Spot, QPointF]) -> float:
                step = entry[2] - here
                along = step.x() * direction[0] + step.y() * direction[1]
                aside = abs(step.x() * direction[1]) + abs(step.y() * direction[0])
                return along + 2 * aside if along > 0.5 else math.inf

            panel, spot, place = min(spots, key=far)
            if math.isinf(far((panel, spot, place))):
                return
        self._point_at((panel, spot))
        self.setAccessibleDescription(f"{spot.said}. {self._figure.description}")
        QToolTip.showText(self._graphics.mapToGlobal(place.toPoint()) + QPoint(8, 8), spot.said, self)
        if spot.key is not None:
            self.set_chosen(spot.key)
            self.moved.emit(spot.key)

    def _here(self, spots: list[tuple[PanelView, Spot, QPointF]]) -> QPointF | None:
        if self._spot is not None:
            return self._spot[0].place_of(self._spot[1])
        return next((place for _, spot, place in spots if self._is_chosen(spot)), None)

    def _is_chosen(self, spot: Spot) -> bool:
        return self._chosen is not None and spot.key == self._chosen

    def _mark_chosen(self) -> None:
        for panel in self._panels:
            panel.choose(next((spot for spot in panel.panel.spots if self._is_chosen(spot)), None))


def _kind(panel: Panel) -> tuple[bool, int]:
    """Return what of a panel decides how it is laid out."""
    return bool(panel.right), panel.share


def _kinds(figure: Figure) -> tuple[tuple[bool, int], ...]:
    return tuple(_kind(panel) for panel in figure.panels)
