"""Display windows: the formulas of DICOM PS3.3 C.11.2.1.2, the window to begin with, and presets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from clipsvd_app.domain.view import Percentiles, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.imaging.values import Array, Bytes, Presets

# By the formula of LINEAR, centre 128 and width 256 map 0 to 255 onto themselves.
IDENTITY_8_BIT = Window(128.0, 256.0)
AUTOMATIC = (0.5, 99.5)
"""Percentiles that a window spans where neither the header nor the kind of image says one."""

# The usual windows of radiology, in Hounsfield units.
CT_PRESETS = (
    ("Soft tissue", Window(40.0, 400.0)),
    ("Lung", Window(-600.0, 1500.0)),
    ("Bone", Window(400.0, 1800.0)),
    ("Brain", Window(40.0, 80.0)),
    ("Subdural", Window(75.0, 215.0)),
    ("Stroke", Window(35.0, 40.0)),
    ("Mediastinum", Window(50.0, 350.0)),
    ("Liver", Window(60.0, 160.0)),
    ("Angiography", Window(300.0, 600.0)),
)

_LIMBS = (
    "ANKLE ARM CALCANEUS CLAVICLE ELBOW EXTREMITY FEMUR FINGER FOOT FOREARM HAND HIP HUMERUS KNEE LEG RADIUS"
    " SHOULDER SKULL TIBIA TOE ULNA WRIST"
)
# Body Part Examined (PS3.16, Annex L) of regions with one usual window; chests have two, soft tissue first.
_CT_BY_BODY_PART = dict.fromkeys(("HEAD", "BRAIN"), "Brain") | dict.fromkeys(_LIMBS.split(), "Bone")


def apply_window(pixels: Array, window: Window) -> Bytes:
    """Map pixel values to display greys 0-255 (DICOM PS3.3 C.11.2.1.2.1, C.11.2.1.3.1, C.11.2.1.3.2).

    pixels: any shape and number type. Returns uint8 of the same shape; values that are no number are black.
    """
    assert is_usable(window), f"the formulas need a positive width: {window}"
    values = np.asarray(pixels)
    if values.dtype.itemsize == 8:  # float32 keeps small differences of large numbers, not the numbers
        values, window = values - window.centre, replace(window, centre=0.0)
    with np.errstate(over="ignore"):
        # Values beyond float32 become infinite, which is white or black as it should be.
        values = values.astype(np.float32, copy=False)
    if window.function == "SIGMOID":
        greys = _sigmoid(values, window)
    elif window.function == "LINEAR_EXACT":
        greys = _ramp(values, window.centre - window.width / 2, window.width)
    elif window.width == 1:
        greys = np.where(values > window.centre - 0.5, np.float32(255), np.float32(0))
    else:
        greys = _ramp(values, window.centre - 0.5 - (window.width - 1) / 2, window.width - 1)
    np.copyto(greys, 0.0, where=np.isnan(greys))
    return np.rint(greys, out=greys).astype(np.uint8)


def is_usable(window: Window) -> bool:
    """Say whether the standard allows this window."""
    if not np.isfinite([window.centre, window.width]).all():
        return False
    least = 1.0 if window.function == "LINEAR" else 0.0
    return window.width >= least and window.width > 0


def default_window(
    pixels: Array, units: str, stored_bits: int | None, padding: float | None = None, body_part: str = ""
) -> tuple[Window, bool]:
    """Choose the window of a frame whose header has none, and return whether only its pixels gave it.

    Hounsfield units get a brain window in heads, bone in limbs, soft tissue elsewhere; stored values of up to
    8 bits their full range; wider ranges and rescaled values their 0.5 to 99.5 percentiles.
    stored_bits: None where the pixels are no longer the values that were stored.
    """
    if units == "HU":
        return dict(CT_PRESETS)[_CT_BY_BODY_PART.get(body_part.upper(), "Soft tissue")], False
    levels = 2.0 ** (stored_bits or 0)
    # Only where all values fit the stated bits: then black and white are those of the whole range.
    if 1 < levels <= 256 and pixels.size and pixels.min() >= 0 and pixels.max() < levels:
        return Window(levels / 2, levels), False
    return percentile_window(pixels, padding, *AUTOMATIC), True


def percentile_window(pixels: Array, padding: float | None, low: float, high: float) -> Window:
    """Return the window from one percentile of the pixels to another, padding left out."""
    return window_of_values(sample(pixels, padding), low, high)


def window_of_values(values: Array, low: float, high: float) -> Window:
    """Return the window from one percentile of values to another; all of 8 bits where there are none."""
    if values.size == 0:
        return IDENTITY_8_BIT
    darkest, brightest = (float(end) for end in np.percentile(values, (low, high)))
    width = brightest - darkest
    if width <= 0:
        return Window(darkest, 1.0, "LINEAR_EXACT")
    return Window(darkest + width / 2, width, "LINEAR_EXACT")


def sample(pixels: Array, padding: float | None, at_most: int = 262_144) -> Array:
    """Return a sample of large frames: percentiles of 262,144 pixels are as good and take a millisecond."""
    flat = pixels.reshape(-1)
    values = flat[:: max(1, flat.size // at_most)]
    keep = np.isfinite(values)
    if padding is not None:
        keep &= values != padding
    return values[keep]


def _ramp(values: Array, start: float, length: float) -> Array:
    greys = (values - np.float32(start)) * np.float32(255.0 / length)
    return np.clip(greys, 0.0, 255.0, out=greys)


def _sigmoid(values: Array, window: Window) -> Array:
    # Clipped at 80, because float32 overflows at exp(88); beyond it the grey is 0 or 255 anyway.
    exponent = np.clip(-4.0 * (values - window.centre) / window.width, -80.0, 80.0)
    return np.asarray(255.0 / (1.0 + np.exp(exponent)), dtype=np.float32)


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
    """Take a window from the pixels that are displayed, padding left out."""
    found = percentile_window(pixels, padding, wanted.low, wanted.high)
    brightest = found.centre + found.width / 2
    if not wanted.from_zero or brightest <= 0:
        return found
    return Window(brightest / 2, brightest, "LINEAR_EXACT")


def _around(own: Window) -> Presets:
    least = 1.0 if own.function == "LINEAR" else 0.0
    narrow = replace(own, width=max(least, own.width / 2))
    return ("Narrow", narrow), ("Wide", replace(own, width=own.width * 2))
