"""Pictures of nothing: noise, falling leaves, waves. They widen what the image tower sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .canvas import Array, ellipse, fractal, grid, noise, outline, pick, soft, to_bytes
from .phrasing import Picture, Statement

if TYPE_CHECKING:
    from numpy.random import Generator


def draw(rng: Generator) -> Picture:
    """Draw noise, leaves or waves, in grey or in colour."""
    kind = pick(rng, ("noise", "leaves", "leaves", "waves"))
    image = {"noise": _fog, "leaves": _leaves, "waves": _waves}[kind](rng)
    if rng.random() < 0.5:
        image = np.repeat(image.mean(axis=-1, keepdims=True), 3, axis=-1)
    words: dict[str, Statement] = {
        "noise": ("cloudy noise", "fractal noise", "a noisy field"),
        "leaves": ("overlapping shapes", "falling leaves of random colour", "layered discs"),
        "waves": ("a striped pattern", "wavy stripes", "a wave pattern"),
    }
    return Picture(to_bytes(image.astype(np.float32)), "texture", (words[kind],))


def _fog(rng: Generator) -> Array:
    slope = rng.uniform(0.5, 2)
    shared = fractal(rng, slope)
    mixed = [0.5 + 0.2 * (shared + 0.4 * fractal(rng, slope)) for _ in range(3)]
    return np.asarray(np.stack(mixed, axis=-1), dtype=np.float32)


def _leaves(rng: Generator) -> Array:
    image = np.full((*grid()[0].shape, 3), rng.uniform(0, 1, 3), dtype=np.float32)
    for _ in range(int(rng.integers(10, 30))):
        radius = 0.05 / rng.uniform(0.06, 1)
        cy, cx = rng.uniform(-1, 1, 2)
        shape = (
            ellipse(cy, cx, radius, radius * rng.uniform(0.3, 1), rng.uniform(0, 3))
            if rng.random() < 0.5
            else outline(rng, cy, cx, radius, radius, 0.3, (2, 3, 4, 5))
        )
        mask = soft(shape, rng.uniform(0.005, 0.03))[..., None]
        fill = rng.uniform(0, 1, 3) + rng.uniform(0, 0.15) * noise(rng, rng.uniform(1, 10))[..., None]
        image = np.asarray(image * (1 - mask) + fill * mask, dtype=np.float32)
    return image


def _waves(rng: Generator) -> Array:
    y, x = grid()
    image = np.zeros((*y.shape, 3), dtype=np.float32)
    for _ in range(int(rng.integers(1, 4))):
        angle, rate = rng.uniform(0, 3.15), rng.uniform(4, 40)
        phase = rate * (y * np.sin(angle) + x * np.cos(angle)) + rng.uniform(0, 3) * noise(rng, 25)
        image += np.sin(phase)[..., None] * rng.uniform(-0.3, 0.3, 3)
    return image + 0.5
