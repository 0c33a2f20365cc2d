"""Above the picture: tools, presets, orientation, layouts; what only sometimes applies shows only then."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QLabel,
    QMenu,
    QSizePolicy,
    QSlider,
    QToolButton,
    QWidget,
)

from clipsvd_app.ui.kit.layouts import horizontal
from clipsvd_app.ui.look import icons
from clipsvd_app.ui.look.plain_text import literal
from clipsvd_app.ui.look.theme import set_kind
from clipsvd_app.ui.viewer.commands import COMMANDS, LAYOUT_PREFIX, TOOL_PREFIX, Command, shown_key
from clipsvd_app.ui.viewer.pane.pane import USUAL_OPACITY
from clipsvd_app.ui.viewer.preset_button import PresetButton

if TYPE_CHECKING:
    from PySide6.QtGui import QAction, QResizeEvent

    from clipsvd_app.ui.look.theme import Palette, Theme
    from clipsvd_app.ui.viewer.places import LinkWay
    from clipsvd_app.ui.viewer.state import Lines, WindowPreset

LAYOUTS = (
    ("1", "layout-1", "One image", ""),
    ("2", "layout-2", "Two side by side", ""),
    ("4", "layout-4", "Four", ""),
    ("mpr", "layout", "Multiplanar reconstruction", "M"),
)
DROPPED_FIRST = (
    "texts",
    "actual_size",
    "fit",
    "turn",
    "invert",
    "tool.scroll",
    "tool.zoom",
    "tool.ellipse",
    "tool.angle",
    "model",
    "tool.pan",
    "tool.region",
    "tool.distance",
)
LATCHED = ("link", "texts", "model")
FULL_OPACITY = 100
LINK_WORDS: dict[LinkWay, str] = {
    "": "",
    "mm": "Linked by position (mm)",
    "slices": "Linked slice by slice",
    "both": "Linked by position where known",
}


class ViewerBar(QFrame):
    """Tools and what they offer.

    Signals: ``command(str)`` the id of a command, ``opacity_changed(float)``, ``measure_chosen(int)`` by
    its place.
    """

    command = Signal(str)
    opacity_changed = Signal(float)
    measure_chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("viewer_bar")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._theme = theme
        self._buttons: dict[str, tuple[QToolButton, str]] = {}
        self._measures: tuple[Lines, ...] = ()
        self._row = horizontal(self, 1, margins=(8, 4, 8, 4))
        self._add_tools()
        self._add_measures()
        self._add_presets()
        self._add_region()
        self._row.addStretch(1)
        self._add_opacity()
        self._add_commands()
        self._add_layouts()
        self._add_more()
        theme.changed.connect(self._tint)
        self._tint(theme.palette)

    def set_presets(self, presets: tuple[WindowPreset, ...], *, windowed: bool, trained: bool) -> None:
        """Offer the windows of the shown image."""
        self._presets.set_presets(presets, windowed=windowed, trained=trained)

    def look_only(self) -> None:
        """Leave out what only images of a project have a use for."""
        for name in ("layout", "model"):
            self._button(name).hide()
        self._presets.offer_training(False)

    def set_heat_shown(self, shown: bool) -> None:
        """Offer the heat map's strength only while there is one."""
        if shown == self._opacity.isHidden():
            self._opacity_label.setVisible(shown)
            self._opacity.setVisible(shown)
            self._make_room()

    def set_measures(self, measures: tuple[Lines, ...]) -> None:
        """List what is drawn on the image, each by its first figure; nothing hides the list."""
        self._measures = measures
        button = self._button("measures")
        if button.isHidden() == bool(measures):
            button.setVisible(bool(measures))
            self._make_room()

    def set_region(self, *, drawn: bool, stored: bool) -> None:
        """Offer to train on a region that is drawn, else to forget the one that is stored."""
        offer = "Train on this region" if drawn else "Train on the whole image" if stored else ""
        if offer != self.region_offer:
            self._region.setText(offer)
            self._region.setVisible(bool(offer))
            self._make_room()

    @property
    def region_offer(self) -> str:
        """What is offered to do with a region, nothing when there is none."""
        return "" if self._region.isHidden() else self._region.text()

    def set_tool(self, tool: str) -> None:
        """Mark the tool of the left button."""
        self._button(TOOL_PREFIX + tool).setChecked(True)

    def set_layout_name(self, name: str, *, volume: bool) -> None:
        """Mark the layout; three planes are offered for stacks only."""
        self._planes.setEnabled(volume)
        icon = next(icon for known, icon, _text, _key in LAYOUTS if known == name)
        button, before = self._buttons["layout"]
        if icon != before:
            self._buttons["layout"] = button, icon
            button.setIcon(icons.icon(icon, self._theme.palette))
        if self._button("link").isHidden() == (name in ("2", "4")):
            self._button("link").setVisible(name in ("2", "4"))
            self._make_room()

    def set_link(self, way: LinkWay) -> None:
        """Say how linked stacks scroll together, nothing where none does."""
        words = LINK_WORDS[way]
        if words != self._link_words.text():
            self._link_words.setText(words)
            self._link_words.setVisible(bool(words))
            self._make_room()

    @property
    def link_words(self) -> str:
        """How linked stacks scroll together."""
        return self._link_words.text()

    def set_latched(self, command: str, on: bool) -> None:
        """Mark a command that stays on or off."""
        self._button(command).setChecked(on)

    def _add_tools(self) -> None:
        group = QButtonGroup(self)
        for command in COMMANDS:
            if command.id.startswith(TOOL_PREFIX):
                button = self._add_command(command)
                button.setCheckable(True)
                button.setChecked(command.id == "tool.window")
                group.addButton(button)

    def _add_measures(self) -> None:
        menu = self._add_menu("measures", "table", "Measurements of this image")
        menu.aboutToShow.connect(lambda: self._list_measures(menu))
        self._button("measures").hide()

    def _list_measures(self, menu: QMenu) -> None:
        menu.clear()
        for place, lines in enumerate(self._measures):
            entry = menu.addAction(literal(f"{place + 1}   {lines[0] if lines else ''}"))
            entry.triggered.connect(partial(self._choose_measure, place))
        menu.addSeparator()
        self._add_entry(menu, "delete_marked", "Delete the selected measurement", "Delete")
        self._add_entry(menu, "clear_measures", "Delete all measurements", "C")

    def _choose_measure(self, place: int, _checked: bool = False) -> None:
        self.measure_chosen.emit(place)

    def _add_presets(self) -> None:
        self._presets = PresetButton()
        self._presets.command.connect(self.command)
        self._row.addSpacing(4)
        self._row.addWidget(self._presets)

    def _add_region(self) -> None:
        self._region = QToolButton()
        set_kind(self._region, "quiet")
        self._region.clicked.connect(lambda: self.command.emit("train"))
        self._row.addWidget(self._region)
        self._region.setToolTip("T; with Shift for the whole series")
        self._region.hide()

    def _add_opacity(self) -> None:
        self._opacity_label = QLabel("Heat map")
        self._opacity_label.setContentsMargins(0, 0, 6, 0)
        set_kind(self._opacity_label, "small")
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setRange(0, FULL_OPACITY)
        self._opacity.setValue(round(USUAL_OPACITY * FULL_OPACITY))
        self._opacity.setFixedWidth(72)
        self._opacity.setAccessibleName("Strength of the heat map")
        self._opacity.valueChanged.connect(lambda value: self.opacity_changed.emit(value / FULL_OPACITY))
        for widget in (self._opacity_label, self._opacity):
            self._row.addWidget(widget)
        self._row.addSpacing(4)
        for widget in (self._opacity_label, self._opacity):
            widget.hide()

    def _add_commands(self) -> None:
        turns = [command for command in COMMANDS if command.line == "turn"]
        menu = self._add_menu("turn", "rotate", "Rotate and flip the view (Q, H, V)")
        for command in turns:
            self._add_entry(menu, command.id, command.text, command.key)
        for command in COMMANDS:
            if command.icon and command.line not in ("turn", "drag", "measure"):
                if command.id == "link":
                    self._add_link_words()
                button = self._add_command(command)
                button.setCheckable(command.id in LATCHED)
        self.set_latched("texts", True)

    def _add_link_words(self) -> None:
        self._link_words = QLabel()
        self._link_words.setContentsMargins(0, 0, 6, 0)
        set_kind(self._link_words, "small")
        self._link_words.hide()
        self._row.addWidget(self._link_words)

    def _add_layouts(self) -> None:
        menu = self._add_menu("layout", "layout-1", "Layout (Y; M for multiplanar reconstruction)")
        for name, _icon, text, key in LAYOUTS:
            entry = self._add_entry(menu, LAYOUT_PREFIX + name, text, key)
        self._planes = entry

    def _add_menu(self, name: str, icon: str, tip: str) -> QMenu:
        button = self._add_button(name, icon, tip)
        menu = QMenu(button)
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return menu

    def _add_entry(self, menu: QMenu, command: str, text: str, key: str) -> QAction:
        entry = menu.addAction(f"{text}\t{shown_key(key)}" if key else text)
        entry.triggered.connect(lambda: self.command.emit(command))
        return entry

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """Move tools into the menu at the end when the strip is narrow, the dearest last; words go first."""
        self._link_words.setVisible(bool(self._link_words.text()))
        self._more.hide()
        for name in DROPPED_FIRST:
            self._button(name).show()
        for widget in (self._link_words, *map(self._button, DROPPED_FIRST)):
            if self._row.minimumSize().width() <= self.width():
                return
            widget.hide()
            self._more.setVisible(widget is not self._link_words)

    def _add_more(self) -> None:
        self._more = QToolButton()
        self._more.setText("»")
        self._more.setToolTip("More tools")
        self._more.setAccessibleName("More tools")
        self._more.setMenu(QMenu(self._more))
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._more.menu().aboutToShow.connect(self._list_hidden)
        self._more.hide()
        self._row.addWidget(self._more)

    def _list_hidden(self) -> None:
        """Offer the tools that have no room, each as its button would."""
        menu = self._more.menu()
        menu.clear()
        for button in (self._button(name) for name in DROPPED_FIRST if self._button(name).isHidden()):
            if button.menu() is not None:
                button.menu().setTitle(button.toolTip())
                menu.addMenu(button.menu())
                continue
            entry = menu.addAction(button.icon(), literal(button.toolTip()))
            entry.setCheckable(button.isCheckable())
            entry.setChecked(button.isChecked())
            entry.setEnabled(button.isEnabled())
            entry.triggered.connect(button.click)

    def _add_command(self, command: Command) -> QToolButton:
        return self._add_button(command.id, command.icon, command.tip)

    def _add_button(self, name: str, icon: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setIconSize(QSize(18, 18))
        button.clicked.connect(lambda: self.command.emit(name))
        self._row.addWidget(button)
        self._buttons[name] = button, icon
        return button

    def _button(self, name: str) -> QToolButton:
        return self._buttons[name][0]

    def _tint(self, palette: Palette) -> None:
        for button, icon in self._buttons.values():
            button.setIcon(icons.icon(icon, palette))
