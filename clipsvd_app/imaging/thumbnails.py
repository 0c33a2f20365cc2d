"""Small pictures of frames, kept on disk by content; the cache may be deleted at any time."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from clipsvd_app import settings
from clipsvd_app.imaging.display import rgb_of, to_display
from clipsvd_app.imaging.known_hashes import known_sha256
from clipsvd_app.imaging.pictures import picture_bytes
from clipsvd_app.imaging.reading import read_frame
from clipsvd_app.imaging.sniffing import sniff

if TYPE_CHECKING:
    from clipsvd_app.imaging.values import Bytes

# Raise this when the same file would give other pixels.
_FORMAT = 1


def thumbnail(
    path: Path, frame: int, side_px: int = 160, *, cache_folder: Path | None = None, sha256: str | None = None
) -> Bytes:
    """Return a frame in its default window within side_px x side_px, (rows, columns, 3) uint8.

    cache_folder: where the PNGs of pixels alone are kept, by default the user's cache.
    sha256: of the file, where the caller knows it already.
    """
    sniff(path)
    folder = cache_folder or settings.cache_folder() / "thumbnails"
    key = sha256 or known_sha256(path)
    kept = folder / key[:2] / f"{key}-{frame}-{side_px}-v{_FORMAT}.png"
    found = _load(kept)
    if found is not None:
        return found
    small = shrunk(to_display(read_frame(path, frame)), side_px)
    _keep(kept, picture_bytes(small))
    return small


def shrunk(display: Bytes, side_px: int) -> Bytes:
    """Return a display image as RGB within side_px x side_px; small ones keep their size."""
    image = Image.fromarray(rgb_of(display))
    image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    return np.array(image)


def _load(kept: Path) -> Bytes | None:
    try:
        with Image.open(kept, formats=("PNG",)) as image:
            return np.array(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError):  # absent, or damaged and made again
        return None


def _keep(kept: Path, png: bytes) -> None:
    """Write the cache entry whole or not at all; a full or read-only disk costs only time."""
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=kept.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(png)
        Path(draft).replace(kept)
    except OSError:
        return
