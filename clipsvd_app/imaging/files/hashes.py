"""Content hashes: exact for caches, perceptual for near-duplicates."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from clipsvd_app.imaging.guard import refusals
from clipsvd_app.imaging.opened import opened

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.imaging.values import Array, Bytes


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal; refuses folders and what cannot be read."""
    with refusals.refusing(path):
        if path.is_dir():
            raise refusals.folder(path)
        with opened(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def perceptual_hash(display: Bytes) -> int:
    """Return 64 bits, one for each low frequency of a 32 x 32 reduction above their median.

    The constant term is left out of the median. display: (rows, columns) or (rows, columns, 3) uint8.
    """
    # 64 bits in one integer: the lowest 8 x 8 frequencies of a 32 x 32 image (the usual pHash).
    cosines = _cosines(32)[:8]
    low = cosines @ _reduced(display, 32) @ cosines.T
    return _bits(low > np.median(low.reshape(-1)[1:]))


def hash_distance(one: int, other: int) -> int:
    """Count the bits in which two perceptual hashes differ: 0 to 64."""
    return (one ^ other).bit_count()


def _reduced(display: Bytes, side: int) -> Array:
    grey = Image.fromarray(np.ascontiguousarray(display)).convert("L")
    return np.asarray(grey.resize((side, side), Image.Resampling.BOX), dtype=np.float64)


def _cosines(size: int) -> Array:
    """Return the matrix of the discrete cosine transform, type II, rows by frequency."""
    frequency, place = np.mgrid[:size, :size]
    return np.asarray(np.cos(np.pi * frequency * (2 * place + 1) / (2 * size)))


def _bits(cells: Array) -> int:
    return int.from_bytes(np.packbits(cells.reshape(-1)).tobytes(), "big")
