"""JPEG 2000 images outside of DICOM: grey by OpenJPEG, colour by Pillow; in a worker only.

OpenJPEG returns grey values at their own depth.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from clipsvd_app.imaging.formats.described import Described, on_black
from clipsvd_app.imaging.guard import refusals
from clipsvd_app.imaging.opened import opened
from clipsvd_app.imaging.values import notes_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clipsvd_app.imaging.values import Array

_EXACT = ("L", "LA", "I;16")


def describe_jpeg2000(path: Path) -> Described:
    """Read the header; refuses more channels than colour and transparency."""
    said = _parameters(path)
    channels, bits = int(said["samples_per_pixel"]), int(said["precision"])
    if channels > 4:
        raise refusals.unsupported(path, f"has {channels} channels", "Save it as greyscale or RGB.")
    with _opened(path) as image:
        colour = image.mode not in _EXACT
        return Described(
            photometric="RGB" if colour else "MONOCHROME2",
            codec="JPEG 2000",
            rows=image.height,
            columns=image.width,
            frames=1,
            bits=8 if colour else bits,
            pixel_bytes=channels * -(-bits // 8),
            notes=notes_of(
                {"colour_depth": int(colour and bits > 8), "colour_profile": int(image.mode == "CMYK")}
            ),
        )


def stored_jpeg2000(path: Path) -> Array:
    """Return (rows, columns[, samples]): grey with its own values, colour as 8-bit RGB or RGBA."""
    import openjpeg

    with _opened(path) as image:
        if image.mode not in _EXACT:
            return np.asarray(image)
    with opened(path) as file:
        decoded: Array = openjpeg.decode(file)
    return decoded.astype(decoded.dtype.newbyteorder("<"), copy=False)


def shown_jpeg2000(path: Path) -> Array:
    """Return grey values, or RGB uint8, transparency laid over black."""
    pixels = stored_jpeg2000(path)
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[2] == 2:
        bits = int(_parameters(path)["precision"])
        full = np.iinfo(pixels.dtype).max
        alpha = (pixels[:, :, 1].astype(np.float64) * full / ((1 << bits) - 1)).astype(pixels.dtype)
        return on_black(pixels[:, :, 0], alpha)
    with _opened(path) as image:
        if image.mode == "RGBA":
            return on_black(pixels[:, :, :3], pixels[:, :, 3])
        return np.asarray(image.convert("RGB"))


def _parameters(path: Path) -> dict[str, Any]:
    import openjpeg

    with opened(path) as file:
        found: dict[str, Any] = openjpeg.get_parameters(file)
    return found


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    with opened(path) as file, Image.open(file, formats=("JPEG2000",)) as image:
        yield image
