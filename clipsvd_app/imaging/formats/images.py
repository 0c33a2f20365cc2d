"""Raster images of all formats: PNG, JPEG, TIFF, BMP, GIF, WebP, JPEG 2000 and netpbm's.

One rule of display holds for every format: upright, transparency over black, white-is-zero inverted, grey in
its own depth, colour in 8 bits.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PIL import Image

from clipsvd_app.domain.view import Window
from clipsvd_app.imaging.display.windows import IDENTITY_8_BIT, default_window, presets_of
from clipsvd_app.imaging.formats.exif_orientation import is_turned, upright
from clipsvd_app.imaging.formats.jpeg2000 import describe_jpeg2000, shown_jpeg2000, stored_jpeg2000
from clipsvd_app.imaging.formats.netpbm import describe_netpbm, shown_netpbm, stored_netpbm
from clipsvd_app.imaging.formats.pillow_images import (
    describe_with_pillow,
    shown_with_pillow,
    stored_with_pillow,
)
from clipsvd_app.imaging.formats.tiff import describe_tiff, shown_tiff, stored_tiff
from clipsvd_app.imaging.guard import refusals
from clipsvd_app.imaging.guard.decode_worker import DecodeError, bounded, shared_pool
from clipsvd_app.imaging.guard.quiet import quiet
from clipsvd_app.imaging.opened import held
from clipsvd_app.imaging.values import Frame, ImageHeader, ScaleLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clipsvd_app.imaging.formats.described import Described
    from clipsvd_app.imaging.values import Array

T = TypeVar("T")

_IN_PROCESS = frozenset({"PNG", "JPEG", "BMP"})
"""Kinds with one small and well-tested decoder; others, and animations, go to a worker process."""


def read_picture_header(path: Path, kind: str) -> ImageHeader:
    """Read the header of an image; its size is that of the upright image."""
    return _header(kind, _described(path, kind))


def read_picture(path: Path, kind: str) -> tuple[ImageHeader, Frame]:
    """Read the header and decode the first frame as it is shown."""
    said, decoded = _seen(path, kind, 0)
    return _header(kind, said), _frame(said, decoded)


def _header(kind: str, said: Described) -> ImageHeader:
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
    """Decode one frame for display."""
    return _frame(*_seen(path, kind, frame))


def _frame(said: Described, decoded: Array) -> Frame:
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


def describe_picture(path: Path, kind: str) -> Described:
    """Read an image's description, in a worker or here."""
    if kind == "TIFF":
        return describe_tiff(path)
    if kind == "PNM":
        return describe_netpbm(path)
    if kind == "JPEG2000":
        return describe_jpeg2000(path)
    return describe_with_pillow(path, kind)


def shown_picture(path: Path, kind: str, frame: int) -> Array:
    """Decode one frame, not yet turned upright, in a worker or here."""
    if kind == "TIFF":
        return shown_tiff(path, frame)
    if kind == "PNM":
        return shown_netpbm(path)
    if kind == "JPEG2000":
        return shown_jpeg2000(path)
    return shown_with_pillow(path, kind, frame)


def stored_picture(path: Path, kind: str, frames: tuple[int, ...]) -> Array:
    """Decode frames as they are stored, in a worker or here."""
    if kind == "TIFF":
        return stored_tiff(path, frames)
    if kind == "PNM":
        return stored_netpbm(path)[np.newaxis]
    if kind == "JPEG2000":
        return stored_jpeg2000(path)[np.newaxis]
    return stored_with_pillow(path, kind, frames)


def within_limits(path: str, megapixels: float, function: Callable[..., T], *arguments: object) -> T:
    """Return ``function(path, *arguments)``; called in a worker process only."""
    with bounded(megapixels):
        return function(Path(path), *arguments)


def seen_within_limits(path: str, kind: str, frame: int) -> tuple[Described, Array]:
    """Return an image's description and a frame from one opening; called in a worker only."""
    with held(Path(path)) as file:
        with bounded(0.0):
            said = describe_picture(file, kind)
        with bounded(_megapixels_to_decode(file, said, frame)):
            return said, shown_picture(file, kind, frame)


def _megapixels_to_decode(path: Path, said: Described, frame: int) -> float:
    """Return the megapixels up to a frame; refuses images over the limits and frames beyond the last."""
    _refuse_impossible(path, said)
    refusals.check_frame(path, frame, said.frames)
    return said.rows * said.columns * (frame + 1) / 1e6


def picture_bytes(pixels: Array) -> bytes:
    """Return a PNG of the pixels and nothing else. pixels: (rows, columns) or (rows, columns, 3) uint8."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def _described(path: Path, kind: str) -> Described:
    said: Described = _contained(path, kind, 1, 0.0, describe_picture)
    _refuse_impossible(path, said)
    return said


def _seen(path: Path, kind: str, frame: int) -> tuple[Described, Array]:
    if kind in _IN_PROCESS:
        said = _described(path, kind)
        megapixels = _megapixels_to_decode(path, said, frame)
        return said, _contained(path, kind, said.frames, megapixels, shown_picture, frame)
    return _worked(path, seen_within_limits, kind, frame)


def _refuse_impossible(path: Path, said: Described) -> None:
    if min(said.rows, said.columns) < 1:
        raise refusals.damaged(path)
    refusals.refuse_too_large(path, said.rows, said.columns, said.frames, said.pixel_bytes)


def _window(values: Array, said: Described) -> tuple[Window, bool]:
    """Return the initial window, and whether it was derived from the pixels only.

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
            return function(path, kind, *arguments)
    found: T = _worked(path, within_limits, megapixels, function, kind, *arguments)
    return found


def _worked(path: Path, function: Callable[..., T], *arguments: object) -> T:
    try:
        found: T = shared_pool().run_on_file(path, function, *arguments)
    except DecodeError as error:
        raise refusals.damaged(path) from error
    return found
