"""PNG, JPEG, TIFF and BMP pictures."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from clipsvd_app.imaging import refusals
from clipsvd_app.imaging.decode_worker import DecodeError, shared_pool
from clipsvd_app.imaging.presets import presets_of
from clipsvd_app.imaging.quiet import quiet
from clipsvd_app.imaging.values import Frame, ImageHeader
from clipsvd_app.imaging.windows import IDENTITY_8_BIT, default_window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.imaging.values import Array

# Pillow logs what it finds odd in a file; without a handler that would end on the user's terminal.
logging.getLogger("PIL").addHandler(logging.NullHandler())

_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)
_PHOTOMETRIC = {"P": "PALETTE COLOR", "PA": "PALETTE COLOR", "1": "MONOCHROME2", "L": "MONOCHROME2"}
_BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I;16L": 16, "I": 32, "F": 32}
_BYTES = {"I": 4, "F": 4, "RGB": 3, "RGBA": 4, "CMYK": 4, "RGBX": 4, "YCbCr": 3, "LAB": 3, "HSV": 3, "LA": 2}
_GREY = ("1", "L", "I", "F", "I;16", "I;16B", "I;16L")


def read_picture_header(path: Path, kind: str) -> ImageHeader:
    """Read the header of a picture; its size is that of the upright picture."""
    with refusals.refusing(path), quiet, _opened(path, kind) as image:
        frames = _frames(image)
        rows, columns = image.height, image.width
        refusals.refuse_too_large(path, rows, columns, frames, _BYTES.get(image.mode, 2))
        if _orientation(image) in _TURNED:
            rows, columns = columns, rows
        return ImageHeader(
            kind=kind,
            modality="",
            photometric=_PHOTOMETRIC.get(image.mode, "MONOCHROME2" if image.mode in _GREY else "RGB"),
            transfer_syntax=_codec(image, kind),
            rows=rows,
            columns=columns,
            frames=frames,
            bits_stored=_BITS.get(image.mode, 8),
        )


def read_picture_frame(path: Path, kind: str, frame: int) -> Frame:
    """Decode one page, upright, palette and transparency flattened onto black."""
    refusals.check_frame(path, frame, read_picture_header(path, kind).frames)
    pixels = _decoded(path, kind, (frame,), upright=True)[0]
    if pixels.ndim == 3:
        return Frame(pixels, IDENTITY_8_BIT, (), False, None, None, "")
    bits = 8 if pixels.dtype.itemsize == 1 else 16
    values = pixels.astype(np.float32)
    window = default_window(values, "", bits)
    return Frame(values, window, presets_of("", window), False, None, None, "")


def stored_pictures(path: Path, kind: str, frames: Sequence[int]) -> Array:
    """Return (len(frames), rows, columns[, samples]) as in the file: palette indices, alpha, not turned."""
    return _decoded(path, kind, tuple(frames), upright=False)


def decode_picture(path: str, kind: str, frames: tuple[int, ...], upright: bool) -> Array:
    """Decode pages of a picture; TIFF, whose decoders are many and old, in a worker process only."""
    return np.stack([_decode_page(Path(path), kind, frame, upright=upright) for frame in frames])


def _decoded(path: Path, kind: str, frames: tuple[int, ...], *, upright: bool) -> Array:
    if kind == "TIFF":
        try:
            return shared_pool().run(decode_picture, str(path), kind, frames, upright)
        except DecodeError as error:
            raise refusals.damaged(path) from error
    with refusals.refusing(path), quiet:
        return decode_picture(str(path), kind, frames, upright)


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
