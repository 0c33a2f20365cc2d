"""Reproducible numbers for probes and canaries: SplitMix64 in counter mode, seeded by a text.

The i-th number of a stream (i = 0, 1, ...) is mix(seed + (i + 1) * 0x9E3779B97F4A7C15) modulo
2^64, with the finaliser of Steele, Lea, Flood 2014, "Fast Splittable Pseudorandom Number
Generators" (OOPSLA), figure 17. The seed is the first 8 bytes, little-endian, of the SHA-256 of a text.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Constants and shifts are those of figure 17 and, with the texts below, part of format 1: any other value
# gives probes and canaries that no other reader can reproduce.
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_CANARY_GRID = 8


def seed_of(text: str) -> int:
    """Return the 64-bit seed that stands for a text."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:8], "little")


def splitmix64(seed: int, count: int) -> NDArray[np.uint64]:
    """Return the first ``count`` numbers of the stream of ``seed``: (count,) uint64."""
    # Arithmetic is modulo 2^64 on purpose.
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * _STEP
        z = (z ^ (z >> np.uint64(30))) * _MIX[0]
        z = (z ^ (z >> np.uint64(27))) * _MIX[1]
    return z ^ (z >> np.uint64(31))


def signs(text: str, count: int) -> NDArray[np.float64]:
    """Return ``count`` values of +1 (top bit 0) or -1 (top bit 1): exact in every number type."""
    top_bits = splitmix64(seed_of(text), count) >> np.uint64(63)
    return 1.0 - 2.0 * top_bits.astype(np.float64)


def probe_vectors(name: str, rows: int, columns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return R (8, rows), filled row by row, and r (columns,) of the matrix called ``name``."""
    left = signs(f"sigma-adapter/1/probe/left/{name}", 8 * rows).reshape(8, rows)
    return left, signs(f"sigma-adapter/1/probe/right/{name}", columns)


def canary_image(seed: int, rows: int, columns: int) -> NDArray[np.uint8]:
    """Return a synthetic colour image, (rows, columns, 3) uint8, of 8 x 8 flat blocks.

    Block (i, j) of channel c is the top byte of number (8 i + j) 3 + c of the stream; pixel (y, x)
    lies in block (8 y // rows, 8 x // columns).
    """
    stream = splitmix64(seed_of(f"sigma-adapter/1/canary/{seed}"), _CANARY_GRID * _CANARY_GRID * 3)
    blocks = (stream >> np.uint64(56)).astype(np.uint8).reshape(_CANARY_GRID, _CANARY_GRID, 3)
    i = np.arange(rows) * _CANARY_GRID // rows
    j = np.arange(columns) * _CANARY_GRID // columns
    return blocks[i[:, None], j[None, :]]
