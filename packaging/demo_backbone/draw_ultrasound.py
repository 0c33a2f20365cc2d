"""Ultrasound-like phantoms: layers, speckle, vessels, lesions with shape, margin, echo, shadow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .canvas import Array, blur, ellipse, grid, noise, outline, pick, soft, specks, to_bytes
from .draw_breast import BENIGN, MALIGNANT, NORMAL, breast_tissue
from .phrasing import Picture, Statement

if TYPE_CHECKING:
    from numpy.random import Generator

ORGANS = {
    "breast": ("breast", "the breast", "breast tissue"),
    "thyroid": ("thyroid gland", "the thyroid", "neck with thyroid"),
    "liver": ("liver", "the liver", "abdomen with liver"),
    "muscle": ("muscle", "musculoskeletal soft tissue", "soft tissue"),
    "kidney": ("kidney", "the kidney", "renal tissue"),
}
SHAPES: dict[str, Statement] = {
    "oval": ("an oval mass", "an oval lesion", "an ovoid nodule", "lesion of oval shape"),
    "round": ("a round mass", "a round lesion", "a round nodule"),
    "irregular": ("an irregular mass", "an irregularly shaped lesion", "mass of irregular shape"),
    "lobulated": ("a lobulated mass", "a lobulated lesion", "a gently lobulated nodule"),
}
MARGINS: dict[str, Statement] = {
    "circumscribed": ("circumscribed margins", "smooth well defined margins", "a sharp border"),
    "indistinct": ("indistinct margins", "blurred ill defined margins", "a fuzzy border"),
    "spiculated": ("spiculated margins", "a spiculated border", "radiating spicules"),
    "angular": ("angular margins", "an angulated ragged border"),
    "microlobulated": ("microlobulated margins", "a scalloped microlobulated border"),
}
ECHOES: dict[str, tuple[float, Statement]] = {
    "anechoic": (
        0.03,
        ("anechoic content", "an anechoic cyst", "a simple fluid filled cyst", "a black lesion"),
    ),
    "hypoechoic": (
        0.3,
        ("hypoechoic content", "a hypoechoic solid lesion", "low echogenicity", "a dark lesion"),
    ),
    "isoechoic": (0.9, ("isoechoic content", "an isoechoic lesion", "echogenicity like the surroundings")),
    "hyperechoic": (1.9, ("hyperechoic content", "a hyperechoic lesion", "a bright echogenic lesion")),
}


@dataclass(frozen=True, slots=True)
class Lesion:
    """Where a lesion lies (signed distance), how it answers, and what is said of it."""

    distance: Array
    echo: Array
    behind: float
    edge: float
    statements: tuple[Statement, ...]


def draw(rng: Generator) -> Picture:
    """Draw one ultrasound phantom, two thirds of them with a lesion."""
    organ = pick(rng, ("breast", "breast", "breast", "breast", "thyroid", "liver", "muscle", "kidney"))
    answer, facts = breast_tissue(rng) if organ == "breast" else _tissue(rng, organ)
    if rng.random() < 0.68:
        lesion = _lesion(rng)
        answer = _embed(answer, lesion)
        facts += lesion.statements
    else:
        facts += (("no mass", "no focal lesion", "no lesion seen", "normal tissue without a lesion"), NORMAL)
    image, how = _receive(rng, answer, organ)
    return Picture(to_bytes(image), "ultrasound", (ORGANS[organ], *facts, *how))


def _tissue(rng: Generator, organ: str) -> tuple[Array, tuple[Statement, ...]]:
    """Return the echo strength of layered tissue (around 1) and what is said of it."""
    y, x = grid()
    depth = y + rng.uniform(0.02, 0.12) * noise(rng, 40) + rng.uniform(-0.15, 0.15) * x
    strength = np.full_like(y, rng.uniform(0.6, 1.1))
    for top in np.sort(rng.uniform(-0.9, 0.9, int(rng.integers(2, 6)))):
        strength = np.where(depth > top, rng.uniform(0.3, 1.5), strength).astype(np.float32)
        strength += rng.uniform(0, 1.5) * np.exp(-(((depth - top) / rng.uniform(0.01, 0.05)) ** 2))
    strength *= 1 + rng.uniform(0.05, 0.5) * noise(rng, rng.uniform(4, 20))
    facts: tuple[Statement, ...] = ()
    if organ == "muscle" or rng.random() < 0.2:
        fibres = np.sin((depth * rng.uniform(25, 60)) + 2 * noise(rng, 30))
        strength *= 1 + 0.5 * fibres * (depth > rng.uniform(-0.6, 0.2))
        facts = (("striated muscle fibres", "fibrillar linear texture", "parallel linear echoes"),)
    elif organ == "kidney":
        kidney = ellipse(rng.uniform(-0.2, 0.3), rng.uniform(-0.3, 0.3), 0.45, 0.8, rng.uniform(-0.5, 0.5))
        strength = strength * (1 - 0.6 * soft(kidney, 0.03)) + 1.1 * soft(kidney + 0.27, 0.08)
        facts = (("bright central renal sinus", "echogenic renal sinus and dark cortex"),)
    elif rng.random() < 0.5:
        for _ in range(int(rng.integers(1, 5))):
            cy, cx = rng.uniform(-0.8, 0.8, 2)
            tube = ellipse(cy, cx, rng.uniform(0.03, 0.07), rng.uniform(0.08, 0.5), rng.uniform(-1, 1))
            strength = strength * (1 - 0.95 * soft(tube, 0.01)) + 0.8 * np.exp(-((tube / 0.02) ** 2))
        facts = (("vessels", "anechoic vessels", "tubular dark vessels"),)
    return np.clip(strength, 0.02, 4).astype(np.float32), facts


def _lesion(rng: Generator) -> Lesion:
    cy, cx = rng.uniform(-0.45, 0.3), rng.uniform(-0.5, 0.5)
    shape = pick(rng, ("oval", "oval", "round", "irregular", "irregular", "lobulated"))
    radius = rng.uniform(0.13, 0.6)
    tall = shape == "irregular" and rng.random() < 0.5
    ratio = {"round": 1.0, "oval": rng.uniform(0.45, 0.75)}.get(shape, rng.uniform(0.6, 0.95))
    ry, rx = (radius, radius * ratio) if tall else (radius * ratio, radius)
    calm = ("circumscribed", "circumscribed", "indistinct", "microlobulated")
    margin = pick(
        rng, ("spiculated", "angular", "indistinct", "microlobulated") if shape == "irregular" else calm
    )
    orders, wobble = {
        "spiculated": (tuple(int(k) for k in rng.integers(8, 17, 4)), 0.22),
        "angular": ((3, 4, 5, 7), 0.2),
        "microlobulated": ((7, 9, 11), 0.12),
    }.get(margin, ((2, 3, 4), {"irregular": 0.25, "lobulated": 0.16}.get(shape, 0.04)))
    distance = outline(rng, cy, cx, ry, rx, wobble, orders)
    if shape == "irregular":
        distance = distance + 0.04 * noise(rng, 8)
    kind = pick(rng, ("anechoic", "hypoechoic", "hypoechoic", "hypoechoic", "isoechoic", "hyperechoic"))
    level, echo_words = ECHOES[kind]
    echo, extra = _content(rng, kind, level * rng.uniform(0.7, 1.3), distance)
    behind, behind_words = _behind(rng, kind, margin)
    orientation: tuple[Statement, ...] = (
        (("taller than wide", "orientation not parallel to the skin"),)
        if tall
        else (("wider than tall", "parallel orientation"),)
        if ratio < 0.8
        else ()
    )
    size: Statement = (
        ("a small lesion", "a small mass") if radius < 0.22 else ("a large lesion", "a large mass")
    )
    sized: tuple[Statement, ...] = (size,) if radius < 0.22 or radius > 0.38 else ()
    impression = MALIGNANT if shape == "irregular" else BENIGN
    words = (
        impression,
        SHAPES[shape],
        MARGINS[margin],
        echo_words,
        behind_words,
        *orientation,
        *sized,
        *extra,
    )
    edge = {"indistinct": rng.uniform(0.04, 0.09), "spiculated": 0.03}.get(margin, rng.uniform(0.008, 0.02))
    return Lesion(distance, echo, behind, edge, words)


def _content(rng: Generator, kind: str, level: float, distance: Array) -> tuple[Array, tuple[Statement, ...]]:
    inside = soft(distance, 0.02)
    content = np.full_like(distance, level)
    if kind == "anechoic":
        if rng.random() < 0.3:
            cy, cx = rng.uniform(-0.3, 0.3, 2)
            wall = np.abs(ellipse(cy, cx, 0.4, 0.5, rng.uniform(0, 3)))
            content += 0.9 * np.exp(-((wall / 0.02) ** 2))
            return content, (("internal septations", "thin septa", "a septated cyst"),)
        return content, ()
    if rng.random() < 0.35:
        content *= np.clip(1 + 0.6 * noise(rng, rng.uniform(3, 12)), 0.05, 3)
        return content, (("heterogeneous echotexture", "a heterogeneous lesion", "mixed internal echoes"),)
    if rng.random() < 0.25:
        content += 3 * specks(rng, inside, 0.02, 0.6)
        return content, (("microcalcifications", "punctate echogenic foci", "bright specks inside the mass"),)
    return content, (("homogeneous echotexture", "a homogeneous lesion", "uniform internal echoes"),)


def _behind(rng: Generator, kind: str, margin: str) -> tuple[float, Statement]:
    if kind == "anechoic" or (margin == "circumscribed" and rng.random() < 0.3):
        return rng.uniform(1.6, 2.6), ("posterior acoustic enhancement", "bright through transmission")
    if margin in ("spiculated", "angular", "indistinct") and rng.random() < 0.7:
        return rng.uniform(0.15, 0.5), ("posterior acoustic shadowing", "a dark acoustic shadow behind it")
    return 1.0, ("no posterior features", "no acoustic shadow")


def _embed(answer: Array, lesion: Lesion) -> Array:
    inside = soft(lesion.distance, lesion.edge)
    column = np.maximum.accumulate(inside, axis=0)
    behind = blur(column * (1 - inside), 2.0)
    answer = answer * (1 + (lesion.behind - 1) * behind)
    rim = 0.5 * np.exp(-((lesion.distance / 0.03) ** 2)) if lesion.edge < 0.02 else 0.0
    return np.asarray(answer * (1 - inside) + lesion.echo * inside + rim, dtype=np.float32)


def _speckle(rng: Generator, fine: float, wide: float) -> Array:
    """Return the amplitude of many small echoes that interfere (Rayleigh), with a mean of about 1."""
    parts = [noise(rng, 2.5 * fine, 2.5 * wide) for _ in range(2)]
    return np.asarray(np.hypot(*parts) / 1.25)


def _receive(rng: Generator, answer: Array, organ: str) -> tuple[Array, tuple[Statement, ...]]:
    """Speckle, attenuation, compression, the field of view and the machine's own marks."""
    y, x = grid()
    fine = rng.uniform(0.3, 0.9)
    wide = fine * rng.uniform(1.0, 2.2)
    amplitude = _speckle(rng, fine, wide)
    if rng.random() < 0.5:
        amplitude = (amplitude + _speckle(rng, fine, wide)) / 2
    speckle = rng.uniform(0.3, 0.9)
    image = answer * (1 - speckle + speckle * amplitude) * np.exp(-rng.uniform(0, 0.9) * (y + 1))
    image = blur(np.asarray(image, dtype=np.float32), rng.uniform(0.3, 0.7), rng.uniform(0.4, 1.0))
    image = np.log1p(image * rng.uniform(2, 12)) / np.log1p(rng.uniform(14, 40)) * rng.uniform(0.7, 1.2)
    image += rng.uniform(0, 0.5) * np.exp(-(((y + 1) / rng.uniform(0.02, 0.1)) ** 2))
    facts: tuple[Statement, ...] = ()
    if organ != "breast" and rng.random() < 0.35:
        reach, top = rng.uniform(1.9, 2.3), rng.uniform(-1.6, -1.2)
        radius, angle = np.hypot(y - top, x), np.abs(np.arctan2(x, y - top))
        image = image * ((radius < reach) & (radius > reach * 0.15) & (angle < rng.uniform(0.5, 0.8)))
        facts = (("a curved sector field of view", "convex probe sector"),)
    elif rng.random() < 0.3:
        side, low = rng.uniform(0.75, 1), rng.uniform(0.7, 1)
        image = image * (np.abs(x) < side) * (y < low)
    if rng.random() < 0.3:
        dotted = (np.abs(x - 0.95) < 0.012) & (np.mod(y * 10, 1) < 0.15)
        image = np.where(dotted, 0.7, image)
    if rng.random() < 0.15:
        facts += (("caliper marks", "measurement calipers", "measurement crosses"),)
        for cy, cx in rng.uniform(-0.5, 0.5, (2, 2)):
            cross = (np.minimum(np.abs(y - cy), np.abs(x - cx)) < 0.01) & (
                np.maximum(abs(y - cy), abs(x - cx)) < 0.05
            )
            image = np.where(cross, 0.95, image)
    return np.asarray(image, dtype=np.float32), facts
