"""PNG, JPEG, TIFF and BMP pictures."""

from __future__ import annotations

import io
import logging
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PIL import Image, ImageOps

from clipsvd_app.errors import UserError
from clipsvd_app.imaging import refusals
from clipsvd_app.imaging.decode_worker import DecodeError, bounded, shared_pool
from clipsvd_app.imaging.presets import presets_of
from clipsvd_app.imaging.quiet import quiet
from clipsvd_app.imaging.values import Frame, ImageHeader
from clipsvd_app.imaging.windows import IDENTITY_8_BIT, default_window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from clipsvd_app.imaging.values import Array

T = TypeVar("T")

# Pillow logs what it finds odd in a file; without a handler that would end on the user's terminal.
logging.getLogger("PIL").addHandler(logging.NullHandler())

_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)
_PHOTOMETRIC = {"P": "PALETTE COLOR", "PA": "PALETTE COLOR", "1": "MONOCHROME2", "L": "MONOCHROME2"}
_BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I;16L": 16, "I": 32, "F": 32}
_BYTES = {"I": 4, "F": 4, "RGB": 3, "RGBA": 4, "CMYK": 4, "RGBX": 4, "YCbCr": 3, "LAB": 3, "HSV": 3, "LA": 2}
_GREY = ("1", "L", "I", "F", "I;16", "I;16B", "I;16L")


@dataclass(frozen=True, slots=True)
class _Described:
    """What a picture says before it is decoded. turned: it stands on its side, and rows become columns."""

    mode: str
    rows: int
    columns: int
    frames: int
    codec: str
    turned: bool


def read_picture_header(path: Path, kind: str) -> ImageHeader:
    """Read the header of a picture; its size is that of the upright picture."""
    said: _Described = _contained(path, kind, describe_picture)
    refusals.refuse_too_large(path, said.rows, said.columns, said.frames, _BYTES.get(said.mode, 2))
    rows, columns = (said.columns, said.rows) if said.turned else (said.rows, said.columns)
    return ImageHeader(
        kind=kind,
        modality="",
        photometric=_PHOTOMETRIC.get(said.mode, "MONOCHROME2" if said.mode in _GREY else "RGB"),
        transfer_syntax=said.codec,
        rows=rows,
        columns=columns,
        frames=said.frames,
        bits_stored=_BITS.get(said.mode, 8),
    )


def read_picture_frame(path: Path, kind: str, frame: int) -> Frame:
    """Decode one page, upright, palette and transparency flattened onto black."""
    header = read_picture_header(path, kind)
    refusals.check_frame(path, frame, header.frames)
    pixels = _decoded(path, header, (frame,), upright=True)[0]
    if pixels.ndim == 3:
        return Frame(pixels, IDENTITY_8_BIT, (), False, None, None, "")
    bits = 8 if pixels.dtype.itemsize == 1 else 16
    values = pixels.astype(np.float32)
    window, by_pixels = default_window(values, "", bits)
    return Frame(values, window, presets_of("", window), False, None, None, "", by_pixels=by_pixels)


def stored_pictures(path: Path, header: ImageHeader, frames: Sequence[int]) -> Array:
    """Return (len(frames), rows, columns[, samples]) as in the file: palette indices, alpha, not turned."""
    return _decoded(path, header, tuple(frames), upright=False)


def describe_picture(path: str, kind: str) -> _Described:
    """Read what a picture says; of TIFF, whose pages have to be walked, in a worker process only."""
    with _limited(kind, megapixels=0), _opened(Path(path), kind) as image:
        turned = _orientation(image) in _TURNED
        return _Described(image.mode, image.height, image.width, _frames(image), _codec(image, kind), turned)


def decode_picture(path: str, kind: str, frames: tuple[int, ...], upright: bool, megapixels: float) -> Array:
    """Decode pages of a picture; TIFF, whose decoders are many and old, in a worker process only."""
    with _limited(kind, megapixels):
        return np.stack([_decode_page(Path(path), kind, frame, upright=upright) for frame in frames])


def _decoded(path: Path, header: ImageHeader, frames: tuple[int, ...], *, upright: bool) -> Array:
    megapixels = len(frames) * header.rows * header.columns / 1e6
    pages: Array = _contained(path, header.kind, decode_picture, frames, upright, megapixels)
    return pages


def _contained(path: Path, kind: str, function: Callable[..., T], *arguments: object) -> T:
    """Return ``function(path, kind, *arguments)``, of TIFF from a worker."""
    if kind != "TIFF":
        with refusals.refusing(path), quiet:
            return function(str(path), kind, *arguments)
    try:
        return shared_pool().run_on_file(path, function, kind, *arguments)
    except DecodeError as error:
        oversized = str(error) == UserError.__name__  # the one sentence that is made in a worker
        raise (refusals.too_large(path) if oversized else refusals.damaged(path)) from error


def _limited(kind: str, megapixels: float) -> AbstractContextManager[None]:
    return bounded(megapixels) if kind == "TIFF" else nullcontext()


def _decode_page(path: Path, kind: str, frame: int, *, upright: bool) -> Array:
    with _opened(path, kind) as image:
        if frame:
            image.seek(frame)
        refusals.refuse_too_large(path, image.height, image.width, 1, _BYTES.get(image.mode, 2))
        image.load()
        if not upright:
            return _as_array(image)
        upright_image = image if _orientation(image) == 1 else ImageOps.exif_transpose(image)
        return _as_array(_flattened(upright_image))


def _orientation(image: Image.Image) -> int:
    """Return how a JPEG or PNG was held; the TIFF reader turns pages by itself."""
    told = image.format == "JPEG" or (image.format == "PNG" and "exif" in image.info)
    # Asking a PNG without the entry would decode it.
    return int(image.getexif().get(_ORIENTATION) or 1) if told else 1


def _flattened(image: Image.Image) -> Image.Image:
    """Return a grey picture of its own depth, or RGB."""
    if image.mode == "1":
        return image.convert("L")
    if image.mode in _GREY and "transparency" not in image.info:
        return image
    if image.mode == "LA":
        return Image.composite(image.getchannel("L"), Image.new("L", image.size), image.getchannel("A"))
    if image.mode in ("RGBA", "PA", "La", "RGBa") or "transparency" in image.info:
        if image.mode in _GREY:  # one grey named transparent: nothing to see through to
            return image
        coloured = image.convert("RGBA")
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, coloured).convert("RGB")
    return image.convert("RGB")


def _as_array(image: Image.Image) -> Array:
    array = np.asarray(image)
    if array.dtype == np.bool_:
        return array.astype(np.uint8)
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))


def _opened(path: Path, kind: str) -> Image.Image:
    """Open a picture with the one reader its content calls for; refuses pixel counts that are bombs."""
    try:
        return Image.open(path, formats=(kind,))
    except Image.DecompressionBombError as error:
        raise refusals.too_large(path) from error


def _frames(image: Image.Image) -> int:
    return max(1, int(getattr(image, "n_frames", 1))) if image.format == "TIFF" else 1


def _codec(image: Image.Image, kind: str) -> str:
    compression = image.info.get("compression")
    return f"{kind} {compression}" if kind == "TIFF" and isinstance(compression, str) else kind


def picture_bytes(pixels: Array) -> bytes:
    """Return a PNG of the pixels and nothing else. pixels: (rows, columns) or (rows, columns, 3) uint8."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()
