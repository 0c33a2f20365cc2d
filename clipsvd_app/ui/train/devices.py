"""The devices that the engine found and tested, as the user chooses among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.ui.train.state import DeviceOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.recipe import DeviceKind

TITLES: dict[DeviceKind, str] = {"cuda": "GPU (CUDA)", "mps": "GPU (Apple)", "cpu": "CPU"}


def device_options(usable: Sequence[DeviceKind]) -> tuple[DeviceOption, ...]:
    """Offer ``auto`` and what passed the engine's test."""
    gpu = any(kind != "cpu" for kind in usable)
    automatic = DeviceOption("auto", "Automatic (GPU)" if gpu else "Automatic (CPU: no usable GPU)")
    return (automatic, *(DeviceOption(kind, TITLES[kind]) for kind in usable))
