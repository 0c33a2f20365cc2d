"""Every command of the window in one table; menus, tool buttons and the key sheet are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clipsvd_app.ui.viewer.commands import key_sections

Menu = Literal["File", "Edit", "View", "Help"]


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One command. ``hint`` names a key that a focused widget handles itself; ``rule`` draws a line above."""

    id: str
    text: str
    menu: Menu
    shortcut: str = ""
    icon: str = ""
    hint: str = ""
    rule: bool = False


@dataclass(frozen=True, slots=True)
class KeyHelp:
    """A line of the key sheet that belongs to no menu."""

    keys: str
    text: str


PAGE_PREFIX = "page."

ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec("file.new", "New project…", "File", "Ctrl+N", "plus"),
    ActionSpec("file.open", "Open project…", "File", "Ctrl+O", "open"),
    ActionSpec("file.add_studies", "Add studies…", "File", "Ctrl+Shift+A", "plus", rule=True),
    ActionSpec("file.add_folder", "Add folder…", "File", "Ctrl+Shift+F", "folder"),
    ActionSpec("file.import_labels", "Import labels…", "File", icon="table", rule=True),
    ActionSpec("file.export_labels", "Export labels…", "File"),
    ActionSpec("file.relink", "Find moved images…", "File", icon="search", rule=True),
    ActionSpec("file.collect", "Copy images beside the project", "File"),
    ActionSpec("file.open_adapter", "Open adapter…", "File", "Ctrl+Shift+O", rule=True),
    ActionSpec("file.report", "Report on a run…", "File", "Ctrl+Shift+P", "report"),
    ActionSpec("file.close", "Close window", "File", "Ctrl+W", rule=True),
    ActionSpec("edit.undo", "Undo", "Edit", "Ctrl+Z", "undo"),
    ActionSpec("edit.redo", "Redo", "Edit", "Ctrl+Shift+Z", "redo"),
    ActionSpec("edit.clear_label", "Clear label", "Edit", icon="trash", hint="Delete", rule=True),
    ActionSpec("edit.uncertain", "Mark as uncertain", "Edit", hint="U"),
    ActionSpec("edit.exclude", "Exclude", "Edit", hint="X"),
    ActionSpec("image.similar", "Sort by similarity", "Edit", rule=True),
    ActionSpec("image.show_in_folder", "Show in folder", "Edit", icon="folder"),
    ActionSpec("image.change_patient", "Change patient…", "Edit", icon="patient"),
    ActionSpec("image.remove", "Remove from project", "Edit"),
    ActionSpec("image.menu", "Image menu", "Edit", "Shift+F10"),
    ActionSpec("edit.add_class", "Add class…", "Edit", "Ctrl+Shift+N", "plus", rule=True),
    ActionSpec("edit.find", "Find by words", "Edit", "Ctrl+F", "search", rule=True),
    ActionSpec("edit.new_suggestions", "Update sort order", "Edit", "Ctrl+Shift+S"),
    ActionSpec("edit.second_reader", "Second reader…", "Edit", "Ctrl+Shift+R", "eye", rule=True),
    ActionSpec("edit.compare_readers", "Compare readers", "Edit", "Ctrl+Shift+K"),
    ActionSpec("page.label", "Label", "View", "Ctrl+1"),
    ActionSpec("page.train", "Train", "View", "Ctrl+2"),
    ActionSpec("page.inspect", "Inspect", "View", "Ctrl+3"),
    ActionSpec("page.explain", "Explain", "View", "Ctrl+4"),
    ActionSpec("page.export", "Export", "View", "Ctrl+5"),
    ActionSpec("page.settings", "Settings", "View", "Ctrl+,"),
    ActionSpec("view.next_panel", "Next panel", "View", "F6", rule=True),
    ActionSpec("view.previous_panel", "Previous panel", "View", "Shift+F6"),
    ActionSpec("view.theme", "Switch theme", "View", "Ctrl+Shift+D", "theme", rule=True),
    ActionSpec("view.header", "Header of the image", "View", "Ctrl+I", "table"),
    ActionSpec("view.viewer_only", "Viewer only", "View", "F10", "image"),
    ActionSpec("view.file_names", "Show file names", "View", "Ctrl+Shift+E"),
    ActionSpec("view.full_screen", "Full screen", "View", "F11"),
    ActionSpec("help.keys", "Keyboard", "Help", "F1", "help"),
    ActionSpec("help.about", "About CLIP-SVD Studio", "Help"),
)

MESSAGE_KEYS: tuple[KeyHelp, ...] = (KeyHelp("Esc", "Dismiss the newest message"),)
INSPECT_KEYS: tuple[KeyHelp, ...] = (
    KeyHelp("Arrow keys, Enter", "Confusion matrix and map: move, open"),
    KeyHelp("1 … 9", "Label the open case"),
    KeyHelp("R · K", "Likely mistake: relabel · keep its label"),
    KeyHelp("Ctrl+S", "Save the focused figure, or its numbers"),
)
APPLY_KEYS: tuple[KeyHelp, ...] = (KeyHelp("Enter", "Predictions: open the image"),)
MOUSE_KEYS: tuple[KeyHelp, ...] = (
    KeyHelp("Left drag", "Selected tool"),
    KeyHelp("Right drag", "Window: width (horizontal), centre (vertical)"),
    KeyHelp("Middle drag", "Pan"),
    KeyHelp("Wheel", "Previous or next slice or image"),
    KeyHelp("Ctrl + wheel", "Zoom"),
    KeyHelp("Double click", "Fit"),
    KeyHelp("Shift + drag", "Move the other planes"),
    KeyHelp("Alt + 1 … 9", "Window preset"),
)
VIEWER_KEYS: tuple[tuple[str, tuple[KeyHelp, ...]], ...] = tuple(
    (title, tuple(KeyHelp(keys, text) for keys, text in lines)) for title, lines in key_sections()
)

LABEL_KEYS: tuple[KeyHelp, ...] = (
    KeyHelp("1 … 9", "Label the selected images, then show the next suggestion"),
    KeyHelp("Shift + 1 … 9", "Label without moving on"),
    KeyHelp("0, Delete", "Clear the label"),
    KeyHelp("U · X", "Uncertain · exclude"),
    KeyHelp("Alt + drag", "Drag the displayed image onto a class"),
    KeyHelp("Enter", "Show the selected image; open or close a series"),
    KeyHelp("Menu · Shift + F10", "Image menu"),
    KeyHelp("Ctrl + wheel, + or −", "Size of the thumbnails"),
    KeyHelp("? · × · ≈ · P", "Signs: uncertain, excluded, look-alike, same patient"),
    KeyHelp("F2 · Del", "Rename · remove a class"),
    KeyHelp("Alt + ↑ ↓", "Move a class"),
)
