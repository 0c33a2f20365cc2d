"""Frontal chest-radiograph-like phantoms with a heart of normal size: nodules, opacities, lines, devices.

Never drawn, because the demo studies ask for them: fluid or air in the pleural space, an enlarged heart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .canvas import (
    Array,
    blur,
    ellipse,
    fractal,
    grid,
    line,
    noise,
    outline,
    path,
    pick,
    soft,
    specks,
    to_bytes,
)
from .phrasing import Picture, Statement

if TYPE_CHECKING:
    from numpy.random import Generator

SIDES = {-1: "right", 1: "left"}
CLEAR: Statement = ("clear lungs", "no focal opacity", "lungs without opacities", "normal lung fields")
NORMAL: Statement = ("no findings", "normal", "a normal chest", "no abnormality", "healthy lungs")
PNEUMONIA: Statement = (
    "pneumonia",
    "signs of pneumonia",
    "an infection of the lung",
    "infectious infiltrates",
)
HEART: Statement = ("a heart of normal size", "a normal heart shadow", "a slim heart")
ZONES = {"upper": -0.45, "middle": -0.05, "lower": 0.3}


def draw(rng: Generator) -> Picture:
    """Draw one frontal radiograph; the patient's right is on the left of the image."""
    image, lungs = _thorax(rng)
    facts: list[Statement] = []
    for finding in rng.permutation(len(FINDINGS))[: int(rng.choice([0, 1, 2], p=[0.3, 0.48, 0.22]))]:
        image, words = FINDINGS[int(finding)](rng, image, lungs)
        facts += words
    if not facts:
        facts.append(CLEAR)
        facts.append(NORMAL)
    if rng.random() < 0.25:
        facts.append(HEART)
    if rng.random() < 0.3:
        image, device = _device(rng, image)
        facts.append(device)
    return Picture(to_bytes(_expose(rng, image)), "radiograph", tuple(facts))


def _thorax(rng: Generator) -> tuple[Array, Array]:
    """Return the attenuation (0..1) and the mask of the lungs."""
    y, x = grid()
    shift, width = rng.uniform(-0.06, 0.06), rng.uniform(0.3, 0.38)
    body = soft(ellipse(0.45, shift, 1.75, rng.uniform(0.95, 1.3)), 0.05)
    lungs = np.zeros_like(y)
    for side in (-1, 1):
        tall, top = rng.uniform(0.62, 0.72), rng.uniform(-0.12, 0.0)
        field = outline(rng, top, shift + side * rng.uniform(0.42, 0.48), tall, width, 0.05, (2, 3))
        dome = y - (
            rng.uniform(0.42, 0.55) + (0.05 if side == 1 else 0) + 0.5 * (x - shift - side * 0.42) ** 2 * 2
        )
        lungs = np.maximum(lungs, soft(np.maximum(field, dome), 0.02))
    mediastinum = soft(np.abs(x - shift) - (0.13 + 0.05 * np.abs(y)), 0.03)
    heart = soft(ellipse(0.25, shift + 0.12, 0.3, rng.uniform(0.2, 0.26), 0.5), 0.03)
    lungs = lungs * (1 - mediastinum) * (1 - heart)
    image = body * (0.72 + 0.05 * noise(rng, 30)) - lungs * rng.uniform(0.4, 0.55)
    image += 0.1 * mediastinum * soft(np.abs(x - shift) - 0.07, 0.02)
    image += 0.03 * np.sin(y * rng.uniform(28, 36)) * soft(np.abs(x - shift) - 0.07, 0.02)
    image += _ribs(rng, shift) * soft(np.abs(x - shift) - 0.85, 0.05)
    return _vessels(rng, np.asarray(image, dtype=np.float32), lungs, shift), np.asarray(
        lungs, dtype=np.float32
    )


def _ribs(rng: Generator, shift: float) -> Array:
    y, x = grid()
    pitch, slope, strength = rng.uniform(0.15, 0.2), rng.uniform(0.3, 0.7), rng.uniform(0.04, 0.12)
    away = np.abs(x - shift)
    posterior = np.mod(y - 0.25 * away + slope * away**2 * 1.2, pitch) / pitch
    anterior = np.mod(y - slope * away - 0.2, pitch * 1.4) / pitch / 1.4
    ribs = strength * (
        np.exp(-(((posterior - 0.5) / 0.2) ** 2)) + 0.5 * np.exp(-(((anterior - 0.5) / 0.2) ** 2))
    )
    bones = np.zeros_like(y)
    tilt = rng.uniform(-0.1, 0.2)
    for side in (-1, 1):
        clavicle = line(-0.62, shift + side * 0.08, -0.7 - tilt, shift + side * 0.7)
        bones += 0.14 * soft(clavicle - 0.035, 0.012)
    return np.asarray(ribs * (y < 0.7) * (y > -0.85) + bones, dtype=np.float32)


