"""What each command of the viewer does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF

from clipsvd_app.ui.viewer.commands import LAYOUT_PREFIX, TOOL_PREFIX, LayoutName
from clipsvd_app.ui.viewer.keys import KeyCommand

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipsvd_app.ui.viewer.viewer import ImageViewer

ZOOM_A_STEP = 1.25
PAN_STEP_PX = 40.0
WINDOW_STEP_PX = 20.0
WITHOUT_FRAME = frozenset({"layouts", "next_pane", "enlarge", "escape", "link", "texts", "step"})
OF_PROJECT = frozenset(
    {
        *("layouts", "layout.mpr", "next_pane", "enlarge", "link", "study", "heat", "model"),
        *("train", "train_series", "train_window", "train_window_series", "forget_window"),
    }
)
"""What has a meaning for images of a project alone."""
NEXT_LAYOUT: dict[LayoutName, LayoutName] = {"1": "2", "2": "4", "4": "1", "mpr": "1"}


class Obeying(QObject):
    """Carries out commands of the table on the active pane."""

    def __init__(self, viewer: ImageViewer) -> None:
        super().__init__(viewer)
        self._viewer = viewer
        self._plain: dict[str, Callable[[], object]] = {
            "clear_measures": lambda: viewer.pane.hand.clear(),
            "clear_newest": lambda: viewer.pane.hand.clear(only_newest=True),
            "delete_marked": lambda: viewer.pane.hand.delete_selected(),
            "own_window": self._own_window,
            "forget_window": self._forget_window,
            "train_window": lambda: self._train_window(series=False),
            "train_window_series": lambda: self._train_window(series=True),
            "point": self._point,
            "escape": self._escape,
            "train": lambda: self._train(series=False),
            "train_series": lambda: self._train(series=True),
            "invert": self._invert,
            "rotate": lambda: viewer.pane.canvas.rotate(),
            "flip": lambda: viewer.pane.canvas.flip(),
            "flip_down": lambda: viewer.pane.canvas.flip(down=True),
            "fit": lambda: viewer.pane.fit(),
            "actual_size": lambda: viewer.pane.canvas.actual_size(),
            "reset": lambda: viewer.pane.reset(),
            "play": viewer.slices.toggle_play,
            "layouts": lambda: viewer.set_layout(NEXT_LAYOUT[viewer.layout_name]),
            "next_pane": self._next_pane,
            "enlarge": viewer.grid.enlarge,
            "link": self._link,
            "heat": self._heat,
            "model": self._model,
            "texts": self._texts,
        }
        self._numbered: dict[str, Callable[[int], object]] = {
            "preset": self.choose_preset,
            "scroll": lambda frames: viewer.scroll_stack(viewer.active, frames),
            "step": viewer.step_requested.emit,
            "study": viewer.study_requested.emit,
            "rate": viewer.slices.change_rate,
            "zoom_by": lambda way: viewer.pane.canvas.zoom(ZOOM_A_STEP**way),
            "pan.right": lambda way: self._pan(PAN_STEP_PX * way, 0.0),
            "pan.down": lambda way: self._pan(0.0, PAN_STEP_PX * way),
            "width": lambda way: viewer.pane.drag_window(WINDOW_STEP_PX * way, 0.0),
            "centre": lambda way: viewer.pane.drag_window(0.0, WINDOW_STEP_PX * way),
        }

    def command(self, name: str) -> None:
        """Carry out a command of the tool strip."""
        self.obey(KeyCommand(name))

    def obey(self, command: KeyCommand) -> bool:
        """Carry out a command; returns False for one that is not known here."""
        name = command.kind
        if name.startswith(TOOL_PREFIX):
            self._choose_tool(name.removeprefix(TOOL_PREFIX))
        elif name.startswith(LAYOUT_PREFIX):
            self._choose_layout(name.removeprefix(LAYOUT_PREFIX))
        elif name in self._plain:
            self._plain[name]()
        elif name in self._numbered:
            self._numbered[name](command.number)
        else:
            return False
        self._viewer.pane.refresh()
        return True

    def choose_preset(self, position: int) -> None:
        """Use a window of the image's list."""
        frame = self._viewer.frame
        if frame is not None and position < len(frame.presets):
            self._viewer.pane.set_window(frame.window_of(frame.presets[position]))

    def _own_window(self) -> None:
        frame = self._viewer.frame
        if frame is not None and frame.file_window is not None:
            self._viewer.pane.set_window(frame.file_window)

    def _forget_window(self) -> None:
        """Go back to the file's window, and let training use it too."""
        self._own_window()
        self._train_window(series=False)

    def _choose_tool(self, tool: str) -> None:
        self._viewer.tool = tool
        for pane in self._viewer.grid.panes:
            pane.set_tool(tool)
        self._viewer.bar.set_tool(tool)

    def _choose_layout(self, name: str) -> None:
        """Arrange the panes; a layout chosen again gives way to a single image."""
        wanted: LayoutName = "1" if name == self._viewer.layout_name else name  # type: ignore[assignment]
        self._viewer.set_layout(wanted)

    def _point(self) -> None:
        if self._viewer.pane.hand.kind is not None:
            self._viewer.pane.hand.key_point()

    def _escape(self) -> None:
        """Drop the measure under way, else leave what was enlarged, else take up the window again."""
        if self._viewer.pane.hand.cancel():
            return
        if self._viewer.grid.enlarged:
            self._viewer.grid.enlarge()
        else:
            self._choose_tool("window")

    def _train(self, *, series: bool) -> None:
        """Ask to train on the region drawn; without one, on the whole image again."""
        frame = self._viewer.frame
        if frame is None or frame.derived:
            return
        region = self._viewer.pane.region
        if region is not None or frame.crop is not None or series:
            self._viewer.give_region()
            self._viewer.region_chosen.emit(frame.image_id, region, series)

    def _train_window(self, *, series: bool) -> None:
        """Ask to train with the window in force; the file's own is asked for as none."""
        frame, window = self._viewer.frame, self._viewer.window_spec
        if frame is not None and window is not None and not frame.is_colour:
            chosen = None if window == frame.file_window else window
            self._viewer.training_window_chosen.emit(frame.image_id, chosen, series)

    def _invert(self) -> None:
        pane = self._viewer.pane
        pane.set_inverted(not pane.inverted)
        self._viewer.inverted_changed.emit(pane.inverted)

    def _pan(self, right_px: float, down_px: float) -> None:
        self._viewer.pane.canvas.pan(QPointF(0.0, 0.0), QPointF(right_px, down_px))

    def _next_pane(self) -> None:
        shown = self._viewer.grid.shown
        self._viewer.grid.activate((self._viewer.active + 1) % len(shown))

    def _link(self) -> None:
        self._viewer.linked = not self._viewer.linked
        self._viewer.bar.set_latched("link", self._viewer.linked)
        self._viewer.show_link()

    def _heat(self) -> None:
        self._viewer.heat_shown = not self._viewer.heat_shown
        self._viewer.heat_requested.emit(self._viewer.heat_shown)

    def _model(self) -> None:
        self._viewer.as_model = not self._viewer.as_model
        self._viewer.bar.set_latched("model", self._viewer.as_model)
        self._viewer.model_view_changed.emit()

    def _texts(self) -> None:
        self._viewer.texts_shown = not self._viewer.texts_shown
        for pane in self._viewer.grid.panes:
            pane.corner.set_texts_shown(self._viewer.texts_shown)
        self._viewer.bar.set_latched("texts", self._viewer.texts_shown)
