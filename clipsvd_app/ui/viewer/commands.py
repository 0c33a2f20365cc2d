"""Every command of the viewer in one table: keys, tool strip and key sheet are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipsvd_app.ui.viewer.image_view import ImageView
    from clipsvd_app.ui.viewer.state import LayoutName

    Act = Callable[[ImageView], object]

TOOL_PREFIX, LAYOUT_PREFIX, PRESET_PREFIX = "tool.", "layout.", "preset."
PAGE_OF_SLICES = 10
ALL_SLICES = 1_000_000
ZOOM_A_STEP = 1.25
PAN_STEP_PX = 40.0
WINDOW_STEP_PX = 20.0
PRESETS_WITH_KEY = 9
WITHOUT_FRAME = frozenset({"layouts", "next_pane", "enlarge", "escape", "link", "texts", "step"})
"""What has a meaning for an empty pane."""
OF_PROJECT = frozenset(
    {
        *("layouts", "layout.mpr", "next_pane", "enlarge", "link", "study", "heat", "model"),
        *("train", "train_series", "train_window", "train_window_series", "forget_window"),
    }
)
"""What has a meaning for images of a project only."""
NEXT_LAYOUT: dict[LayoutName, LayoutName] = {"1": "2", "2": "4", "4": "1", "mpr": "1"}


@dataclass(frozen=True, slots=True)
class Command:
    """One command and what it does with the active pane; those of one ``line`` share it on the key sheet.

    key: as Qt writes it; it belongs to the focused viewer. icon: only commands with one stand on the strip.
    """

    id: str
    key: str
    text: str
    act: Act
    line: str = ""
    icon: str = ""

    @property
    def tip(self) -> str:
        """What the tool strip says of it."""
        return f"{self.text} ({shown_key(self.key)})"


def _point(view: ImageView) -> None:
    if view.pane.hand.kind is not None:
        view.pane.hand.key_point()


def _escape(view: ImageView) -> None:
    """Drop the measure under way, else leave what was enlarged, else take up the window again."""
    if view.pane.hand.cancel():
        return
    if view.grid.enlarged:
        view.grid.enlarge()
    else:
        view.set_tool("window")


def _train(view: ImageView, *, series: bool = False) -> None:
    """Ask to train on the region drawn; without one, on the whole image again."""
    frame, region = view.frame, view.pane.region
    if frame is None or frame.derived or (region is None and frame.crop is None and not series):
        return
    view.pane.hand.give_region()
    view.changed.emit()
    view.region_chosen.emit(frame.image_id, region, series)


def _train_series(view: ImageView) -> None:
    _train(view, series=True)


def _train_window(view: ImageView, *, series: bool = False) -> None:
    """Ask to train with the window in force; the file's own is asked for as none."""
    frame, window = view.frame, view.window_spec
    if frame is not None and window is not None and not frame.is_colour:
        chosen = None if window == frame.file_window else window
        view.training_window_chosen.emit(frame.image_id, chosen, series)


def _train_window_series(view: ImageView) -> None:
    _train_window(view, series=True)


def _own_window(view: ImageView) -> None:
    if view.frame is not None and view.frame.file_window is not None:
        view.pane.set_window(view.frame.file_window)


def _forget_window(view: ImageView) -> None:
    """Go back to the file's window, and let training use it too."""
    _own_window(view)
    _train_window(view, series=False)


def _preset(position: int) -> Act:
    def choose(view: ImageView) -> None:
        if view.frame is not None and position < len(view.frame.presets):
            view.pane.set_window(view.frame.window_of(view.frame.presets[position]))

    return choose


def _layout(name: LayoutName) -> Act:
    """Arrange the panes; a layout chosen again gives way to a single image."""
    return lambda view: view.set_layout("1" if name == view.layout_name else name)


def _next_layout(view: ImageView) -> None:
    view.set_layout(NEXT_LAYOUT[view.layout_name])


def _next_pane(view: ImageView) -> None:
    view.grid.activate((view.active + 1) % len(view.panes_shown))


def _tool(name: str) -> Act:
    return lambda view: view.set_tool(name)


def _scroll(frames: int) -> Act:
    return lambda view: view.scroll_stack(view.active, frames)


def _pan(right: int, down: int) -> Act:
    step = QPointF(PAN_STEP_PX * right, PAN_STEP_PX * down)
    return lambda view: view.pane.canvas.pan(QPointF(0.0, 0.0), step)


