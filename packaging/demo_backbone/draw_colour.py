"""Colour phantoms: skin lesions under a dermatoscope, and the back of the eye."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .canvas import Array, blur, ellipse, fractal, grid, noise, outline, path, pick, soft, specks, to_bytes
from .phrasing import Picture, Statement

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

Colour: TypeAlias = tuple[float, float, float]


def _paint(image: Array, mask: Array, colour: Colour) -> Array:
    return np.asarray(image * (1 - mask[..., None]) + np.array(colour, dtype=np.float32) * mask[..., None])


def _bytes(image: Array) -> NDArray[np.uint8]:
    return to_bytes(image)


BROWNS: dict[str, Colour] = {
    "light brown": (0.66, 0.45, 0.32),
    "dark brown": (0.33, 0.19, 0.13),
    "black": (0.12, 0.09, 0.09),
    "red": (0.75, 0.3, 0.3),
    "blue grey": (0.4, 0.42, 0.5),
}


def draw_skin(rng: Generator) -> Picture:
    """Draw a pigmented or red lesion on skin, with network, dots, hairs and a dark corner at times."""
    y, x = grid()
    skin = np.array([0.86, 0.66, 0.56]) * rng.uniform(0.5, 1.05) + rng.uniform(-0.05, 0.05, 3)
    shade = 1 + 0.05 * fractal(rng, 1.2) + 0.1 * (x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1))
    image: Array = np.asarray(skin[None, None] * shade[..., None], dtype=np.float32)
    ragged = rng.random() < 0.5
    radius = rng.uniform(0.25, 0.7)
    cy, cx = rng.uniform(-0.15, 0.15, 2)
    wobble = 0.3 if ragged else 0.05
    distance = outline(rng, cy, cx, radius, radius * rng.uniform(0.65, 1), wobble, (2, 3, 5, 8))
    distance = distance + (0.06 if ragged else 0.01) * noise(rng, 8)
    lesion = soft(np.asarray(distance, dtype=np.float32), rng.uniform(0.01, 0.08))
    name = pick(rng, tuple(BROWNS))
    image = _paint(image, lesion * np.clip(0.85 + 0.15 * noise(rng, 8), 0, 1), BROWNS[name])
    facts: list[Statement] = [
        ("an irregular border", "an asymmetric lesion with ragged edges", "irregular asymmetric shape")
        if ragged
        else ("a regular border", "a symmetric lesion with a smooth edge", "a round symmetric lesion"),
        (f"a {name} lesion", f"{name} colour", f"{name} pigmentation"),
    ]
    if rng.random() < 0.35:
        other = pick(rng, tuple(n for n in BROWNS if n != name))
        image = _paint(image, lesion * soft(noise(rng, 14) - 0.3, 0.2), BROWNS[other])
        facts.append(("several colours", f"{name} and {other} areas", "variegated colour"))
    if rng.random() < 0.4:
        mesh = np.exp(-((noise(rng, rng.uniform(3, 5)) / 0.3) ** 2)) * lesion * 0.5
        image = _paint(image, np.asarray(mesh, dtype=np.float32), (0.25, 0.15, 0.1))
        facts.append(("a pigment network", "a reticular pigment network"))
    if rng.random() < 0.35:
        image = _paint(image, np.clip(1.5 * specks(rng, lesion, 0.02, 0.9), 0, 1), (0.12, 0.08, 0.08))
        facts.append(("dots and globules", "dark globules", "brown dots"))
    if rng.random() < 0.35:
        for _ in range(int(rng.integers(3, 12))):
            bend = np.cumsum(rng.uniform(-0.5, 0.5, (4, 2)), axis=0).astype(np.float32)
            hair = soft(path(bend + rng.uniform(-0.8, 0.8, 2).astype(np.float32)) - 0.006, 0.008)
            image = _paint(image, np.asarray(hair * 0.8, dtype=np.float32), (0.1, 0.08, 0.07))
        facts.append(("hairs", "overlying hair", "dark hairs across the lesion"))
    if rng.random() < 0.3:
        image = (
            image
            * soft(np.asarray(np.hypot(y, x) - rng.uniform(0.95, 1.2), dtype=np.float32), 0.03)[..., None]
        )
    image = image + 0.015 * np.stack([noise(rng, 1.2)] * 3, axis=-1)
    return Picture(_bytes(_blurred(rng, image)), "dermoscopy", tuple(facts))


def draw_fundus(rng: Generator) -> Picture:
    """Draw a retina: disc, vessels, macula; at times exudates, bleedings, drusen or a large cup."""
    y, x = grid()
    base = np.array([0.75, 0.36, 0.16]) * rng.uniform(0.6, 1.15) + rng.uniform(-0.05, 0.05, 3)
    shade = 1 - 0.35 * (y**2 + x**2) + 0.04 * fractal(rng, 1.3)
    image = np.asarray(base[None, None] * shade[..., None], dtype=np.float32)
    side = pick(rng, (-1, 1))
    cx = side * rng.uniform(0.4, 0.55)
    image = _paint(image, 0.5 * soft(ellipse(0, cx - side * 0.75, 0.16, 0.16), 0.1), (0.4, 0.14, 0.07))
    image = _paint(image, soft(ellipse(0, cx, 0.17, 0.15), 0.02), (0.95, 0.78, 0.5))
    cup = rng.uniform(0.04, 0.13)
    image = _paint(image, soft(ellipse(0, cx, cup, cup), 0.02), (1.0, 0.93, 0.75))
    image = _vessels(rng, image, cx, side)
    facts: list[Statement] = [("the optic disc and vessels", "the retina", "optic disc and macula")]
    facts.append(
        ("a large optic cup", "an enlarged cup to disc ratio")
        if cup > 0.1
        else ("a small cup", "a normal optic cup")
    )
    field = soft(np.asarray(np.hypot(y, x) - 0.75, dtype=np.float32), 0.05)
    kind = pick(rng, ("none", "exudates", "bleeding", "drusen"))
    if kind == "exudates":
        image = _paint(image, np.clip(1.5 * specks(rng, field, 0.004, 0.9), 0, 1), (0.98, 0.9, 0.5))
        facts.append(("hard exudates", "bright yellow exudates"))
    elif kind == "bleeding":
        image = _paint(image, np.clip(1.6 * specks(rng, field, 0.003, 1.6), 0, 1), (0.35, 0.04, 0.03))
        facts.append(("retinal haemorrhages", "dark red blot hemorrhages", "microaneurysms and bleeding"))
    elif kind == "drusen":
        image = _paint(image, 0.6 * np.clip(1.5 * specks(rng, field, 0.006, 1.3), 0, 1), (0.9, 0.75, 0.45))
        facts.append(("drusen", "soft yellow drusen"))
    else:
        facts.append(("no haemorrhage", "a normal retina", "a healthy fundus"))
    round_field = soft(np.asarray(np.hypot(y, x) - rng.uniform(0.93, 1.3), dtype=np.float32), 0.01)
    return Picture(_bytes(_blurred(rng, image * round_field[..., None])), "fundus", tuple(facts))


def _vessels(rng: Generator, image: Array, cx: float, side: int) -> Array:
    for up in (-1, 1):
        for _ in range(int(rng.integers(2, 5))):
            reach = np.linspace(0, rng.uniform(0.9, 1.5), 7)
            bend = rng.uniform(0.4, 1.4)
            dy = up * (bend * reach - 0.35 * reach**2) + 0.03 * rng.standard_normal(7)
            dx = cx - side * reach * rng.uniform(-0.4, 1.1) + 0.03 * rng.standard_normal(7)
            points = np.stack([dy, dx], axis=-1).astype(np.float32)
            width = rng.uniform(0.004, 0.018)
            mask = 0.8 * soft(path(points) - width, 0.008)
            image = _paint(image, np.asarray(mask, dtype=np.float32), (0.45, 0.1, 0.06))
    return image


def _blurred(rng: Generator, image: Array) -> Array:
    sigma = rng.uniform(0.2, 0.8)
    return np.stack([blur(np.asarray(image[..., k], dtype=np.float32), sigma) for k in range(3)], axis=-1)