def _vessels(rng: Generator, image: Array, lungs: Array, shift: float) -> Array:
    tree = np.zeros_like(image)
    for side in (-1, 1):
        for _ in range(int(rng.integers(6, 12))):
            angle, reach = rng.uniform(-1.4, 1.4), rng.uniform(0.2, 0.5)
            y0, x0 = rng.uniform(-0.1, 0.1), shift + side * 0.15
            branch = line(y0, x0, y0 + reach * np.sin(angle), x0 + side * reach * np.cos(angle))
            tree = np.maximum(tree, soft(branch - rng.uniform(0.0, 0.02), 0.012))
    return np.asarray(image + 0.12 * tree * lungs + 0.025 * lungs * fractal(rng, 1.2))


def _place(rng: Generator) -> tuple[float, float, str, str]:
    side, zone = pick(rng, (-1, 1)), pick(rng, tuple(ZONES))
    return ZONES[zone] + rng.uniform(-0.1, 0.1), side * rng.uniform(0.3, 0.55), SIDES[side], zone


def _nodules(rng: Generator, image: Array, lungs: Array) -> tuple[Array, list[Statement]]:
    if rng.random() < 0.3:
        for _ in range(int(rng.integers(4, 14))):
            cy, cx, _, _ = _place(rng)
            radius = rng.uniform(0.02, 0.06)
            image = image + 0.25 * lungs * soft(ellipse(cy, cx, radius, radius), 0.02)
        return image, [
            ("multiple pulmonary nodules", "several nodules in both lungs", "many rounded lung nodules")
        ]
    cy, cx, side, zone = _place(rng)
    radius = rng.uniform(0.04, 0.13)
    if rng.random() < 0.4:
        shape = outline(rng, cy, cx, radius, radius, 0.25, (7, 9, 12))
        edge: Statement = ("a spiculated nodule", "a nodule with spiculated margin")
    else:
        shape = outline(rng, cy, cx, radius, radius * 0.9, 0.05, (2, 3))
        edge = ("a smooth nodule", "a well defined round nodule", "a rounded nodule")
    image = image + rng.uniform(0.18, 0.4) * lungs * soft(shape, 0.015)
    where = (
        f"a nodule in the {side} {zone} zone",
        f"{side} {zone} lung nodule",
        f"a pulmonary nodule on the {side}",
    )
    return image, [edge, where]


def _opacity(rng: Generator, image: Array, lungs: Array) -> tuple[Array, list[Statement]]:
    cy, cx, side, zone = _place(rng)
    shape = outline(rng, cy, cx, rng.uniform(0.15, 0.3), rng.uniform(0.15, 0.28), 0.25, (2, 3, 5))
    patchy = np.clip(0.8 + 0.5 * noise(rng, rng.uniform(5, 14)), 0, 1.6)
    image = image + rng.uniform(0.2, 0.42) * lungs * soft(shape, rng.uniform(0.04, 0.12)) * patchy
    for _ in range(int(rng.integers(0, 4))):
        bronchus = line(cy * 0.3, cx * 0.4, cy + rng.uniform(-0.1, 0.1), cx + rng.uniform(-0.1, 0.1))
        image = image - 0.1 * soft(bronchus - 0.012, 0.01) * soft(shape, 0.05)
    where = (
        f"consolidation in the {side} {zone} zone",
        f"{side} {zone} lobe opacity",
        f"airspace opacity on the {side}",
    )
    return image, [
        where,
        ("patchy consolidation", "an airspace opacity", "focal consolidation", "a hazy opacity"),
        PNEUMONIA,
    ]


def _bulla(rng: Generator, image: Array, lungs: Array) -> tuple[Array, list[Statement]]:
    cy, cx, side, zone = _place(rng)
    shape = outline(rng, cy, cx, rng.uniform(0.15, 0.3), rng.uniform(0.12, 0.22), 0.1, (2, 3))
    hollow, wall = soft(shape, 0.02), np.exp(-((shape / 0.012) ** 2))
    image = image - lungs * hollow * rng.uniform(0.1, 0.2) + 0.12 * wall * lungs
    return image, [
        ("a bulla", "an air filled bulla", "a dark area of trapped air without lung markings"),
        (f"a lucency in the {side} {zone} zone", "black air without vessels", "an air filled space"),
    ]


def _collapse(rng: Generator, image: Array, lungs: Array) -> tuple[Array, list[Statement]]:
    y, x = grid()
    side = pick(rng, (-1, 1))
    height, slope = rng.uniform(0.1, 0.35), rng.uniform(-0.25, 0.25)
    band = soft(np.abs(y - height - slope * x) - rng.uniform(0.02, 0.09), 0.015) * (x * side > 0.1)
    image = image + rng.uniform(0.18, 0.35) * band * lungs
    return image, [
        ("a band of atelectasis", "a plate of collapsed lung", "a horizontal white band"),
        (f"volume loss at the {SIDES[side]} base", f"a band at the {SIDES[side]} lung base"),
    ]


