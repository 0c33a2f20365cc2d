"""PNG, JPEG, BMP, GIF and WebP images through Pillow."""

from __future__ import annotations

import io
import logging
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from clipsvd_app.imaging.formats.described import Described, aspect_of, on_black
from clipsvd_app.imaging.formats.exif_orientation import TAG
from clipsvd_app.imaging.formats.png_chunks import GREY_ALPHA, PngChunks, as_four_bytes, read_chunks
from clipsvd_app.imaging.guard import refusals
from clipsvd_app.imaging.guard.decode_worker import LastFile
from clipsvd_app.imaging.opened import opened
from clipsvd_app.imaging.values import NoteCode, notes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clipsvd_app.imaging.values import Array

# Pillow logs oddities of files; without a handler Python would print them on the user's terminal.
logging.getLogger("PIL").addHandler(logging.NullHandler())

_PALETTES = ("P", "PA")
_GREY = ("1", "L", "I", "F", "I;16", "I;16B", "I;16L")
# Bits of a sample and bytes of a pixel by Pillow's mode.
_BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I;16L": 16, "I": 32, "F": 32}
_BYTES = {"I": 4, "F": 4, "RGB": 3, "RGBA": 4, "CMYK": 4, "RGBX": 4, "YCbCr": 3, "LAB": 3, "HSV": 3, "LA": 2}
_PNG_COLOURS = (2, 6)
# Start of frame markers that libjpeg decodes (ITU-T T.81, table B.1), and what others are.
_JPEG_READ = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
_JPEG_NAMES = {0xC3: "lossless JPEG", 0xCB: "lossless JPEG", 0xF7: "JPEG-LS"}


def describe_with_pillow(path: Path, kind: str) -> Described:
    """Read an image's description; refuses kinds of JPEG that are not decoded here, by name."""
    if kind == "JPEG":
        _refuse_jpeg_varieties(path)
    chunks = read_chunks(path) if kind == "PNG" else None
    with _picture(path, kind) as image:
        deep = _is_deep_grey_alpha(chunks)
        frames = _frames(image, chunks)
        mode = "RGB" if frames > 1 else image.mode
        grey = deep or mode in (*_GREY, "LA", "La")
        return Described(
            photometric="PALETTE COLOR" if mode in _PALETTES else "MONOCHROME2" if grey else "RGB",
            codec=kind,
            rows=image.height,
            columns=image.width,
            frames=frames,
            bits=16 if deep else _BITS.get(mode, 8),
            pixel_bytes=4 if deep else _BYTES.get(mode, 2),
            orientation=_orientation(image, chunks),
            aspect=_aspect(path, image),
            notes=notes_of(_left_out(image, chunks)),
        )


def stored_with_pillow(path: Path, kind: str, frames: Sequence[int]) -> Array:
    """Return (frames, rows, columns[, samples]) as in the file; frames of animations as RGB."""
    chunks = read_chunks(path) if kind == "PNG" else None
    if _is_deep_grey_alpha(chunks):
        return _deep_grey_alpha(path)[np.newaxis]
    with _picture(path, kind) as image:
        if _frames(image, chunks) > 1:
            return np.stack([_animated(path, frame) for frame in frames])
        _loaded(path, image)
        return _as_array(image)[np.newaxis]


def shown_with_pillow(path: Path, kind: str, frame: int) -> Array:
    """Return a frame as stored: grey (rows, columns), else RGB; transparency is laid over black."""
    chunks = read_chunks(path) if kind == "PNG" else None
    if _is_deep_grey_alpha(chunks):
        pixels = _deep_grey_alpha(path)
        return on_black(pixels[:, :, 0], pixels[:, :, 1])
    with _picture(path, kind) as image:
        if _frames(image, chunks) > 1:
            return _animated(path, frame)
        _loaded(path, image)
        return _as_array(_flattened(image))


@contextmanager
def _picture(path: Path, kind: str) -> Iterator[Image.Image]:
    """Open an image with the one reader for its content; refuses decompression bombs."""
    with opened(path) as file:
        try:
            image = Image.open(file, formats=(kind,))
        except Image.DecompressionBombError as error:
            raise refusals.too_large(path) from error
        with image:
            yield image


def _loaded(path: Path, image: Image.Image) -> None:
    refusals.refuse_too_large(path, image.height, image.width, 1, _BYTES.get(image.mode, 2))
    image.load()


def _animated(path: Path, frame: int) -> Array:
    """Return one frame of an animation, (rows, columns, 3); called in a worker process only."""
    if frame < _LAST.of(str(path)).tell():  # Pillow cannot go back in every kind
        _LAST.forget()
    image = _LAST.of(str(path))
    image.seek(frame)
    _loaded(path, image)
    return _as_array(_flattened(image).convert("RGB"))


