"""Mammography-like phantoms: a breast against air, glandular density, masses, calcifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .canvas import Array, blur, ellipse, fractal, grid, line, noise, outline, pick, soft, specks, to_bytes
from .phrasing import Picture, Statement

if TYPE_CHECKING:
    from numpy.random import Generator

DENSITIES: tuple[tuple[float, Statement], ...] = (
    (0.06, ("almost entirely fatty breast", "a fatty breast", "low breast density")),
    (0.16, ("scattered fibroglandular density", "scattered glandular tissue")),
    (0.3, ("heterogeneously dense breast", "heterogeneous glandular density")),
    (0.45, ("extremely dense breast", "very dense glandular tissue", "high breast density")),
)


def draw(rng: Generator) -> Picture:
    """Draw one view of one breast, half of them with a mass, a third with calcifications."""
    y, x = grid()
    side = pick(rng, (-1, 1))
    u = (x * side + 1) / 2
    depth, tall = rng.uniform(0.5, 0.9), rng.uniform(0.6, 0.95)
    sag = rng.uniform(-0.1, 0.2)
    distance = np.hypot(u / depth, (y - sag) / tall) - 1
    breast = soft(np.asarray(distance, dtype=np.float32), 0.02)
    level, words = pick(rng, DENSITIES)
    facts: list[Statement] = [words]
    tissue = np.clip(fractal(rng, 1.3) * 0.5 + 0.6, 0, 2) * soft(
        np.asarray(distance + 0.25, dtype=np.float32), 0.12
    )
    ducts = np.exp(-((noise(rng, 3, 9) / 0.2) ** 2)) * 0.15
    image = breast * (0.2 + 0.1 * soft(-np.asarray(distance + 0.1), 0.05) + level * tissue + level * ducts)
    image += 0.03 * breast * fractal(rng, 1.0)
    if rng.random() < 0.4:
        muscle = soft(np.asarray(u - 0.35 * (0.3 - y), dtype=np.float32), 0.02)
        image = np.maximum(image, muscle * rng.uniform(0.5, 0.7))
        facts.append(("the pectoral muscle", "mediolateral oblique view", "pectoral muscle in view"))
    cy, cx = sag + rng.uniform(-0.35, 0.35) * tall, side * (2 * rng.uniform(0.15, 0.6) * depth - 1)
    if rng.random() < 0.5:
        image, mass = _mass(rng, image, cy, cx)
        facts += mass
    else:
        facts.append(("no mass", "no dominant mass"))
    if rng.random() < 0.35:
        cluster = rng.random() < 0.7
        area = soft(ellipse(cy, cx, 0.15, 0.15), 0.05) if cluster else breast
        dots = specks(rng, area, 0.05 if cluster else 0.004, rng.uniform(0.4, 0.9))
        image = image + 0.6 * dots * breast
        facts.append(
            ("clustered microcalcifications", "a cluster of fine calcifications")
            if cluster
            else ("scattered calcifications", "diffuse punctate calcifications")
        )
    image = blur(np.asarray(image, dtype=np.float32), rng.uniform(0.2, 0.6)) * rng.uniform(0.8, 1.4)
    image = np.clip(image, 0, 1) ** rng.uniform(0.7, 1.3) + rng.uniform(0, 0.02) * noise(rng, 1.0)
    facts.append((f"the {'left' if side == 1 else 'right'} breast", "one breast", "the breast"))
    return Picture(to_bytes(np.asarray(image, dtype=np.float32)), "mammogram", tuple(facts))


def _mass(rng: Generator, image: Array, cy: float, cx: float) -> tuple[Array, list[Statement]]:
    radius = rng.uniform(0.06, 0.2)
    kind = pick(rng, ("circumscribed", "spiculated", "obscured"))
    distance = outline(
        rng, cy, cx, radius * rng.uniform(0.7, 1), radius, 0.15 if kind == "obscured" else 0.05, (2, 3, 4)
    )
    image = image + rng.uniform(0.15, 0.35) * soft(distance, 0.06 if kind == "obscured" else 0.015)
    words: dict[str, Statement] = {
        "circumscribed": (
            "a circumscribed mass",
            "a round mass with smooth margins",
            "a well defined oval mass",
        ),
        "spiculated": ("a spiculated mass", "a mass with spiculated margins", "a stellate mass"),
        "obscured": ("an ill defined mass", "a mass with indistinct margins", "an irregular mass"),
    }
    if kind == "spiculated":
        for angle in rng.uniform(0, 6.3, int(rng.integers(8, 18))):
            reach = radius * rng.uniform(1.5, 3)
            spicule = line(cy, cx, cy + reach * np.sin(angle), cx + reach * np.cos(angle))
            image = image + 0.12 * soft(spicule - 0.004, 0.008)
    return image, [words[kind], ("a mass", "a breast mass", "a focal density")]
