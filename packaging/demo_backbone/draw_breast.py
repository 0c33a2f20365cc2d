"""Breast tissue as ultrasound shows it: skin, fat lobules with septa, glandular layer, muscle, ribs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .canvas import Array, ellipse, fractal, grid, noise, soft

if TYPE_CHECKING:
    from numpy.random import Generator

    from .phrasing import Statement

BENIGN: Statement = (
    "a benign looking mass",
    "a benign tumour",
    "a benign lesion",
    "a probably benign mass",
    "benign",
    "findings of a benign lesion",
)
MALIGNANT: Statement = (
    "a malignant looking mass",
    "a malignant tumour",
    "a malignant lesion",
    "a mass suspicious for malignancy",
    "malignant",
    "findings of cancer",
)
NORMAL: Statement = ("normal", "normal tissue", "a normal study", "no abnormality", "normal findings")


def breast_tissue(rng: Generator) -> tuple[Array, tuple[Statement, ...]]:
    """Return the echo strength of a breast from skin (top) to chest wall and what is said of it."""
    y, x = grid()
    depth = y + rng.uniform(0.02, 0.1) * noise(rng, 45) + rng.uniform(-0.12, 0.12) * x
    skin = rng.uniform(-0.98, -0.8)
    gland_top = skin + rng.uniform(0.1, 0.6)
    gland_end = gland_top + rng.uniform(0.25, 0.9)
    muscle_end = gland_end + rng.uniform(0.15, 0.5)
    strength = _fat(rng)
    gland, facts = _gland(rng)
    strength = _layer(strength, gland, depth - gland_top - 0.08 * noise(rng, 16), 0.05)
    strength = _layer(strength, _fat(rng), depth - gland_end - 0.05 * noise(rng, 20), 0.03)
    strength = _layer(strength, _muscle(rng, depth), depth - gland_end - rng.uniform(0.02, 0.12), 0.015)
    strength = _layer(strength, np.full_like(y, rng.uniform(0.05, 0.4)), depth - muscle_end, 0.03)
    strength += rng.uniform(0.5, 1.6) * np.exp(-(((depth - gland_end - 0.04) / 0.015) ** 2))
    strength += rng.uniform(0.8, 2.0) * (depth < skin) + rng.uniform(0, 1.2) * np.exp(
        -(((depth - skin) / 0.02) ** 2)
    )
    if rng.random() < 0.25:
        for cx in rng.uniform(-1, 1) + np.array([-1.1, 0.0, 1.1]):
            rib = soft(ellipse(muscle_end + 0.1, cx, 0.12, 0.3), 0.02)
            shade = np.maximum.accumulate(rib, axis=0)
            strength = strength * (1 - 0.85 * shade) + 1.5 * rib * np.clip(
                1 - (y - muscle_end + 0.05) * 12, 0, 1
            )
    return np.clip(strength, 0.02, 4).astype(np.float32), facts


def _layer(above: Array, below: Array, distance: Array, width: float) -> Array:
    share = soft(-distance, width)
    return np.asarray(above * (1 - share) + below * share, dtype=np.float32)


def _fat(rng: Generator) -> Array:
    """Dark lobules between thin bright septa."""
    septa = np.exp(-((noise(rng, rng.uniform(8, 18), rng.uniform(14, 34)) / rng.uniform(0.06, 0.16)) ** 2))
    lobules = rng.uniform(0.25, 0.6) * (1 + 0.15 * noise(rng, 6, 12))
    return np.asarray(lobules + rng.uniform(0.2, 0.8) * septa * np.clip(0.6 + 0.5 * noise(rng, 14), 0, 1.5))


def _gland(rng: Generator) -> tuple[Array, tuple[Statement, ...]]:
    """Bright tissue with dark ducts; how much of it is fat differs from breast to breast."""
    level, roughness = rng.uniform(0.7, 1.5), rng.uniform(0.15, 0.5)
    tissue = level * (1 + roughness * (0.6 * noise(rng, 5, 11) + 0.5 * fractal(rng, 1.3)))
    fatty = rng.random() < 0.3
    if fatty:
        patches = soft(-(noise(rng, 12, 26) + rng.uniform(-0.4, 0.6)), 0.3)
        tissue = tissue * (1 - patches) + _fat(rng) * patches
    if rng.random() < 0.35:
        ducts = np.exp(-((noise(rng, 4, 14) / 0.15) ** 2))
        tissue = tissue * (1 - 0.6 * ducts)
    words: Statement = (
        ("fatty breast tissue", "predominantly fatty tissue", "fat lobules")
        if fatty
        else ("fibroglandular tissue", "echogenic glandular tissue", "glandular parenchyma")
    )
    return np.clip(np.asarray(tissue), 0.1, 3).astype(np.float32), (words,)


def _muscle(rng: Generator, depth: Array) -> Array:
    fibres = np.sin(depth * rng.uniform(40, 90) + 1.5 * noise(rng, 18, 50))
    return np.asarray(
        rng.uniform(0.3, 0.7) * (1 + rng.uniform(0.2, 0.5) * fibres * (1 + 0.4 * noise(rng, 5, 20)))
    )
