"""The windows worth one click, by modality. Those that follow the pixels are taken from them when chosen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clipsvd_app.domain.view import Window
from clipsvd_app.imaging.display.windows import CT_PRESETS, IDENTITY_8_BIT, percentile_window
from clipsvd_app.imaging.values import Percentiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.imaging.values import Array, Presets

_BY_PIXELS: Presets = (
    ("Middle 98 %", Percentiles(1.0, 99.0)),
    ("Middle 90 %", Percentiles(5.0, 95.0)),
    ("Full range", Percentiles(0.0, 100.0)),
)
_UPTAKE: Presets = (
    ("From zero", Percentiles(0.0, 100.0, from_zero=True)),
    ("From zero, hottest 1 % white", Percentiles(0.0, 99.0, from_zero=True)),
    ("From zero, hottest 5 % white", Percentiles(0.0, 95.0, from_zero=True)),
)
_SUV: Presets = tuple(
    (f"SUV 0 to {top:g}", Window(top / 2, top, "LINEAR_EXACT")) for top in (5.0, 7.0, 10.0, 15.0)
)
_EMISSION = frozenset({"PT", "NM"})
_SUV_UNITS = "GML"


def presets_of(
    modality: str,
    own: Window,
    header_windows: tuple[Window, ...] = (),
    units: str = "",
    tables: Sequence[tuple[str, Window]] = (),
) -> Presets:
    """Name windows in an order that a modality always has; ``own``, which is shown first, is not among them.

    Hounsfield units by anatomy; PET and nuclear medicine from zero; others around their own window and by
    percentiles. tables: the windows that stand for the file's own tables.
    """
    if units == "HU":
        found: Presets = (*CT_PRESETS, *_BY_PIXELS)
    elif modality in _EMISSION:
        found = (*(_SUV if units == _SUV_UNITS else ()), *_UPTAKE, ("Full range", _BY_PIXELS[-1][1]))
    else:
        found = (*_around(own), *_BY_PIXELS)
        if own != IDENTITY_8_BIT and modality == "US":
            found = (*found, ("All 256 greys", IDENTITY_8_BIT))
    stored = enumerate(header_windows[1:], start=2)
    own_tables = ((name, window) for name, window in tables if window != own)
    return (*found, *((f"As stored {number}", window) for number, window in stored), *own_tables)


def volume_presets(own: Window) -> Presets:
    """Name windows for a volume file, which does not say its modality: Hounsfield units may be in it."""
    return (*_around(own), *_BY_PIXELS, *((f"CT {name.lower()}", window) for name, window in CT_PRESETS))


def window_from(pixels: Array, padding: float | None, wanted: Percentiles) -> Window:
    """Take a window from the pixels that are on show, padding left out."""
    found = percentile_window(pixels, padding, wanted.low, wanted.high)
    brightest = found.centre + found.width / 2
    if not wanted.from_zero or brightest <= 0:
        return found
    return Window(brightest / 2, brightest, "LINEAR_EXACT")


def _around(own: Window) -> Presets:
    least = 1.0 if own.function == "LINEAR" else 0.0
    narrow = replace(own, width=max(least, own.width / 2))
    return ("Narrow", narrow), ("Wide", replace(own, width=own.width * 2))
