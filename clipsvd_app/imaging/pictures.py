"""Pictures of all containers: PNG, JPEG, TIFF, BMP, GIF, WebP, JPEG 2000 and netpbm's.

What is shown follows one rule whatever the container: upright, transparency over black, white-is-zero
inverted, grey in its own depth, colour in 8 bits.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PIL import Image

from clipsvd_app.domain.view import Window
from clipsvd_app.imaging import refusals
from clipsvd_app.imaging.decode_worker import DecodeError, bounded, shared_pool
from clipsvd_app.imaging.jpeg2000 import describe_jpeg2000, shown_jpeg2000, stored_jpeg2000
from clipsvd_app.imaging.netpbm import describe_netpbm, shown_netpbm, stored_netpbm
from clipsvd_app.imaging.orientation import is_turned, upright
from clipsvd_app.imaging.pillow_pictures import describe_with_pillow, shown_with_pillow, stored_with_pillow
from clipsvd_app.imaging.presets import presets_of
from clipsvd_app.imaging.quiet import quiet
from clipsvd_app.imaging.tiff import describe_tiff, shown_tiff, stored_tiff
from clipsvd_app.imaging.values import Frame, ImageHeader, ScaleLimits
from clipsvd_app.imaging.windows import IDENTITY_8_BIT, default_window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clipsvd_app.imaging.described import Described
    from clipsvd_app.imaging.values import Array

T = TypeVar("T")

_IN_PROCESS = frozenset({"PNG", "JPEG", "BMP"})
"""Kinds whose one decoder is small and much attacked; others, and animations, go to a worker process."""


def read_picture_header(path: Path, kind: str) -> ImageHeader:
    """Read the header of a picture; its size is that of the upright picture."""
    said = _described(path, kind)
    rows, columns = (said.columns, said.rows) if is_turned(said.orientation) else (said.rows, said.columns)
    return ImageHeader(
        kind=kind,
        modality="",
        photometric=said.photometric,
        transfer_syntax=said.codec,
        rows=rows,
        columns=columns,
        frames=said.frames,
        bits_stored=said.bits,
        notes=said.notes,
    )


def read_picture_frame(path: Path, kind: str, frame: int) -> Frame:
    """Decode one frame as it is shown."""
    said = _described(path, kind)
    refusals.check_frame(path, frame, said.frames)
    megapixels = said.rows * said.columns * (frame + 1) / 1e6
    decoded: Array = _contained(path, kind, said.frames, megapixels, shown_picture, frame)
    pixels = upright(decoded, said.orientation)
    aspect = 1 / said.aspect if is_turned(said.orientation) else said.aspect
    if pixels.ndim == 3:
        limits = ScaleLimits(aspect=aspect)
        return Frame(pixels, IDENTITY_8_BIT, (), False, None, None, "", limits=limits)
    values = pixels.astype(np.float32)
    window, by_pixels = _window(values, said)
    return Frame(
        values,
        window,
        presets_of("", window),
        said.photometric == "MONOCHROME1",
        None,
        None,
        "",
        by_pixels=by_pixels,
        limits=ScaleLimits(aspect=aspect),
    )


def stored_pictures(path: Path, header: ImageHeader, frames: Sequence[int]) -> Array:
    """Return (len(frames), rows, columns[, samples]) as in the file: palette indices, alpha, not turned."""
    megapixels = header.rows * header.columns * (max(frames) + 1) / 1e6
    pages: Array = _contained(path, header.kind, header.frames, megapixels, stored_picture, tuple(frames))
    return pages


def describe_picture(path: str, kind: str) -> Described:
    """Read what a picture says, in a worker or here."""
    if kind == "TIFF":
        return describe_tiff(Path(path))
    if kind == "PNM":
        return describe_netpbm(Path(path))
    if kind == "JPEG2000":
        return describe_jpeg2000(Path(path))
    return describe_with_pillow(Path(path), kind)


def shown_picture(path: str, kind: str, frame: int) -> Array:
    """Decode one frame as it lies, in a worker or here."""
    if kind == "TIFF":
        return shown_tiff(Path(path), frame)
    if kind == "PNM":
        return shown_netpbm(Path(path))
    if kind == "JPEG2000":
        return shown_jpeg2000(Path(path))
    return shown_with_pillow(Path(path), kind, frame)


def stored_picture(path: str, kind: str, frames: tuple[int, ...]) -> Array:
    """Decode frames as they are stored, in a worker or here."""
    if kind == "TIFF":
        return stored_tiff(Path(path), frames)
    if kind == "PNM":
        return stored_netpbm(Path(path))[np.newaxis]
    if kind == "JPEG2000":
        return stored_jpeg2000(Path(path))[np.newaxis]
    return stored_with_pillow(Path(path), kind, frames)


def within_limits(path: str, megapixels: float, function: Callable[..., T], *arguments: object) -> T:
    """Return ``function(path, *arguments)``; called in a worker process only."""
    with bounded(megapixels):
        return function(path, *arguments)


def picture_bytes(pixels: Array) -> bytes:
    """Return a PNG of the pixels and nothing else. pixels: (rows, columns) or (rows, columns, 3) uint8."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def _described(path: Path, kind: str) -> Described:
    said: Described = _contained(path, kind, 1, 0.0, describe_picture)
    if min(said.rows, said.columns) < 1:
        raise refusals.damaged(path)
    refusals.refuse_too_large(path, said.rows, said.columns, said.frames, said.pixel_bytes)
    return said


def _window(values: Array, said: Described) -> tuple[Window, bool]:
    """Return the window to begin with, and whether the pixels alone gave it.

    A file that names its white and is no deeper than 8 bits shows all of it.
    """
    if said.brightest is not None and said.brightest < 256:
        levels = said.brightest + 1.0
        return Window(levels / 2, levels), False
    return default_window(values, "", said.bits)


def _contained(
    path: Path, kind: str, frames: int, megapixels: float, function: Callable[..., T], *arguments: object
) -> T:
    """Return ``function(path, kind, *arguments)``, from a worker unless the kind is decoded in process."""
    if kind in _IN_PROCESS and frames == 1:
        with refusals.refusing(path), quiet:
            return function(str(path), kind, *arguments)
    try:
        found: T = shared_pool().run_on_file(path, within_limits, megapixels, function, kind, *arguments)
    except DecodeError as error:
        raise refusals.damaged(path) from error
    return found
