"""The windows of the shown image in a menu, and what training shall use of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QToolButton

from clipsvd_app.ui.look.plain_text import literal
from clipsvd_app.ui.viewer.commands import BY_ID, PRESET_PREFIX, shown_key

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.ui.viewer.state import WindowPreset


class PresetButton(QToolButton):
    """Signal: ``command(str)`` the id of a command. The menu is made when it is opened."""

    command = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presets: tuple[WindowPreset, ...] = ()
        self._trained = False
        self._for_training = True
        self.setText("Window ▾")
        self.setToolTip("Window presets (Alt and a number), and the window that training uses")
        self.setMenu(QMenu(self))
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu().aboutToShow.connect(self.fill)

    def set_presets(self, presets: tuple[WindowPreset, ...], *, windowed: bool, trained: bool) -> None:
        """Offer these. windowed: the picture has a window; trained: one is kept for training."""
        self._presets, self._trained = presets, trained
        self.setEnabled(windowed)

    def offer_training(self, offered: bool) -> None:
        """Offer to train with the window in force, or not."""
        self._for_training = offered

    def fill(self) -> None:
        """Write the menu again."""
        menu = self.menu()
        menu.clear()
        self._add("The file's window", "own_window")
        for position, preset in enumerate(self._presets):
            self._add(literal(preset.name), f"{PRESET_PREFIX}{position}")
        if not self._for_training:
            return
        menu.addSeparator()
        self._add("Train with this window", "train_window")
        self._add("Train with this window, whole series", "train_window_series")
        if self._trained:
            self._add("Train with the file's window again", "forget_window")

    def _add(self, text: str, command: str) -> None:
        key = BY_ID[command].key
        words = f"{text}\t{shown_key(key)}" if key else text
        self.menu().addAction(words).triggered.connect(lambda: self.command.emit(command))
