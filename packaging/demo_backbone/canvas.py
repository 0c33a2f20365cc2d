"""Drawing tools that all phantoms share: float arrays (size, size), coordinates from -1 to 1."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array: TypeAlias = NDArray[np.floating[Any]]
T = TypeVar("T")
SIZE = 128


@cache
def grid(size: int = SIZE) -> tuple[Array, Array]:
    """Return the coordinates (y down, x to the right) of every pixel."""
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    return y, x


@cache
def _frequencies(size: int) -> tuple[Array, Array]:
    return (
        np.fft.fftfreq(size).astype(np.float32)[:, None],
        np.fft.rfftfreq(size).astype(np.float32)[None],
    )


def noise(rng: np.random.Generator, scale_y: float, scale_x: float | None = None) -> Array:
    """Return Gaussian noise of unit variance, correlated over the given numbers of pixels."""
    fy, fx = _frequencies(SIZE)
    scale_x = scale_y if scale_x is None else scale_x
    damping = np.exp(-19.7 * ((fy * scale_y) ** 2 + (fx * scale_x) ** 2))
    return _shaped_noise(rng, damping)


def fractal(rng: np.random.Generator, slope: float) -> Array:
    """Return noise of unit variance whose amplitude falls with frequency to the power of slope."""
    fy, fx = _frequencies(SIZE)
    radius = np.sqrt(fy**2 + fx**2)
    radius[0, 0] = 1.0
    falling = radius**-slope
    falling[0, 0] = 0.0
    return _shaped_noise(rng, falling)


def _shaped_noise(rng: np.random.Generator, damping: Array) -> Array:
    white = rng.standard_normal((SIZE, SIZE), dtype=np.float32)
    shaped = np.fft.irfft2(np.fft.rfft2(white) * damping, s=(SIZE, SIZE)).astype(np.float32)
    return np.asarray((shaped - shaped.mean()) / (shaped.std() + 1e-6), dtype=np.float32)


def soft(distance: Array, width: float) -> Array:
    """Turn a signed distance (negative inside) into a mask from 0 to 1 with an edge of the given width."""
    return np.asarray(1 / (1 + np.exp(np.clip(distance / max(width, 1e-3), -30, 30))), dtype=np.float32)


def ellipse(cy: float, cx: float, ry: float, rx: float, turn: float = 0.0) -> Array:
    """Return the signed distance (roughly, in coordinates) to an ellipse turned by an angle in radians."""
    y, x = grid()
    dy, dx = y - cy, x - cx
    v, u = dy * np.cos(turn) - dx * np.sin(turn), dy * np.sin(turn) + dx * np.cos(turn)
    return np.asarray((np.sqrt((v / ry) ** 2 + (u / rx) ** 2) - 1) * min(ry, rx), dtype=np.float32)


def outline(
    rng: np.random.Generator,
    cy: float,
    cx: float,
    ry: float,
    rx: float,
    wobble: float,
    lobes: tuple[int, ...],
) -> Array:
    """Return the signed distance to an ellipse whose radius varies by wobble with the given orders."""
    y, x = grid()
    v, u = (y - cy) / ry, (x - cx) / rx
    angle = np.arctan2(v, u)
    radius = np.ones_like(angle)
    for order in lobes:
        radius += (
            wobble / len(lobes) ** 0.5 * rng.uniform(0.6, 1) * np.cos(order * angle + rng.uniform(0, 6.3))
        )
    return np.asarray((np.hypot(v, u) - np.clip(radius, 0.2, 2)) * min(ry, rx), dtype=np.float32)


def line(y0: float, x0: float, y1: float, x1: float) -> Array:
    """Return the distance of every pixel to a line segment."""
    y, x = grid()
    dy, dx = y1 - y0, x1 - x0
    along = np.clip(((y - y0) * dy + (x - x0) * dx) / (dy * dy + dx * dx + 1e-6), 0, 1)
    return np.asarray(np.hypot(y - y0 - along * dy, x - x0 - along * dx), dtype=np.float32)


def path(points: NDArray[np.float32]) -> Array:
    """Return the distance of every pixel to a chain of line segments; points: (n, 2) as y, x."""
    parts = [line(*a, *b) for a, b in pairwise(points)]
    return np.asarray(np.minimum.reduce(parts), dtype=np.float32)


def blur(image: Array, pixels_y: float, pixels_x: float | None = None) -> Array:
    """Blur with a Gaussian of the given standard deviations in pixels."""
    sigma = (pixels_y, pixels_y if pixels_x is None else pixels_x)
    return np.asarray(ndimage.gaussian_filter(image, sigma, truncate=3.0), dtype=np.float32)


def warp(rng: np.random.Generator, image: Array, pixels: float, scale: float = 40) -> Array:
    """Bend the image by smooth random shifts of about the given number of pixels."""
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    shifted = [rows + pixels * noise(rng, scale), columns + pixels * noise(rng, scale)]
    return np.asarray(ndimage.map_coordinates(image, shifted, order=1, mode="nearest"), dtype=np.float32)


def specks(rng: np.random.Generator, mask: Array, share: float, size_pixels: float) -> Array:
    """Return bright dots of the given size at random pixels of the mask."""
    seeds = (rng.random((SIZE, SIZE)) < share * mask).astype(np.float32)
    dots = blur(seeds, size_pixels)
    return np.asarray(dots / (dots.max() + 1e-6))


def to_bytes(image: Array) -> NDArray[np.uint8]:
    """Map 0..1 to 0..255."""
    return (np.clip(image, 0, 1) * 255).astype(np.uint8)


def pick(rng: np.random.Generator, options: tuple[T, ...] | list[T]) -> T:
    """Return one of the options, all equally likely."""
    return options[int(rng.integers(len(options)))]