def _window(wider: int, higher: int) -> Act:
    return lambda view: view.pane.drag_window(WINDOW_STEP_PX * wider, WINDOW_STEP_PX * higher)


def _invert(view: ImageView) -> None:
    view.pane.set_inverted(not view.pane.inverted)
    view.inverted_changed.emit(view.pane.inverted)


COMMANDS: tuple[Command, ...] = (
    Command(
        "tool.window", "W", "Window: width (horizontal), centre (vertical)", _tool("window"), "drag", "window"
    ),
    Command("tool.pan", "P", "Pan", _tool("pan"), "drag", "pan"),
    Command("tool.zoom", "Z", "Zoom", _tool("zoom"), "drag", "zoom"),
    Command("tool.scroll", "S", "Scroll through slices", _tool("scroll"), "drag", "scroll"),
    Command("tool.distance", "D", "Distance", _tool("distance"), "measure", "measure"),
    Command("tool.angle", "A", "Angle: three points", _tool("angle"), "measure", "angle"),
    Command(
        "tool.region", "G", "Region: measure, or restrict training", _tool("region"), "measure", "region"
    ),
    Command("tool.ellipse", "Shift+G", "Ellipse: measure", _tool("ellipse"), "measure", "ellipse"),
    Command(
        "clear_measures", "C", "Clear the measurements of this image", lambda v: v.pane.hand.clear(), "clear"
    ),
    Command(
        "clear_newest", "Shift+C", "only the newest", lambda v: v.pane.hand.clear(only_newest=True), "clear"
    ),
    Command("point", "Return", "Set a point; move it with the arrow keys", _point, "point"),
    Command("escape", "Esc", "Stop drawing", _escape, "point"),
    Command("train", "T", "Train on the region", _train, "train"),
    Command("train_series", "Shift+T", "on the series", _train_series, "train"),
    Command("train_window", "Ctrl+T", "Train with this window", _train_window, "train window"),
    Command("train_window_series", "Ctrl+Shift+T", "on the series", _train_window_series, "train window"),
    Command("rotate", "Q", "Rotate 90° clockwise", lambda v: v.pane.canvas.rotate(), "turn", "rotate"),
    Command("flip", "H", "Flip horizontally", lambda v: v.pane.canvas.flip(), "turn", "flip"),
    Command(
        "flip_down", "V", "Flip vertically", lambda v: v.pane.canvas.flip(down=True), "turn", "flip-down"
    ),
    Command("invert", "I", "Invert", _invert, "picture", "invert"),
    Command("fit", "F", "Fit", lambda v: v.pane.fit(), "picture", "fit"),
    Command(
        "actual_size", "O", "One to one", lambda v: v.pane.canvas.actual_size(), "picture", "actual-size"
    ),
    Command("reset", "R", "Reset", lambda v: v.pane.reset(), "picture"),
    Command("zoom_by", "+", "Zoom in", lambda v: v.pane.canvas.zoom(ZOOM_A_STEP), "zoom"),
    Command("zoom_by", "-", "Zoom out", lambda v: v.pane.canvas.zoom(1 / ZOOM_A_STEP), "zoom"),
    Command("pan.right", "Shift+Left", "Pan", _pan(1, 0), "pan"),
    Command("pan.right", "Shift+Right", "", _pan(-1, 0), "pan"),
    Command("pan.down", "Shift+Up", "", _pan(0, 1), "pan"),
    Command("pan.down", "Shift+Down", "", _pan(0, -1), "pan"),
    Command("width", "Alt+Left", "Window width", _window(-1, 0), "width"),
    Command("width", "Alt+Right", "", _window(1, 0), "width"),
    Command("centre", "Alt+Up", "Window centre", _window(0, -1), "centre"),
    Command("centre", "Alt+Down", "", _window(0, 1), "centre"),
    Command("own_window", "Alt+0", "The window of the file", _own_window, "own window"),
    Command("scroll", "Up", "Previous or next slice", _scroll(-1), "slice"),
    Command("scroll", "Down", "", _scroll(1), "slice"),
    Command("scroll", "PgUp", "Skip ten slices", _scroll(-PAGE_OF_SLICES), "page"),
    Command("scroll", "PgDown", "", _scroll(PAGE_OF_SLICES), "page"),
    Command("scroll", "Home", "First or last slice", _scroll(-ALL_SLICES), "ends"),
    Command("scroll", "End", "", _scroll(ALL_SLICES), "ends"),
    Command("step", "Left", "Previous or next image", lambda v: v.step_requested.emit(-1), "image"),
    Command("step", "Right", "", lambda v: v.step_requested.emit(1), "image"),
    Command("study", "Ctrl+Left", "Previous or next study", lambda v: v.study_requested.emit(-1), "study"),
    Command("study", "Ctrl+Right", "", lambda v: v.study_requested.emit(1), "study"),
    Command("play", "Space", "Cine", lambda v: v.slices.toggle_play(), "cine"),
    Command("rate", ",", "Slower", lambda v: v.slices.change_rate(-1), "cine"),
    Command("rate", ".", "Faster", lambda v: v.slices.change_rate(1), "cine"),
    Command("layouts", "Y", "One, two or four images", _next_layout, "layout"),
    Command("layout.mpr", "M", "Multiplanar reconstruction", _layout("mpr"), "layout"),
    Command("next_pane", "N", "Next pane", _next_pane, "panes"),
    Command("enlarge", "E", "Enlarge", lambda v: v.grid.enlarge(), "panes"),
    Command("link", "L", "Link scrolling", lambda v: v.set_linked(not v.linked), "panes", "link"),
    Command(
        "model", "J", "Image as used in training", lambda v: v.set_as_model(not v.as_model), "show", "eye"
    ),
    Command("heat", "K", "Heat map of the newest run", lambda v: v.ask_heat(not v.heat_shown), "show"),
    Command(
        "texts", "B", "Show or hide text", lambda v: v.set_texts_shown(not v.texts_shown), "show", "texts"
    ),
)
# What menus offer and the key sheet leaves out.
MENU_COMMANDS: tuple[Command, ...] = (
    Command("delete_marked", "", "", lambda v: v.pane.hand.delete_selected()),
    Command("forget_window", "", "", _forget_window),
    Command("layout.1", "", "", _layout("1")),
    Command("layout.2", "", "", _layout("2")),
    Command("layout.4", "", "", _layout("4")),
    *(Command(f"{PRESET_PREFIX}{n}", f"Alt+{n + 1}", "", _preset(n)) for n in range(PRESETS_WITH_KEY)),
)
BY_ID = {command.id: command for command in (*COMMANDS, *MENU_COMMANDS)}


