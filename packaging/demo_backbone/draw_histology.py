"""Histology-like phantoms: nuclei in pink tissue, glands, fibres, fat, with crowding and atypia."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .canvas import Array, blur, fractal, noise, pick, soft, to_bytes
from .phrasing import Picture, Statement

if TYPE_CHECKING:
    from numpy.random import Generator

PINK = np.array([0.86, 0.62, 0.76], dtype=np.float32)
PURPLE = np.array([0.36, 0.24, 0.52], dtype=np.float32)
WHITE = np.array([0.95, 0.93, 0.95], dtype=np.float32)


def draw(rng: Generator) -> Picture:
    """Draw one stained section."""
    kind = pick(rng, ("glands", "sheets", "fibres", "fat"))
    scale = rng.uniform(2.5, 6)
    tissue, white, density, words = _architecture(rng, kind)
    crowded = density > 0.5
    atypical = rng.random() < 0.4
    nuclei = _nuclei(rng, scale, density, atypical, kind == "fibres") * (1 - white)
    eosin = PINK * rng.uniform(0.85, 1.1)
    image = WHITE + (eosin - WHITE) * np.clip(tissue, 0, 1.3)[..., None]
    image = image * (1 - white[..., None]) + WHITE * white[..., None]
    image = image * (1 - nuclei[..., None]) + PURPLE * rng.uniform(0.8, 1.3) * nuclei[..., None]
    facts: list[Statement] = [
        words,
        ("crowded nuclei", "many densely packed nuclei", "high cellularity")
        if crowded
        else ("sparse nuclei", "few scattered nuclei", "low cellularity"),
        ("large pleomorphic nuclei", "nuclear atypia", "enlarged irregular nuclei")
        if atypical
        else ("small uniform nuclei", "regular nuclei", "bland nuclei"),
    ]
    image = image * rng.uniform(0.85, 1.08, 3) + 0.015 * noise(rng, 1.2)[..., None]
    sigma = rng.uniform(0.2, 0.7)
    planes = [blur(np.asarray(image[..., k], dtype=np.float32), sigma) for k in range(3)]
    return Picture(to_bytes(np.stack(planes, axis=-1)), "histology", tuple(facts))


def _architecture(rng: Generator, kind: str) -> tuple[Array, Array, float, Statement]:
    """Return tissue stain, white space, nuclear density, and the words for the pattern."""
    tissue = 0.75 + 0.12 * fractal(rng, 1.0)
    empty = np.zeros_like(tissue)
    if kind == "glands":
        field = noise(rng, rng.uniform(14, 24))
        white = soft(0.6 - field, 0.12)
        return (
            tissue,
            white,
            rng.uniform(0.3, 0.8),
            ("glands with a lumen", "glandular architecture", "gland lumina"),
        )
    if kind == "fibres":
        bands = np.sin(6 * noise(rng, 30) + rng.uniform(8, 16) * np.linspace(-1, 1, 128)[:, None])
        return (
            tissue + 0.2 * bands,
            empty,
            rng.uniform(0.1, 0.5),
            ("spindle cells and fibres", "fibrous stroma", "collagen bundles"),
        )
    if kind == "fat":
        cells = noise(rng, rng.uniform(10, 16))
        white = soft(0.35 - np.abs(cells), 0.08)
        return (
            tissue,
            white,
            rng.uniform(0.05, 0.3),
            ("fat vacuoles", "adipose tissue", "empty round fat cells"),
        )
    return (
        tissue,
        empty,
        rng.uniform(0.3, 0.9),
        ("sheets of cells", "a solid growth pattern", "diffuse cell sheets"),
    )


def _nuclei(rng: Generator, scale: float, density: float, atypical: bool, spindle: bool) -> Array:
    stretch = 2.2 if spindle else 1.0
    field = noise(rng, scale, scale * stretch)
    if atypical:
        field = 0.6 * field + 0.6 * noise(rng, scale * 1.8, scale * 1.8 * stretch)
    threshold = 1.5 - 1.2 * density
    return np.asarray(soft(threshold - field, 0.12) * (0.8 + 0.15 * noise(rng, 1.5)), dtype=np.float32).clip(
        0, 1
    )