def _wide(rng: Generator, image: Array, lungs: Array) -> tuple[Array, list[Statement]]:
    side = pick(rng, (-1, 1))
    shape = outline(rng, rng.uniform(-0.55, -0.3), side * 0.08, 0.28, rng.uniform(0.2, 0.32), 0.08, (2, 3))
    image = np.maximum(image, soft(shape, 0.02) * (image.mean() + rng.uniform(0.15, 0.25)))
    return image, [
        ("a wide mediastinum", "an enlarged mediastinal shadow", "a large mediastinal mass"),
        ("a widened upper outline", "a bulging mediastinal border"),
    ]


def _reticular(rng: Generator, image: Array, lungs: Array) -> tuple[Array, list[Statement]]:
    y, _ = grid()
    ridges = np.exp(-((noise(rng, rng.uniform(3, 6)) / 0.25) ** 2))
    low = rng.random() < 0.5
    weight = lungs * soft(-(y - 0.0), 0.15) if low else lungs
    where: Statement = (
        ("basal reticulation", "reticular lines at the bases") if low else ("diffuse reticulation",)
    )
    lines: Statement = ("interstitial lines", "a reticular pattern", "increased interstitial markings")
    return image + rng.uniform(0.1, 0.22) * weight * ridges, [where, lines]


def _calcified(rng: Generator, image: Array, lungs: Array) -> tuple[Array, list[Statement]]:
    dots = specks(rng, lungs, rng.uniform(0.001, 0.004), rng.uniform(0.6, 1.1))
    words = ("calcified granulomas", "small dense calcifications in the lung", "tiny calcified nodules")
    return image + 0.5 * dots, [words]


def _cavity(rng: Generator, image: Array, lungs: Array) -> tuple[Array, list[Statement]]:
    cy, cx, side, zone = _place(rng)
    ring = np.abs(outline(rng, cy, cx, rng.uniform(0.1, 0.18), rng.uniform(0.1, 0.18), 0.1, (2, 3)))
    image = image + 0.28 * lungs * soft(ring - rng.uniform(0.015, 0.04), 0.012)
    return image, [
        (f"a cavity in the {side} {zone} zone", "a thick walled cavity", "a ring shaped cavitary lesion")
    ]


def _device(rng: Generator, image: Array) -> tuple[Array, Statement]:
    kind = pick(rng, ("pacemaker", "line", "tube", "electrodes"))
    if kind == "pacemaker":
        side = pick(rng, (-1, 1))
        image = np.maximum(image, 0.98 * soft(ellipse(-0.5, side * 0.55, 0.1, 0.12), 0.008))
        lead = path(np.array([[-0.45, side * 0.5], [-0.35, 0.05], [0.1, 0.0], [0.4, 0.2]], dtype=np.float32))
        return np.maximum(image, 0.95 * soft(lead - 0.01, 0.006)), ("a pacemaker", "pacemaker with a lead")
    if kind == "line":
        side = pick(rng, (-1, 1))
        chain = np.array(
            [[-0.95, side * 0.3], [-0.6, side * 0.2], [-0.4, -0.04], [0.0, -0.08]], dtype=np.float32
        )
        return np.maximum(image, 0.8 * soft(path(chain) - 0.008, 0.006)), (
            "a central venous line",
            "a central catheter",
        )
    if kind == "tube":
        return image + 0.25 * soft(line(-1, 0.0, -0.25, 0.01) - 0.015, 0.006), (
            "an endotracheal tube",
            "a tube in the trachea",
        )
    for _ in range(int(rng.integers(2, 5))):
        cy, cx = rng.uniform(-0.7, 0.7, 2)
        image = np.maximum(image, 0.9 * soft(ellipse(cy, cx, 0.035, 0.035), 0.006))
        image = np.maximum(image, 0.7 * soft(line(cy, cx, 1.0, cx + rng.uniform(-0.4, 0.4)) - 0.006, 0.005))
    return image, ("ecg electrodes and leads", "monitoring wires", "electrode leads over the chest")


def _expose(rng: Generator, image: Array) -> Array:
    y, x = grid()
    image = blur(np.asarray(image, dtype=np.float32), rng.uniform(0.2, 0.9))
    image = np.clip(image * rng.uniform(0.85, 1.35) + rng.uniform(-0.12, 0.12), 0, 1) ** rng.uniform(0.6, 1.5)
    image = image + rng.uniform(0.0, 0.04) * noise(rng, 1.0) + rng.uniform(-0.1, 0.1) * y
    if rng.random() < 0.2:
        frame = np.maximum(np.abs(x), np.abs(y)) > rng.uniform(0.85, 0.98)
        image = np.where(frame, 0.0, image)
    if rng.random() < 0.3:
        mark = soft(np.abs(line(-0.85, 0.8, -0.75, 0.8)) - 0.02, 0.006) + soft(
            line(-0.75, 0.8, -0.75, 0.86) - 0.02, 0.006
        )
        image = np.maximum(image, mark)
    return np.asarray(image, dtype=np.float32)


FINDINGS = (_nodules, _opacity, _opacity, _reticular, _calcified, _cavity, _bulla, _collapse, _wide)