def _kept_open(path: str) -> Image.Image:
    """Open an animation in memory, so that no file stays open between frames."""
    return Image.open(io.BytesIO(Path(path).read_bytes()), formats=("GIF", "WEBP", "PNG"))


_LAST = LastFile(_kept_open)


def _frames(image: Image.Image, chunks: PngChunks | None) -> int:
    """Return the number of frames of an animation; further images of a photograph (MPO) are not frames."""
    if chunks is not None:
        return chunks.frames
    return max(1, int(getattr(image, "n_frames", 1))) if image.format in ("GIF", "WEBP") else 1


def _left_out(image: Image.Image, chunks: PngChunks | None) -> dict[NoteCode, int]:
    deep_colour = chunks is not None and chunks.depth == 16 and chunks.colour in _PNG_COLOURS
    previews = int(getattr(image, "n_frames", 1)) - 1 if image.format == "MPO" else 0
    return {
        "previews_left_out": previews,
        "frames_missing": 0 if chunks is None else chunks.stated - chunks.frames,
        "colour_depth": int(deep_colour),
        "colour_profile": int(image.mode == "CMYK"),
    }


def _orientation(image: Image.Image, chunks: PngChunks | None) -> int:
    """Return the orientation by EXIF or XMP data."""
    if chunks is not None and chunks.exif:
        exif = Image.Exif()
        exif.load(chunks.exif)
        return int(exif.get(TAG) or 1)
    # PNG's own method would decode the image to look for a chunk that is already known.
    return int(Image.Image.getexif(image).get(TAG) or 1)


def _aspect(path: Path, image: Image.Image) -> float:
    info = image.info
    if image.format == "GIF":
        return _gif_aspect(path)
    stated = info.get("jfif_density") if info.get("jfif_unit") == 0 else info.get("aspect") or info.get("dpi")
    if not isinstance(stated, tuple) or len(stated) != 2:
        return 1.0
    return aspect_of(float(stated[0]), float(stated[1]))


def _gif_aspect(path: Path) -> float:
    """Read the pixel aspect ratio of GIF89a, section 18: width over height in 64ths."""
    with opened(path) as file:
        stated = file.read(13)[12]
    # GIF89a, 18.c.vii: ratio = (value + 15) / 64.
    return aspect_of(64, stated + 15) if stated else 1.0


def _flattened(image: Image.Image) -> Image.Image:
    """Return a grey image of its own depth, or RGB."""
    if image.mode in _GREY:  # one grey named transparent: nothing to see through to
        return image
    if image.mode == "LA":
        return Image.composite(image.getchannel("L"), Image.new("L", image.size), image.getchannel("A"))
    if image.mode in ("RGBA", "PA", "La", "RGBa") or "transparency" in image.info:
        coloured = image.convert("RGBA")
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, coloured).convert("RGB")
    return image.convert("RGB")


def _as_array(image: Image.Image) -> Array:
    array = np.asarray(image)
    if array.dtype == np.bool_:
        return array.astype(np.uint8)
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))


def _is_deep_grey_alpha(chunks: PngChunks | None) -> bool:
    return chunks is not None and (chunks.depth, chunks.colour, chunks.frames) == (16, GREY_ALPHA, 1)


def _deep_grey_alpha(path: Path) -> Array:
    """Return (rows, columns, 2) of 16 bits, of which Pillow would keep the upper 8."""
    with opened(path) as file:
        content = as_four_bytes(file.read())
    with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
        _loaded(path, image)
        bytes_ = np.ascontiguousarray(np.asarray(image))
    return bytes_.view(">u2").astype("<u2")


def _refuse_jpeg_varieties(path: Path) -> None:
    marker, bits = _start_of_frame(path)
    if marker and marker not in _JPEG_READ:
        named = _JPEG_NAMES.get(marker, "hierarchical JPEG")
        raise refusals.unsupported(path, f"is {named}", "Save it as PNG.")
    if bits not in (0, 8):
        raise refusals.unsupported(path, f"is a JPEG of {bits} bits", "Save it as 16-bit PNG.")


def _start_of_frame(path: Path) -> tuple[int, int]:
    """Return the marker of a JPEG's frame header and the bits of a sample, (0, 0) where there is none."""
    with opened(path) as file:
        file.seek(2)
        # More segments than any JPEG has before its frame: ends the walk through a hostile file.
        for _ in range(10_000):
            head = file.read(4)
            if len(head) < 4 or head[0] != 0xFF:
                break
            if head[1] == 0xFF:  # a fill byte
                file.seek(-3, 1)
                continue
            length = int.from_bytes(head[2:], "big")
            if (0xC0 <= head[1] <= 0xCF and head[1] not in (0xC4, 0xC8, 0xCC)) or head[1] == 0xF7:
                return head[1], int.from_bytes(file.read(1), "big")
            file.seek(max(0, length - 2), 1)
    return 0, 0
