"""What the Settings page is told to show."""

from __future__ import annotations

from dataclasses import dataclass

from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.recipe import DeviceName
from clipsvd_app.settings import ThemeName
from clipsvd_app.ui.train_page.state import DeviceOption


@dataclass(frozen=True, slots=True)
class BackboneRow:
    """A backbone; ``problem`` says in one sentence why it cannot be used, empty when it can."""

    key: str
    name: str
    folder: str
    parameters: int | None
    sha256: str
    embedded: bool
    in_use: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class CacheRow:
    """A cache that may be deleted at any time."""

    key: str
    title: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class SettingsState:
    """The whole page.

    ``prompts_locked`` says why prompts cannot be edited, empty when they can; ``device_note`` why a GPU
    that is there is not used.
    """

    backbones: tuple[BackboneRow, ...] = ()
    classes: tuple[ClassSpec, ...] = ()
    devices: tuple[DeviceOption, ...] = (DeviceOption("auto", "Automatic"),)
    device: DeviceName = "auto"
    device_note: str = ""
    theme: ThemeName = "dark"
    show_identity: bool = False
    caches: tuple[CacheRow, ...] = ()
    version: str = ""
    prompts_locked: str = ""
