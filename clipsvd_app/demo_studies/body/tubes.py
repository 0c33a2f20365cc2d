"""Ribs, vessels and wires: everything long and round, drawn as centrelines convolved with a cross-section.

A disc swept along a line gives the path length through a solid cylinder, a ring that of a hollow one; so all
strands of one radius cost one convolution. The spectra are Hankel transforms: J1(2 pi r f) / (pi r f) for the
disc and J0(2 pi r f) for the ring.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.special import j0, j1

from clipsvd_app.demo_studies.body.geometry import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.demo_studies.body.geometry import Field, Frame

_SMALLEST_RADIUS = 0.002
_RADIUS_RATIO = 2.0
_EDGE_PIXELS = 0.6

Spectrum: TypeAlias = npt.NDArray[np.complex64]


@dataclass(frozen=True, slots=True)
class Strands:
    """Points of many centrelines: points (n, 2), radius (n,), weight (n,); units as in ``geometry``.

    weight is the attenuation at the middle of the strand times the length of line the point stands for.
    """

    points: Line
    radius: Line
    weight: Line


def strand(points: Line, radius: npt.ArrayLike, strength: npt.ArrayLike) -> Strands:
    """Make a strand of given mid-line attenuation from closely spaced points (n, 2)."""
    length = np.linalg.norm(np.gradient(points, axis=0), axis=1)
    full = np.broadcast_to(np.asarray(radius, dtype=np.float64), length.shape)
    return Strands(points, full, length * np.asarray(strength, dtype=np.float64))


def join(strands: Sequence[Strands]) -> Strands:
    """Gather several strands into one set of points."""
    return Strands(
        np.concatenate([s.points for s in strands]),
        np.concatenate([s.radius for s in strands]),
        np.concatenate([s.weight for s in strands]),
    )


def draw_tubes(frame: Frame, strands: Strands, *, hollow: float = 0.0) -> Field:
    """Return the attenuation (size, size) of the strands; ``hollow`` is the share that lies in the shell."""
    padded = _padded_size(frame.size)
    rank = np.log(np.maximum(strands.radius, _SMALLEST_RADIUS) / _SMALLEST_RADIUS) / np.log(_RADIUS_RATIO)
    lower = np.floor(rank).astype(int)
    total = np.zeros((padded, padded // 2 + 1), dtype=np.complex64)
    for radius_class in range(int(lower.min()), int(lower.max()) + 2):
        share = np.clip(1.0 - np.abs(rank - radius_class), 0.0, 1.0)
        chosen = share > 0
        if chosen.any():
            dots = _splat(frame, strands.points[chosen], (strands.weight * share)[chosen], padded)
            total += fft.rfft2(dots) * _cross_section(frame.size, radius_class, hollow)
    drawn = fft.irfft2(total, s=(padded, padded))
    return np.ascontiguousarray(drawn[: frame.size, : frame.size], dtype=np.float32)


def _padded_size(size: int) -> int:
    return int(fft.next_fast_len(size + size // 8, real=True))


def _splat(frame: Frame, points: Line, weight: Line, padded: int) -> Field:
    """Share each point's weight out to the four pixels around it."""
    pixel = (frame.pose.to_film(points) + 1.0) * (frame.size / 2) - 0.5
    corner = np.floor(pixel).astype(np.int64)
    part = pixel - corner
    flat, shares = [], []
    for dy in (0, 1):
        for dx in (0, 1):
            column, row = corner[:, 0] + dx, corner[:, 1] + dy
            inside = (column >= 0) & (column < frame.size) & (row >= 0) & (row < frame.size)
            across = part[:, 0] if dx else 1.0 - part[:, 0]
            down = part[:, 1] if dy else 1.0 - part[:, 1]
            flat.append((row * padded + column)[inside])
            shares.append((weight * across * down)[inside])
    counts = np.bincount(np.concatenate(flat), np.concatenate(shares), minlength=padded * padded)
    return counts.astype(np.float32).reshape(padded, padded)


@lru_cache(maxsize=64)
def _cross_section(size: int, radius_class: int, hollow: float) -> Field:
    """Return the spectrum of one cross-section, scaled to mid-line attenuation 1 for a unit line weight."""
    radius = _SMALLEST_RADIUS * _RADIUS_RATIO**radius_class * size / 2
    padded = _padded_size(size)
    frequency = np.hypot(fft.fftfreq(padded)[:, None], fft.rfftfreq(padded)[None, :])
    angle = np.maximum(2 * np.pi * radius * frequency, 1e-9)
    body = (1.0 - hollow) * 2.0 * j1(angle) / angle + hollow * j0(0.93 * angle)
    edge = np.exp(-2.0 * (np.pi * _EDGE_PIXELS * frequency) ** 2)
    # A strand of unit strength leaves 2 / size in each pixel of its length; a cylinder of unit height needs
    # pi / 2 times its radius there.
    spectrum: Field = (body * edge * (size / 2) * (np.pi / 2 * radius)).astype(np.float32)
    return spectrum
