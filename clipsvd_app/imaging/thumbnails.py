"""Thumbnails of frames, cached on disk by content; the cache may be deleted at any time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from clipsvd_app import settings
from clipsvd_app.files import keep
from clipsvd_app.imaging.display.greys import rgb_of, to_display
from clipsvd_app.imaging.files.known_hashes import known_sha256
from clipsvd_app.imaging.formats.images import picture_bytes
from clipsvd_app.imaging.reading import PIXELS_VERSION, read_frame
from clipsvd_app.imaging.signature import sniff

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.domain.view import Window
    from clipsvd_app.imaging.values import Bytes


def thumbnail(
    path: Path,
    frame: int,
    side_px: int = 160,
    *,
    cache_folder: Path | None = None,
    series_window: Window | None = None,
) -> Bytes:
    """Return a frame in its default window within side_px x side_px, (rows, columns, 3) uint8.

    series_window: see `read_frame`.
    cache_folder: where the PNGs of pixels alone are kept, by default the user's cache.
    """
    sniff(path)
    folder = cache_folder or settings.cache_folder() / "thumbnails"
    name = f"{known_sha256(path)}-{frame}-{side_px}{_named(series_window)}.png"
    kept = folder / f"v{PIXELS_VERSION}" / name[:2] / name
    found = _load(kept)
    if found is not None:
        return found
    small = shrunk(to_display(read_frame(path, frame, series_window)), side_px)
    keep(kept, picture_bytes(small))
    return small


def _named(window: Window | None) -> str:
    return "" if window is None else f"-c{window.centre:.9g}-w{window.width:.9g}"


def shrunk(display: Bytes, side_px: int) -> Bytes:
    """Return a display image as RGB within side_px x side_px; small ones keep their size."""
    image = Image.fromarray(rgb_of(display))
    image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    return np.array(image)


def _load(kept: Path) -> Bytes | None:
    try:
        with Image.open(kept, formats=("PNG",)) as image:
            return np.array(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError):  # absent, or damaged: made again
        return None
