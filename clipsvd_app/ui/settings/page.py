"""The Settings page put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from clipsvd_app.domain.words.notice import NOT_DIAGNOSTIC
from clipsvd_app.ui.kit.layouts import horizontal
from clipsvd_app.ui.kit.page_parts import GAP, column, label, scrolled
from clipsvd_app.ui.settings.backbones_card import BackbonesCard
from clipsvd_app.ui.settings.choices_cards import CachesCard, LookCard, ToggleCard
from clipsvd_app.ui.settings.prompts_card import PromptsCard

if TYPE_CHECKING:
    from clipsvd_app.ui.settings.state import SettingsState


class SettingsPage(QWidget):
    """Each card speaks for itself; every choice is told at once."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.backbones = BackbonesCard()
        self.prompts = PromptsCard()
        self.look = LookCard()
        self.privacy = ToggleCard(
            "Privacy",
            "Show patient identity on screen",
            "Names and IDs are read from open files for display only. They are never stored, "
            "logged or exported.",
        )
        self.labelling = ToggleCard(
            "Labelling",
            "After a label, show the next suggested image",
            "Shift and a class number label without moving on.",
        )
        self.caches = CachesCard()
        self._version = label("", "small")
        row = horizontal(self, GAP * 2, margins=GAP * 2)
        row.addWidget(scrolled(column(self.backbones, self.prompts)), 3)
        row.addWidget(
            scrolled(column(self.look, self.labelling, self.privacy, self.caches, self._version)), 2
        )

    def set_state(self, state: SettingsState) -> None:
        """Show the settings."""
        self.backbones.set_backbones(state.backbones)
        self.backbones.set_offer(state.offer)
        self.prompts.set_classes(state.classes, state.prompts_locked)
        self.look.set_state(state.theme, state.devices, state.device, state.device_note)
        self.privacy.box.setChecked(state.show_identity)
        self.labelling.box.setChecked(state.next_after_label)
        self.caches.set_caches(state.caches)
        self._version.setText(f"CLIP-SVD Studio {state.version}. {NOT_DIAGNOSTIC}")
