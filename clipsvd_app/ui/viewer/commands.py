"""Every command of the viewer in one table; keys, tool strip and key sheet are made from it. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Literal

Tool = Literal["window", "pan", "zoom", "scroll", "distance", "angle", "region", "ellipse"]
LayoutName = Literal["1", "2", "4", "mpr"]
TOOL_PREFIX, LAYOUT_PREFIX = "tool.", "layout."
PAGE_OF_SLICES = 10
ALL_SLICES = 1_000_000


@dataclass(frozen=True, slots=True)
class ViewerCommand:
    """One command. ``number`` is how far or which way; commands of one ``line`` share it on the key sheet.

    key: as Qt writes it; it belongs to the focused viewer. icon: only commands with one stand on the strip.
    """

    id: str
    key: str
    text: str
    line: str = ""
    icon: str = ""
    number: int = 0

    @property
    def tip(self) -> str:
        """What the tool strip says of it."""
        return f"{self.text} ({shown_key(self.key)})"


COMMANDS: tuple[ViewerCommand, ...] = (
    ViewerCommand("tool.window", "W", "Window: width (horizontal), centre (vertical)", "drag", "window"),
    ViewerCommand("tool.pan", "P", "Pan", "drag", "pan"),
    ViewerCommand("tool.zoom", "Z", "Zoom", "drag", "zoom"),
    ViewerCommand("tool.scroll", "S", "Scroll through slices", "drag", "scroll"),
    ViewerCommand("tool.distance", "D", "Distance", "measure", "measure"),
    ViewerCommand("tool.angle", "A", "Angle: three points", "measure", "angle"),
    ViewerCommand("tool.region", "G", "Region: measure, or restrict training", "measure", "region"),
    ViewerCommand("tool.ellipse", "Shift+G", "Ellipse: measure", "measure", "ellipse"),
    ViewerCommand("clear_measures", "C", "Clear the measurements of this image", "clear"),
    ViewerCommand("clear_newest", "Shift+C", "only the newest", "clear"),
    ViewerCommand("point", "Return", "Set a point; move it with the arrow keys", "point"),
    ViewerCommand("escape", "Esc", "Stop drawing", "point"),
    ViewerCommand("train", "T", "Train on the region", "train"),
    ViewerCommand("train_series", "Shift+T", "on the series", "train"),
    ViewerCommand("train_window", "Ctrl+T", "Train with this window", "train window"),
    ViewerCommand("train_window_series", "Ctrl+Shift+T", "on the series", "train window"),
    ViewerCommand("rotate", "Q", "Rotate 90° clockwise", "turn", "rotate"),
    ViewerCommand("flip", "H", "Flip horizontally", "turn", "flip"),
    ViewerCommand("flip_down", "V", "Flip vertically", "turn", "flip-down"),
    ViewerCommand("invert", "I", "Invert", "picture", "invert"),
    ViewerCommand("fit", "F", "Fit", "picture", "fit"),
    ViewerCommand("actual_size", "O", "One to one", "picture", "actual-size"),
    ViewerCommand("reset", "R", "Reset", "picture"),
    ViewerCommand("zoom_by", "+", "Zoom in", "zoom", number=1),
    ViewerCommand("zoom_by", "-", "Zoom out", "zoom", number=-1),
    ViewerCommand("pan.right", "Shift+Left", "Pan", "pan", number=1),
    ViewerCommand("pan.right", "Shift+Right", "", "pan", number=-1),
    ViewerCommand("pan.down", "Shift+Up", "", "pan", number=1),
    ViewerCommand("pan.down", "Shift+Down", "", "pan", number=-1),
    ViewerCommand("width", "Alt+Left", "Window width", "width", number=-1),
    ViewerCommand("width", "Alt+Right", "", "width", number=1),
    ViewerCommand("centre", "Alt+Up", "Window centre", "centre", number=-1),
    ViewerCommand("centre", "Alt+Down", "", "centre", number=1),
    ViewerCommand("own_window", "Alt+0", "The window of the file", "own window"),
    ViewerCommand("scroll", "Up", "Previous or next slice", "slice", number=-1),
    ViewerCommand("scroll", "Down", "", "slice", number=1),
    ViewerCommand("scroll", "PgUp", "Skip ten slices", "page", number=-PAGE_OF_SLICES),
    ViewerCommand("scroll", "PgDown", "", "page", number=PAGE_OF_SLICES),
    ViewerCommand("scroll", "Home", "First or last slice", "ends", number=-ALL_SLICES),
    ViewerCommand("scroll", "End", "", "ends", number=ALL_SLICES),
    ViewerCommand("step", "Left", "Previous or next image", "image", number=-1),
    ViewerCommand("step", "Right", "", "image", number=1),
    ViewerCommand("study", "Ctrl+Left", "Previous or next study", "study", number=-1),
    ViewerCommand("study", "Ctrl+Right", "", "study", number=1),
    ViewerCommand("play", "Space", "Cine", "cine"),
    ViewerCommand("rate", ",", "Slower", "cine", number=-1),
    ViewerCommand("rate", ".", "Faster", "cine", number=1),
    ViewerCommand("layouts", "Y", "One, two or four images", "layout"),
    ViewerCommand("layout.mpr", "M", "Multiplanar reconstruction", "layout"),
    ViewerCommand("next_pane", "N", "Next pane", "panes"),
    ViewerCommand("enlarge", "E", "Enlarge", "panes"),
    ViewerCommand("link", "L", "Link scrolling", "panes", "link"),
    ViewerCommand("model", "J", "Image as used in training", "show", "eye"),
    ViewerCommand("heat", "K", "Heat map of the newest run", "show"),
    ViewerCommand("texts", "B", "Show or hide text", "show", "texts"),
)

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


def key_lines(commands: tuple[ViewerCommand, ...] = COMMANDS) -> tuple[tuple[str, str], ...]:
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
