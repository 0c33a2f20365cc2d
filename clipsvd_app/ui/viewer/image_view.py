"""Panes above a slice bar; it shows and asks, and changes no data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtWidgets import QWidget

from clipsvd_app.ui.kit.image_mime import drag_images
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.viewer.pane.canvas import WHOLE
from clipsvd_app.ui.viewer.pane.grid import PaneGrid
from clipsvd_app.ui.viewer.places import Place, way_linked
from clipsvd_app.ui.viewer.slice_bar import SliceBar

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtGui import QFocusEvent

    from clipsvd_app.domain.measures import Measure
    from clipsvd_app.domain.project_values import Mark
    from clipsvd_app.domain.view import Crop, Window
    from clipsvd_app.imaging.series.placing import Axis
    from clipsvd_app.ui.look.theme import Theme
    from clipsvd_app.ui.viewer.pane.pane import Pane
    from clipsvd_app.ui.viewer.places import LinkWay
    from clipsvd_app.ui.viewer.state import ClassBadge, FrameState, LayoutName


class ImageView(QWidget):
    """Shows a :class:`FrameState` in each pane; the slice bar belongs to the active one.

    ``looks_only``: for images of no project, which nothing is trained on or compared with.

    Signals: ``changed()`` when other commands apply or show another state,
    ``window_changed(Window)`` by the user's hand, ``inverted_changed(bool)``,
    ``slice_requested(pane, place in its stack)``, ``step_requested(int)`` previous or next image,
    ``study_requested(int)`` previous or next study, ``drag_started(int)`` image id, ``layout_changed(str)``,
    ``active_changed(int)``, ``image_dropped(pane, image id)``, ``pointed(pane, column, row)``,
    ``region_chosen(image id, Region or None for the whole frame, bool for the whole series)``,
    ``training_window_chosen(image id, Window or None for the file's own, bool for the whole series)``,
    ``measured(image id, tuple of measures)`` when those of an image are others by the user's hand,
    ``heat_requested(bool)``, ``model_view_changed()`` when pictures shall be as training sees them or not.
    """

    changed = Signal()
    window_changed = Signal(object)
    inverted_changed = Signal(bool)
    slice_requested = Signal(int, int)
    step_requested = Signal(int)
    study_requested = Signal(int)
    drag_started = Signal(int)
    layout_changed = Signal(str)
    active_changed = Signal(int)
    image_dropped = Signal(int, int)
    pointed = Signal(int, float, float)
    region_chosen = Signal(int, object, bool)
    training_window_chosen = Signal(int, object, bool)
    measured = Signal(int, object)
    heat_requested = Signal(bool)
    model_view_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, looks_only: bool = False) -> None:
        super().__init__(parent)
        self.setObjectName("viewer")
        self.looks_only = looks_only
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.linked = True
        self.texts_shown = True
        self.heat_shown = False
        self.as_model = False
        self.tool = "window"
        self._places: list[Place] = []
        self.slices = SliceBar(theme)
        self.grid = PaneGrid(theme)
        self._arrange()
        self._connect()
        self.grid.set_layout("1")
        self.set_frame(None)

    @property
    def pane(self) -> Pane:
        """The active pane."""
        return self.grid.pane

    @property
    def frame(self) -> FrameState | None:
        """The frame of the active pane."""
        return self.pane.frame

    @property
    def window_spec(self) -> Window | None:
        """The display window in force in the active pane."""
        return self.pane.window_spec

    @property
    def active(self) -> int:
        """The number of the active pane."""
        return self.grid.active

    @property
    def layout_name(self) -> LayoutName:
        """How the panes are arranged."""
        return self.grid.layout_name

    @property
    def panes_shown(self) -> range:
        """The panes of the layout."""
        return self.grid.shown

    def frame_of(self, pane: int) -> FrameState | None:
        """Return what a pane shows."""
        return self.grid.panes[pane].frame if pane < len(self.grid.panes) else None

    def set_frame(self, frame: FrameState | None, pane: int | None = None) -> None:
        """Show a frame, or nothing, in a pane; the active one if none is named."""
        number = self.active if pane is None else pane
        before = self.grid.panes[number].frame
        if number == self.active and (before is None or frame is None or before.image_id != frame.image_id):
            self.heat_shown = False
        if before is None or frame is None or before.series_key != frame.series_key:
            self._places[number].axis = None
        self.grid.panes[number].set_frame(frame)
        self._places[number].arrive(*(0, 1) if frame is None else (frame.index, frame.count))
        if number == self.active:
            self._follow_pane()

    def set_badge(self, badge: ClassBadge | None, mark: Mark = "", pane: int | None = None) -> None:
        """Show another class and mark for the frame of a pane."""
        self.grid.panes[self.active if pane is None else pane].set_badge(badge, mark)

    def set_crop(self, crop: Crop | None, pane: int) -> None:
        """Show another region that training sees of the frame of a pane."""
        self.grid.panes[pane].set_crop(crop)
        self.changed.emit()

    def set_training_window(self, window: Window | None, pane: int) -> None:
        """Show another window that training was told to use for the frame of a pane."""
        self.grid.panes[pane].set_training_window(window)
        self.changed.emit()

    def set_measures(self, measures: tuple[Measure, ...], pane: int) -> None:
        """Show what is kept with the image of a pane."""
        self.grid.panes[pane].set_measures(measures)
        self.changed.emit()

    def set_overlay(self, heat: NDArray[Any] | None, view: QRectF = WHOLE) -> None:
        """Lay a heat map of values from 0 to 1 over a part of the active frame, or take it away."""
        self.pane.set_overlay(heat, view)
        self.changed.emit()

    def set_tool(self, tool: str) -> None:
        """Give the left button another tool in every pane."""
        self.tool = tool
        for pane in self.grid.panes:
            pane.set_tool(tool)
        self.changed.emit()

    def set_linked(self, linked: bool) -> None:
        """Let the stacks displayed scroll together, or each by itself."""
        self.linked = linked
        self.changed.emit()

    def set_as_model(self, as_model: bool) -> None:
        """Show pictures as training sees them, or as they are."""
        self.as_model = as_model
        self.changed.emit()
        self.model_view_changed.emit()

    def set_texts_shown(self, shown: bool) -> None:
        """Show the texts over the pictures, or hide them."""
        self.texts_shown = shown
        for pane in self.grid.panes:
            pane.corner.set_texts_shown(shown)
        self.changed.emit()

    def ask_heat(self, wanted: bool) -> None:
        """Ask for the heat map, or for its end."""
        self.heat_shown = wanted
        self.heat_requested.emit(wanted)

    def set_layout(self, name: LayoutName) -> None:
        """Arrange the panes another way; those displayed keep their frames, three planes start afresh."""
        if name == self.layout_name:
            return
        self.grid.set_layout(name)
        for number in self.grid.shown:
            self.grid.panes[number].set_tool(self.tool)
        self._follow_pane()
        self.layout_changed.emit(name)

    def scroll_stack(self, pane: int, frames: int) -> None:
        """Step through the stack of a pane, and through those beside it while they are linked."""
        if self._places[pane].count == 1:
            self.step_requested.emit(1 if frames > 0 else -1)
            return
        place = self._places[pane]
        self._ask(pane, place.step(frames))
        for number in self._linked_to(pane):
            self._ask(number, self._places[number].follow(place, frames))

    def set_axis(self, axis: Axis | None, pane: int) -> None:
        """Say where the slices of a pane lie; linked panes come to the place of the active one."""
        self._places[pane].axis = axis
        for number in self._linked_to(self.active):
            if pane in (number, self.active):
                self._ask(number, self._places[number].come_to(self._places[self.active]))
        self.changed.emit()

    def _linked_to(self, pane: int) -> list[int]:
        """Return the other panes that scroll with one."""
        if not self.linked or self.layout_name not in ("2", "4"):
            return []
        return [n for n in self.grid.shown if n != pane and self.grid.panes[n].frame is not None]

    @property
    def link_way(self) -> LinkWay:
        """Whether linked stacks go by their places in the patient or slice by slice."""
        others = [self._places[number] for number in self._linked_to(self.active)]
        return way_linked(self._places[self.active], others)

    @property
    def has_volume(self) -> bool:
        """Whether the stack displayed has three planes."""
        return self._places[self.active].count > 2 or self.layout_name == "mpr"

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.grid.set_focused(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.grid.set_focused(False)

    def _arrange(self) -> None:
        self.column = column = vertical(self, 0)
        column.addWidget(self.grid, 1)
        column.addWidget(self.slices)

    def _connect(self) -> None:
        self.grid.pane_added.connect(self._connect_pane)
        self.grid.activated.connect(self._on_activated)
        self.slices.index_chosen.connect(
            lambda index: self.scroll_stack(self.active, index - self._places[self.active].here)
        )
        self.slices.tick.connect(self._play)

    def _connect_pane(self, number: int) -> None:
        pane = self.grid.panes[number]
        self._places.append(Place())
        pane.pressed.connect(lambda: self.setFocus(Qt.FocusReason.MouseFocusReason))
        pane.scrolled.connect(lambda frames: self.scroll_stack(number, frames))
        pane.pointed.connect(lambda column, row: self.pointed.emit(number, column, row))
        pane.window_changed.connect(lambda window: self._on_window(number, window))
        pane.measures_changed.connect(lambda: self._on_measures(number))
        pane.drag_requested.connect(self._start_drag)
        pane.image_dropped.connect(lambda image_id: self._take_drop(number, image_id))
        pane.corner.set_texts_shown(self.texts_shown)

    def _on_measures(self, number: int) -> None:
        self.changed.emit()
        pane = self.grid.panes[number]
        if pane.frame is not None and not pane.frame.derived:
            self.measured.emit(pane.frame.image_id, pane.hand.measures)

    def _on_window(self, number: int, window: Window) -> None:
        """Give the planes of one volume one window."""
        if self.layout_name == "mpr":
            for other in self.grid.shown:
                if other != number:
                    self.grid.panes[other].adopt_window(window)
        self.window_changed.emit(window)

    def _on_activated(self, number: int) -> None:
        self._follow_pane()
        self.active_changed.emit(number)

    def _follow_pane(self) -> None:
        """Let everything speak of the active pane."""
        place = self._places[self.active]
        self.slices.set_place(place.index, place.count)
        self.pane.set_handle_shown(self.frame is not None and not self.looks_only)
        self.changed.emit()

    def _play(self) -> None:
        place = self._places[self.active]
        wanted = place.play()
        if wanted is not None:
            frames = wanted - place.index
            self._ask(self.active, wanted)
            for number in self._linked_to(self.active):
                self._ask(number, self._places[number].follow(place, frames))

    def _ask(self, pane: int, index: int | None) -> None:
        if index is not None:
            self.slice_requested.emit(pane, index)

    def _take_drop(self, pane: int, image_id: int) -> None:
        self.grid.activate(pane)
        self.image_dropped.emit(pane, image_id)

    def _start_drag(self) -> None:
        if self.frame is not None:
            self.drag_started.emit(self.frame.image_id)
            drag_images(self, (self.frame.image_id,), self.pane.handle.ghost)
