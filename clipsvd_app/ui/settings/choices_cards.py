"""The small choices: device, theme, identity on screen, and caches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QWidget

from clipsvd_app.domain.words.numbers import file_size
from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.page_parts import GAP, Card, ChoiceGroup, button, choice, empty, fill_choice, label

if TYPE_CHECKING:
    from clipsvd_app.domain.recipe import DeviceName
    from clipsvd_app.settings import ThemeName
    from clipsvd_app.ui.settings.state import CacheRow
    from clipsvd_app.ui.train.state import DeviceOption


class LookCard(Card):
    """Theme and device."""

    theme_chosen = Signal(str)
    device_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Appearance and device", parent)
        self._devices: tuple[DeviceName, ...] = ()
        self._themes = ChoiceGroup()
        self._device = choice("Device")
        self._note = label("", "small")
        self.body.addWidget(self._themes)
        self.body.addWidget(label("Device for training and prediction", "section"))
        self.body.addWidget(self._device)
        self.body.addWidget(self._note)
        self._themes.chosen.connect(self.theme_chosen)
        self._device.activated.connect(lambda row: self.device_chosen.emit(self._devices[row]))

    def set_state(
        self, theme: ThemeName, devices: tuple[DeviceOption, ...], device: DeviceName, note: str = ""
    ) -> None:
        """Show what is chosen."""
        self._themes.set_choices(
            (
                ("dark", "Dark", "For the reading room", ""),
                ("light", "Light", "For the office and for print", ""),
            ),
            theme,
        )
        self._devices = tuple(option.name for option in devices)
        place = self._devices.index(device) if device in self._devices else 0
        fill_choice(self._device, [option.title for option in devices], place)
        self._note.setText(note)
        self._note.setVisible(bool(note))


class ToggleCard(Card):
    """One thing that is done or not, and what to know of it. Signal: ``toggled(bool)`` by the user."""

    toggled = Signal(bool)

    def __init__(self, title: str, choice: str, note: str, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self.box = QCheckBox(choice)
        self.box.clicked.connect(self.toggled)
        self.body.addWidget(self.box)
        self.body.addWidget(label(note, "small"))


class CachesCard(Card):
    """What was computed before and may be computed again."""

    clear_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Caches", parent)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(GAP * 2)
        self._grid.setColumnStretch(0, 1)
        self.body.addWidget(label("Clearing caches is safe: no labels are lost.", "small"))
        self.body.addLayout(self._grid)

    def set_caches(self, caches: tuple[CacheRow, ...]) -> None:
        """Show one row a cache."""
        empty(self._grid)
        for row, cache in enumerate(caches):
            clear = destructive(button("Clear"))
            clear.setAccessibleName(f"Clear {cache.title}")
            clear.setEnabled(cache.size_bytes > 0)
            clear.clicked.connect(lambda _checked=False, key=cache.key: self.clear_requested.emit(key))
            self._grid.addWidget(label(cache.title), row, 0)
            self._grid.addWidget(label(file_size(cache.size_bytes), "muted", wrap=False), row, 1)
            self._grid.addWidget(clear, row, 2)
