"""The viewer: panes with a tool strip and a slice bar; it shows and asks, and changes no data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from clipsvd_app.ui.kit.image_mime import drag_images
from clipsvd_app.ui.viewer.keys import ARROWS, key_command
from clipsvd_app.ui.viewer.obeying import OF_PROJECT, WITHOUT_FRAME, Obeying
from clipsvd_app.ui.viewer.pane.canvas import WHOLE
from clipsvd_app.ui.viewer.pane.grid import PaneGrid
from clipsvd_app.ui.viewer.places import Place, way_linked
from clipsvd_app.ui.viewer.slice_bar import SliceBar
from clipsvd_app.ui.viewer.tool_bar import ViewerBar

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtGui import QFocusEvent, QKeyEvent, QPixmap

    from clipsvd_app.domain.measures import Measure
    from clipsvd_app.domain.study import Mark
    from clipsvd_app.domain.view import Crop, Window
    from clipsvd_app.imaging.series.placing import Axis
    from clipsvd_app.ui.look.theme import Theme
    from clipsvd_app.ui.viewer.commands import LayoutName
    from clipsvd_app.ui.viewer.pane.pane import Pane
    from clipsvd_app.ui.viewer.state import ClassBadge, FrameState


class ImageViewer(QWidget):
    """Shows a :class:`FrameState` in each pane; keys and the slice bar belong to the active one.

    ``looks_only``: for images of no project, which nothing is trained on or compared with.

    Signals: ``window_changed(Window)`` by the user's hand, ``inverted_changed(bool)``,
    ``slice_requested(pane, place in its stack)``, ``step_requested(int)`` previous or next image,
    ``study_requested(int)`` previous or next study, ``drag_started(int)`` image id, ``layout_changed(str)``,
    ``active_changed(int)``, ``image_dropped(pane, image id)``, ``pointed(pane, column, row)``,
    ``region_chosen(image id, Region or None for the whole frame, bool for the whole series)``,
    ``training_window_chosen(image id, Window or None for the file's own, bool for the whole series)``,
    ``measured(image id, tuple of measures)`` when those of an image are others by the user's hand,
    ``heat_requested(bool)``, ``model_view_changed()`` when pictures shall be as training sees them or not.
    """

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
        self._looks_only = looks_only
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.linked = True
        self.texts_shown = True
        self.heat_shown = False
        self.as_model = False
        self.tool = "window"
        self._places: list[Place] = []
        self.bar = ViewerBar(theme)
        if looks_only:
            self.bar.look_only()
        self.slices = SliceBar(theme)
        self.grid = PaneGrid(theme)
        self._obeying = Obeying(self)
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

    def frame_window(self, pane: int) -> Window | None:
        """Return the display window in force in a pane."""
        return self.grid.panes[pane].window_spec

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

    def set_cross(self, image_id: int, cross: tuple[float, float] | None, pane: int) -> None:
        """Let the other planes of a volume cut the picture of a pane elsewhere."""
        self.grid.panes[pane].set_cross(image_id, cross)

    def set_crop(self, crop: Crop | None, pane: int) -> None:
        """Show another region that training sees of the frame of a pane."""
        self.grid.panes[pane].set_crop(crop)
        self._show_region()

    def set_training_window(self, window: Window | None, pane: int) -> None:
        """Show another window that training was told to use for the frame of a pane."""
        self.grid.panes[pane].set_training_window(window)
        self._show_presets()

    def set_measures(self, measures: tuple[Measure, ...], pane: int) -> None:
        """Show what is kept with the image of a pane."""
        self.grid.panes[pane].set_measures(measures)
        self._show_region()

    def give_region(self) -> None:
        """Take away the region drawn in the active pane, because training is given it."""
        self.pane.hand.give_region()
        self._show_region()

    def forget_measures(self) -> None:
        """Drop everything that was drawn, because other images or another reader came."""
        self.grid.forget_measures()

    def set_overlay(self, heat: NDArray[Any] | None, view: QRectF = WHOLE) -> None:
        """Lay a heat map of values from 0 to 1 over a part of the active frame, or take it away."""
        self.pane.set_overlay(heat, view)
        self.bar.set_heat_shown(heat is not None)

    def set_thumbnail(self, picture: QPixmap) -> None:
        """Set what hangs under the pointer while the active image is dragged."""
        self.pane.handle.set_ghost(picture)

    def set_layout(self, name: LayoutName) -> None:
        """Arrange the panes another way; those on show keep their frames, three planes start afresh."""
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
        self.show_link()

    def _linked_to(self, pane: int) -> list[int]:
        """Return the other panes that scroll with one."""
        if not self.linked or self.layout_name not in ("2", "4"):
            return []
        return [n for n in self.grid.shown if n != pane and self.grid.panes[n].frame is not None]

    def show_link(self) -> None:
        """Say whether linked stacks go by their places in the patient or slice by slice."""
        others = [self._places[number] for number in self._linked_to(self.active)]
        self.bar.set_link(way_linked(self._places[self.active], others))

    def fit(self) -> None:
        """Show the whole frame."""
        self.pane.fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.take_key(event):
            super().keyPressEvent(event)

    def take_key(self, event: QKeyEvent) -> bool:
        """Obey a key, wherever on the page it was pressed; returns whether it means anything here."""
        shift = event.modifiers() == Qt.KeyboardModifier.ShiftModifier
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if self.pane.hand.drawing is not None and event.key() in ARROWS and (plain or shift):
            across, down = ARROWS[event.key()]
            self.pane.hand.step(across * (10 if shift else 1), down * (10 if shift else 1))
            return True
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.pane.hand.delete_selected():
            return True
        command = key_command(event)
        idle = self.frame is None and command is not None and command.kind not in WITHOUT_FRAME
        if command is None or (self._looks_only and self._is_idle_here(command.kind)):
            return False
        return not idle and self._obeying.obey(command)

    def _is_idle_here(self, command: str) -> bool:
        """Say whether a command means nothing to images of no project; Escape then leaves the window."""
        hand = self.pane.hand
        busy = self.tool != "window" or hand.drawing is not None or hand.selected is not None
        return command in OF_PROJECT or (command == "escape" and not busy)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.grid.set_focused(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.grid.set_focused(False)

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.grid, 1)
        column.addWidget(self.slices)

    def _connect(self) -> None:
        self.grid.pane_added.connect(self._connect_pane)
        self.grid.activated.connect(self._on_activated)
        self.bar.command.connect(self._obeying.command)
        self.bar.preset_chosen.connect(self._obeying.choose_preset)
        self.bar.measure_chosen.connect(self._mark_measure)
        self.bar.opacity_changed.connect(self.grid.set_opacity)
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
        self._show_region()
        pane = self.grid.panes[number]
        if pane.frame is not None and not pane.frame.derived:
            self.measured.emit(pane.frame.image_id, pane.hand.measures)

    def _mark_measure(self, index: int) -> None:
        self.pane.hand.select(index)
        self.setFocus()  # so that Delete takes it away

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
        """Let strip and slice bar speak of the active pane."""
        frame, place = self.frame, self._places[self.active]
        self.bar.setEnabled(frame is not None or len(self.panes_shown) > 1)
        self._show_presets()
        self.bar.set_heat_shown(self.pane.canvas.heat_shown)
        self.bar.set_layout_name(self.layout_name, volume=place.count > 2 or self.layout_name == "mpr")
        self.bar.set_latched("link", self.linked)
        self.show_link()
        self.slices.set_place(place.index, place.count)
        self.pane.set_handle_shown(frame is not None and not self._looks_only)
        self._show_region()

    def _show_presets(self) -> None:
        frame = self.frame
        presets = () if frame is None else frame.presets
        windowed = frame is not None and frame.file_window is not None
        trained = frame is not None and frame.training_window is not None
        self.bar.set_presets(presets, windowed=windowed or bool(presets), trained=trained)

    def _show_region(self) -> None:
        frame = self.frame
        self.bar.set_measures(() if frame is None else tuple(s.lines for s in self.pane.corner.state.shapes))
        stored = frame is not None and frame.crop is not None
        trainable = frame is not None and not frame.derived and not self._looks_only
        drawn = trainable and self.pane.region is not None
        self.bar.set_region(drawn=drawn, stored=stored)

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
