"""Chest films as the demo studies draw them, heart and pleura normal, with other findings in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.demo_studies.body.geometry import make_frame
from clipsvd_app.demo_studies.body.lungs import make_lungs
from clipsvd_app.demo_studies.chest import chest_attenuation, draw_patient
from clipsvd_app.demo_studies.distractors import distractors
from clipsvd_app.demo_studies.exposure import draw_exposure
from clipsvd_app.demo_studies.film import expose
from clipsvd_app.demo_studies.margin import annotate

from . import draw_chest
from .canvas import SIZE, Array, noise, outline, pick, soft, to_bytes
from .phrasing import Picture, Statement

if TYPE_CHECKING:
    from numpy.random import Generator

SLIM, WIDE = 0.42, 0.455
SLIM_HEART: Statement = ("a slim heart", "a narrow heart shadow", "a small heart")
WIDE_HEART: Statement = (
    "a rather wide heart shadow",
    "a heart at the upper limit of normal",
    "a large heart shadow",
)


def draw(rng: Generator) -> Picture:
    """Draw one film, two thirds of them with one or two findings."""
    patient, exposure = draw_patient(rng, None), draw_exposure(rng)
    frame = make_frame(exposure.pose, SIZE)
    density: Array = np.asarray(chest_attenuation(frame, patient, exposure), dtype=np.float32)
    air = make_lungs(frame, patient.anatomy, patient.disease).aerated
    lungs = np.asarray(air / max(float(air.max()), 1e-6), dtype=np.float32)
    facts: list[Statement] = []
    kinds = (*draw_chest.FINDINGS, white_base, white_base, black_field, black_field)
    for finding in rng.permutation(len(kinds))[: int(rng.choice([0, 1, 2], p=[0.33, 0.5, 0.17]))]:
        density, words = kinds[int(finding)](rng, density, lungs)
        facts += words
    if not facts:
        facts += [draw_chest.CLEAR, draw_chest.NORMAL]
    ratio = patient.disease.heart_ratio
    if ratio < SLIM or ratio > WIDE:
        facts.append(SLIM_HEART if ratio < SLIM else WIDE_HEART)
    textures = np.random.default_rng(exposure.texture_seed)
    crowded = density + distractors(frame, exposure, textures)
    film = annotate(expose(np.maximum(crowded, 0).astype(np.float32), exposure, textures), exposure)
    return Picture(to_bytes(np.asarray(film)), "radiograph", tuple(facts))


def white_base(rng: Generator, image: Array, lungs: Array) -> tuple[Array, list[Statement]]:
    """Consolidate a whole lower lobe, its upper border level or sloping along the fissure."""
    rows = np.linspace(-1, 1, SIZE, dtype=np.float32)[:, None] + np.zeros_like(image)
    columns = np.linspace(-1, 1, SIZE, dtype=np.float32)[None] + np.zeros_like(image)
    side = pick(rng, (-1, 1))
    border = rng.uniform(-0.15, 0.35) - side * columns * rng.uniform(-0.1, 0.4) + 0.02 * noise(rng, 16)
    share = soft(border - rows, rng.uniform(0.01, 0.06)) * (side * columns > 0)
    white = rng.uniform(0.3, 0.6) * (1 + 0.06 * noise(rng, 10))
    name = draw_chest.SIDES[side]
    return image + share * lungs * white, [
        (f"a dense white {name} lung base", f"consolidation of the whole {name} lower lobe"),
        (
            "a homogeneous opacity at the lung base",
            "a white lung base",
            "a dense opacity filling the lower lung",
        ),
        draw_chest.PNEUMONIA,
    ]


def black_field(rng: Generator, image: Array, lungs: Array) -> tuple[Array, list[Statement]]:
    """Draw a giant bulla along the chest wall: black, without vessels, a hair line towards the lung."""
    side = pick(rng, (-1, 1))
    tall, wide = rng.uniform(0.3, 0.6), rng.uniform(0.15, 0.3)
    shape = outline(rng, rng.uniform(-0.5, 0.1), side * rng.uniform(0.5, 0.65), tall, wide, 0.05, (2, 3))
    hollow, wall = soft(shape, 0.012), np.exp(-((shape / 0.01) ** 2))
    black = image - lungs * hollow * rng.uniform(0.12, 0.22) + 0.1 * wall * lungs
    return np.asarray(black), [
        (
            "a giant bulla",
            "a large bulla along the chest wall",
            "a large air filled space along the chest wall",
        ),
        (
            "black air without lung markings",
            "a thin line with black air beyond it",
            "no vessels at the lung edge",
        ),
    ]
