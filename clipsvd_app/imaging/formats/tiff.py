"""TIFF images of any depth: description, stored and displayed pixels; in a worker only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import ImageCms

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.formats import tiff_directory as tags
from clipsvd_app.imaging.formats.described import Described, aspect_of, eight_bits, on_black
from clipsvd_app.imaging.formats.tiff_pages import Chosen, choose
from clipsvd_app.imaging.formats.tiff_pixels import (
    CMYK,
    GREY,
    LAB,
    PALETTE,
    RGB,
    bits_of,
    is_bytewise,
    photometric_of,
    pillow_page,
    refuse_unsupported,
    samples_of,
    stored_page,
)
from clipsvd_app.imaging.opened import opened
from clipsvd_app.imaging.values import FileNote, notes_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import BinaryIO

    from clipsvd_app.imaging.formats.tiff_directory import Page
    from clipsvd_app.imaging.values import Array

# Photometric interpretations and compressions by their numbers (TIFF 6.0 and libtiff); 4 is a mask.
_NAMES = {0: "MONOCHROME1", 1: "MONOCHROME2", PALETTE: "PALETTE COLOR", 4: "MONOCHROME2"}
_CODECS = {
    1: "raw",
    2: "tiff_ccitt",
    3: "group3",
    4: "group4",
    5: "tiff_lzw",
    7: "jpeg",
    8: "tiff_adobe_deflate",
    32773: "packbits",
    32946: "tiff_deflate",
    34925: "lzma",
    50000: "zstd",
}
# Values of ExtraSamples (TIFF 6.0, section 18).
_ASSOCIATED, _UNASSOCIATED = 1, 2


def describe_tiff(path: Path) -> Described:
    """Read what the chosen pages say; refuses what is not decoded here, by its name."""
    with opened(path) as file:
        chosen = _chosen(path, file)
        page = chosen.pages[0]
        refuse_unsupported(path, page)
        bits, samples = bits_of(page), samples_of(page)
        notes = (*chosen.notes, *_colour_notes(page))
        return Described(
            photometric=_NAMES.get(photometric_of(page), "RGB"),
            codec=f"TIFF {_CODECS[page.whole(tags.COMPRESSION, 1)]}",
            rows=page.whole(tags.LENGTH, 0),
            columns=page.whole(tags.WIDTH, 0),
            frames=chosen.frames,
            bits=8 if photometric_of(page) not in (*GREY, PALETTE, 4) else bits,
            pixel_bytes=max(1, samples * -(-bits // 8)),
            orientation=page.whole(tags.ORIENTATION, 1),
            aspect=_aspect(page),
            notes=notes,
        )


def stored_tiff(path: Path, frames: Sequence[int]) -> Array:
    """Return (frames, rows, columns[, samples]) as stored: no zero turned black, no palette, not turned."""
    with opened(path) as file:
        chosen = _chosen(path, file)
        return np.stack([stored_page(*_page_of(chosen, frame)) for frame in frames])


def shown_tiff(path: Path, frame: int) -> Array:
    """Return a frame as stored: grey (rows, columns), else RGB (rows, columns, 3) uint8."""
    with opened(path) as file:
        page, behind = _page_of(_chosen(path, file), frame)
        if not is_bytewise(page):
            return _by_pillow(page)
        return _shown(page, stored_page(page, behind))


def _chosen(path: Path, file: BinaryIO) -> Chosen:
    pages = tags.read_pages(file)
    if not pages:
        raise ValueError("a TIFF without a directory")
    chosen = choose(pages)
    if chosen is None:
        raise UserError(
            f"{path.name} contains only the label or glass of a slide, which may show a name.",
            remedy="Choose the file with the slide image.",
            code="slide_label",
        )
    return chosen


def _page_of(chosen: Chosen, frame: int) -> tuple[Page, int]:
    """Return a frame's page, and which frame after the page's own it is."""
    last = len(chosen.pages) - 1
    return chosen.pages[min(frame, last)], max(0, frame - last)


def _shown(page: Page, pixels: Array) -> Array:
    photometric, bits = photometric_of(page), bits_of(page)
    if photometric == PALETTE:
        return _palette(page)[np.minimum(pixels, (1 << bits) - 1)]
    if photometric == RGB:
        colours = eight_bits(pixels[:, :, :3], bits)
        alpha = _alpha(page, pixels, 3)
        return colours if alpha is None else on_black(colours, eight_bits(alpha, bits))
    if pixels.ndim == 2:
        return pixels
    alpha, grey = _alpha(page, pixels, 1), pixels[:, :, 0]
    if alpha is None or grey.dtype.kind != "u" or bits not in (8, 16, 32):
        return grey
    return on_black(grey, alpha, inverted=photometric == 0)


def _alpha(page: Page, pixels: Array, colours: int) -> Array | None:
    """Return the alpha that is still to be applied; with associated alpha, colours are multiplied already."""
    extra = page.numbers(tags.EXTRA_SAMPLES)
    if pixels.shape[2] > colours and extra and extra[0] == _UNASSOCIATED:
        return pixels[:, :, colours]
    return None


def _by_pillow(page: Page) -> Array:
    image = pillow_page(page)
    if image.mode == "LAB":
        to_rgb = ImageCms.buildTransform(
            ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
        )
        changed = ImageCms.applyTransform(image, to_rgb)
        assert changed is not None, "not done in place"
        return np.asarray(changed)
    if image.mode == "1":
        return np.asarray(image).astype(np.uint8)
    return np.asarray(image if image.mode == "L" else image.convert("RGB"))


def _palette(page: Page) -> Array:
    """Return (entries, 3) uint8; some writers fill the 16-bit table with 8-bit values, as libtiff knows."""
    table = np.asarray(page.numbers(tags.COLOR_MAP), dtype=np.int64).reshape(3, -1).T
    return (table if table.max(initial=0) <= 255 else table >> 8).astype(np.uint8)


def _aspect(page: Page) -> float:
    across, down = page.numbers(tags.X_RESOLUTION)[:1], page.numbers(tags.Y_RESOLUTION)[:1]
    return aspect_of(across[0], down[0]) if across and down else 1.0


def _colour_notes(page: Page) -> tuple[FileNote, ...]:
    photometric, samples = photometric_of(page), samples_of(page)
    colours = {RGB: 3, CMYK: 4, PALETTE: 1}.get(photometric, 1 if photometric in GREY else samples)
    extra = page.numbers(tags.EXTRA_SAMPLES)
    alphas = 1 if extra and extra[0] in (_ASSOCIATED, _UNASSOCIATED) else 0
    return notes_of(
        {
            "colour_depth": int(photometric in (RGB, CMYK, LAB) and bits_of(page) > 8),
            "colour_profile": int(photometric in (CMYK, LAB)),
            "channels_left_out": samples - colours - alphas,
        }
    )
