"""The Settings page put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from clipsvd_app.domain.words.notice import NOT_DIAGNOSTIC
from clipsvd_app.ui.kit.page_parts import GAP, column, label, scrolled
from clipsvd_app.ui.settings.backbones_card import BackbonesCard
from clipsvd_app.ui.settings.choices_cards import CachesCard, LabellingCard, LookCard, PrivacyCard
from clipsvd_app.ui.settings.prompts_card import PromptsCard

if TYPE_CHECKING:
    from clipsvd_app.ui.settings.state import BackboneActivity, SettingsState


class SettingsPage(QWidget):
    """Each card speaks for itself; every choice is told at once.

    Signals: ``backbone_path_chosen(path)``, ``backbone_fetch_requested()``, ``backbone_cancel_requested()``,
    ``backbone_use_requested(key)``, ``backbone_remove_requested(key)``,
    ``prompts_changed(class position, tuple of str)``, ``device_chosen(str)``, ``theme_chosen(str)``,
    ``show_identity_changed(bool)``, ``next_after_label_changed(bool)``, ``clear_cache_requested(key)``.
    """

    backbone_path_chosen = Signal(str)
    backbone_fetch_requested = Signal()
    backbone_cancel_requested = Signal()
    backbone_use_requested = Signal(str)
    backbone_remove_requested = Signal(str)
    prompts_changed = Signal(int, object)
    device_chosen = Signal(str)
    theme_chosen = Signal(str)
    show_identity_changed = Signal(bool)
    next_after_label_changed = Signal(bool)
    clear_cache_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.backbones = BackbonesCard()
        self.prompts = PromptsCard()
        self.look = LookCard()
        self.privacy = PrivacyCard()
        self.labelling = LabellingCard()
        self.caches = CachesCard()
        self._version = label("", "small")
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP * 2, GAP * 2, GAP * 2, GAP * 2)
        row.setSpacing(GAP * 2)
        row.addWidget(scrolled(column(self.backbones, self.prompts)), 3)
        row.addWidget(
            scrolled(column(self.look, self.labelling, self.privacy, self.caches, self._version)), 2
        )
        self._connect()

    def set_state(self, state: SettingsState) -> None:
        """Show the settings."""
        self.backbones.set_backbones(state.backbones)
        self.backbones.set_offer(state.offer)
        self.prompts.set_classes(state.classes, state.prompts_locked)
        self.look.set_state(state.theme, state.devices, state.device, state.device_note)
        self.privacy.set_shown(state.show_identity)
        self.labelling.set_shown(state.next_after_label)
        self.caches.set_caches(state.caches)
        self._version.setText(f"CLIP-SVD Studio {state.version}. {NOT_DIAGNOSTIC}")

    def set_backbone_activity(self, activity: BackboneActivity) -> None:
        """Show what is under way with a backbone; told often, so apart from the rest."""
        self.backbones.set_activity(activity)

    def _connect(self) -> None:
        self.backbones.path_chosen.connect(self.backbone_path_chosen)
        self.backbones.fetch_requested.connect(self.backbone_fetch_requested)
        self.backbones.cancel_requested.connect(self.backbone_cancel_requested)
        self.backbones.use_requested.connect(self.backbone_use_requested)
        self.backbones.remove_requested.connect(self.backbone_remove_requested)
        self.prompts.prompts_changed.connect(self.prompts_changed)
        self.look.theme_chosen.connect(self.theme_chosen)
        self.look.device_chosen.connect(self.device_chosen)
        self.privacy.show_identity_changed.connect(self.show_identity_changed)
        self.labelling.next_after_label_changed.connect(self.next_after_label_changed)
        self.caches.clear_requested.connect(self.clear_cache_requested)
