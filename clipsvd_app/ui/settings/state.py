"""What the Settings page is told to show."""

from __future__ import annotations

from dataclasses import dataclass

from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.recipe import DeviceName
from clipsvd_app.settings import ThemeName
from clipsvd_app.ui.train.state import DeviceOption


@dataclass(frozen=True, slots=True)
class BackboneRow:
    """A backbone; ``problem`` says in one sentence why it cannot be used, empty when it can.

    ``removal`` says what removing it would delete.
    """

    key: str
    name: str
    folder: str
    parameters: int | None
    sha256: str
    embedded: bool
    in_use: bool
    problem: str = ""
    removal: str = ""


@dataclass(frozen=True, slots=True)
class FetchOffer:
    """A model that can be fetched: the button, and what is said before anything is."""

    button: str
    question: str
    words: str
    confirm: str


@dataclass(frozen=True, slots=True)
class BackboneWork:
    """A backbone on its way: what is done right now, and how much of it; ``total`` is 0 while unknown."""

    title: str
    stage: str = ""
    amount: str = ""
    done: int = 0
    total: int = 0
    cancelling: bool = False


@dataclass(frozen=True, slots=True)
class BackboneActivity:
    """What is under way, or how the last attempt failed: a sentence and what to do."""

    work: BackboneWork | None = None
    error: str = ""
    remedy: str = ""


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
    offer: FetchOffer | None = None
    classes: tuple[ClassSpec, ...] = ()
    devices: tuple[DeviceOption, ...] = (DeviceOption("auto", "Automatic"),)
    device: DeviceName = "auto"
    device_note: str = ""
    theme: ThemeName = "dark"
    show_identity: bool = False
    next_after_label: bool = True
    caches: tuple[CacheRow, ...] = ()
    version: str = ""
    prompts_locked: str = ""
