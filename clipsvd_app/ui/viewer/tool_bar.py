"""Above the picture: what the left button does, presets, orientation, the heat map's strength."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QLabel, QMenu, QSlider, QToolButton, QWidget

from clipsvd_app.ui import icons
from clipsvd_app.ui.theme import set_kind

if TYPE_CHECKING:
    from clipsvd_app.ui.theme import Palette, Theme
    from clipsvd_app.ui.viewer.state import WindowPreset

Tool = Literal["window", "pan", "zoom", "measure"]
TOOLS: tuple[tuple[Tool, str], ...] = (
    ("window", "Window: drag across for width, up and down for centre (also the right button)"),
    ("pan", "Pan: drag the image (also the middle button)"),
    ("zoom", "Zoom: drag up and down (also Ctrl and the wheel)"),
    ("measure", "Measure: drag a line"),
)
COMMANDS = (
    ("invert", "Invert (I)"),
    ("rotate", "Rotate a quarter to the right"),
    ("flip", "Flip left to right"),
    ("fit", "Fit (F)"),
)
FULL_OPACITY = 100
USUAL_OPACITY = 0.55


class ViewerBar(QFrame):
    """Signals: ``tool_chosen(str)``, ``command(str)``, ``preset_chosen(int)``, ``opacity_changed(float)``."""

    tool_chosen = Signal(str)
    command = Signal(str)
    preset_chosen = Signal(int)
    opacity_changed = Signal(float)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("viewer_bar")
        self._buttons: dict[str, QToolButton] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(8, 4, 8, 4)
        self._row.setSpacing(2)
        self._add_tools()
        self._add_presets()
        self._row.addStretch(1)
        self._add_opacity()
        self._add_commands()
        theme.changed.connect(self._tint)
        self._tint(theme.palette)

    def set_presets(self, presets: tuple[WindowPreset, ...]) -> None:
        """Offer the windows of the shown image."""
        self._menu.clear()
        for position, preset in enumerate(presets):
            entry = self._menu.addAction(f"{preset.name}\tAlt+{position + 1}")
            entry.triggered.connect(lambda _checked=False, at=position: self.preset_chosen.emit(at))
        self._presets.setEnabled(bool(presets))

    def set_heat_shown(self, shown: bool) -> None:
        """Offer the heat map's strength only while there is one."""
        self._opacity_label.setVisible(shown)
        self._opacity.setVisible(shown)

    def _add_tools(self) -> None:
        group = QButtonGroup(self)
        for name, hint in TOOLS:
            button = self._add_button(name, hint)
            button.setCheckable(True)
            button.setChecked(name == "window")
            button.clicked.connect(lambda _checked=False, name=name: self.tool_chosen.emit(name))
            group.addButton(button)

    def _add_presets(self) -> None:
        self._menu = QMenu(self)
        self._presets = QToolButton()
        self._presets.setText("Presets ▾")
        self._presets.setToolTip("Window presets (Alt and a number)")
        self._presets.setMenu(self._menu)
        self._presets.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._row.addSpacing(8)
        self._row.addWidget(self._presets)

    def _add_opacity(self) -> None:
        self._opacity_label = QLabel("Heat map")
        set_kind(self._opacity_label, "small")
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setRange(0, FULL_OPACITY)
        self._opacity.setValue(round(USUAL_OPACITY * FULL_OPACITY))
        self._opacity.setFixedWidth(96)
        self._opacity.setAccessibleName("Strength of the heat map")
        self._opacity.valueChanged.connect(lambda value: self.opacity_changed.emit(value / FULL_OPACITY))
        for widget in (self._opacity_label, self._opacity):
            self._row.addWidget(widget)
        self._row.addSpacing(8)
        self.set_heat_shown(False)

    def _add_commands(self) -> None:
        for name, hint in COMMANDS:
            button = self._add_button(name, hint)
            button.clicked.connect(lambda _checked=False, name=name: self.command.emit(name))

    def _add_button(self, name: str, hint: str) -> QToolButton:
        button = QToolButton()
        button.setToolTip(hint)
        button.setAccessibleName(hint)
        button.setIconSize(QSize(18, 18))
        self._row.addWidget(button)
        self._buttons[name] = button
        return button

    def _tint(self, palette: Palette) -> None:
        for name, button in self._buttons.items():
            button.setIcon(icons.icon(name, palette))