# What the key sheet writes above a line, and those that follow it.
SECTIONS = {
    "drag": "Viewer: tools",
    "train": "Viewer: training",
    "turn": "Viewer: image and window",
    "slice": "Viewer: stack",
    "layout": "Viewer: layout",
}
_ARROWS = {"Left": "←", "Right": "→", "Up": "↑", "Down": "↓", "Return": "Enter", "PgDown": "PgDn"}


def shown_key(key: str) -> str:
    """Return a key as the sheet and the tooltips write it."""
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    return " + ".join((*modifiers, _ARROWS.get(last, last)))


def key_lines(commands: tuple[Command, ...] = COMMANDS) -> tuple[tuple[str, str], ...]:
    """Return (keys, text) of each line of the key sheet."""
    lines = []
    for _line, group in groupby(commands, lambda command: command.line):
        members = list(group)
        texts = " · ".join(member.text.split(":")[0] for member in members if member.text)
        lines.append((_joined_keys([member.key for member in members]), texts))
    return tuple(lines)


def key_sections() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Return the lines of the key sheet under their titles."""
    starts = [place for place, command in enumerate(COMMANDS) if command.line in SECTIONS]
    firsts = [place for place in starts if not place or COMMANDS[place - 1].line != COMMANDS[place].line]
    parts = zip(firsts, (*firsts[1:], len(COMMANDS)), strict=True)
    return tuple((SECTIONS[COMMANDS[first].line], key_lines(COMMANDS[first:end])) for first, end in parts)


def _joined_keys(keys: list[str]) -> str:
    """Name a shared modifier once: Shift + ← → ↑ ↓."""
    parts = [shown_key(key) for key in keys]
    held = {part.rpartition(" + ")[0] for part in parts}
    if len(held) == 1 and (modifier := held.pop()):
        return f"{modifier} + " + " ".join(part.rpartition(" + ")[2] for part in parts)
    return " · ".join(parts)
