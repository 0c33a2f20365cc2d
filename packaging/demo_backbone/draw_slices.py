"""CT-like and MR-like slices: head, chest and abdomen in windows; brain in four weightings; a joint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .canvas import Array, blur, ellipse, grid, line, noise, outline, pick, soft, to_bytes, warp
from .phrasing import Picture, Statement

if TYPE_CHECKING:
    from numpy.random import Generator


def draw_ct(rng: Generator) -> Picture:
    """Draw a head, chest or abdomen slice in Hounsfield-like units and window it."""
    region = pick(rng, ("head", "chest", "abdomen", "abdomen"))
    units, facts = {"head": _ct_head, "chest": _ct_chest, "abdomen": _ct_abdomen}[region](rng)
    centre, width, window = {
        "head": (40, rng.uniform(70, 120), ("brain window",)),
        "chest": pick(
            rng, ((-600, 1500, ("lung window",)), (40, 400, ("mediastinal window", "soft tissue window")))
        ),
        "abdomen": (45, rng.uniform(250, 420), ("soft tissue window", "abdominal window")),
    }[region]
    units = warp(rng, units, rng.uniform(0, 3)) + rng.uniform(0.01, 0.09) * width * noise(rng, 1.4)
    if rng.random() < 0.1:
        units = units + 60 * np.sin(np.arctan2(*grid()) * rng.integers(8, 30)) * (units > -500)
        facts.append(("streak artefacts", "metal streaks"))
    image = blur(np.asarray((units - centre) / width + 0.5, dtype=np.float32), rng.uniform(0.2, 0.7))
    return Picture(to_bytes(image), "ct", (*facts, tuple(window)))


def _body(rng: Generator, ry: float, rx: float, fat: float) -> tuple[Array, Array]:
    outer = outline(rng, 0, 0, ry, rx, 0.03, (2, 3, 4))
    units = -1000 + 900 * soft(outer, 0.01)
    inner = soft(outer + fat, 0.015)
    return np.asarray(units + inner * (150 + 10 * noise(rng, 8)), dtype=np.float32), inner


def _put(units: Array, mask: Array, value: float | Array) -> Array:
    return np.asarray(units * (1 - mask) + value * mask, dtype=np.float32)


def _ct_head(rng: Generator) -> tuple[Array, list[Statement]]:
    ry, rx = rng.uniform(0.78, 0.9), rng.uniform(0.62, 0.74)
    skull = outline(rng, 0, 0, ry, rx, 0.02, (2, 3))
    units = _put(np.full((128, 128), -1000, dtype=np.float32), soft(skull, 0.01), 900)
    brain = soft(skull + 0.07, 0.01)
    folds = np.exp(-((noise(rng, 5) / 0.2) ** 2)) * soft(-(skull + 0.3), 0.1)
    units = _put(units, brain, 32 + 4 * noise(rng, 14) - 18 * folds)
    wide = rng.uniform(0.04, 0.1)
    for side in (-1, 1):
        units = _put(units, soft(ellipse(0, side * 0.12, 0.28, wide, side * 0.25), 0.02), 6)
    facts: list[Statement] = [("the head", "the brain", "head ct")]
    kind = pick(rng, ("none", "bleed", "infarct", "mass"))
    cy, cx = rng.uniform(-0.4, 0.4), pick(rng, (-1, 1)) * rng.uniform(0.2, 0.4)
    spot = soft(outline(rng, cy, cx, rng.uniform(0.1, 0.25), rng.uniform(0.1, 0.22), 0.2, (2, 3, 5)), 0.03)
    if kind == "bleed":
        facts.append(("a hyperdense haemorrhage", "a bright intracranial hemorrhage", "an acute bleed"))
        return _put(units, spot * brain, 70), facts
    if kind == "infarct":
        facts.append(("a hypodense area", "a low density infarct", "an ischemic hypodensity"))
        return _put(units, spot * brain, 16), facts
    if kind == "mass":
        ring = soft(np.abs(ellipse(cy, cx, 0.15, 0.15)) - 0.02, 0.015)
        facts.append(("a ring enhancing lesion", "a rim enhancing mass"))
        return _put(_put(units, spot * brain, 18), ring * brain, 80), facts
    facts.append(("no haemorrhage", "normal brain", "no intracranial lesion"))
    return units, facts


def _ct_chest(rng: Generator) -> tuple[Array, list[Statement]]:
    units, inner = _body(rng, rng.uniform(0.6, 0.72), rng.uniform(0.85, 0.95), rng.uniform(0.04, 0.12))
    lungs = np.zeros_like(units)
    for side in (-1, 1):
        lungs = np.maximum(lungs, soft(outline(rng, 0, side * 0.42, 0.45, 0.3, 0.06, (2, 3)), 0.01))
    vessels = np.clip(noise(rng, 3) - 1.4, 0, 1)
    units = _put(units, lungs, -850 + 500 * vessels + 20 * noise(rng, 4))
    units = _put(units, soft(ellipse(0.35, 0, 0.12, 0.1), 0.01), 350 + 60 * noise(rng, 3))
    units = _put(units, soft(ellipse(0.12, 0.1, 0.08, 0.08), 0.01), rng.uniform(40, 250))
    ring = np.abs(ellipse(0, 0, 0.58, 0.8))
    units = _put(units, inner * soft(ring - 0.025, 0.01) * (np.sin(np.arctan2(*grid()) * 14) > 0), 350)
    facts: list[Statement] = [("the chest", "the thorax", "both lungs")]
    cy, cx = rng.uniform(-0.25, 0.25), pick(rng, (-1, 1)) * rng.uniform(0.3, 0.5)
    kind = pick(rng, ("none", "nodule", "glass", "emphysema"))
    if kind == "nodule":
        radius = rng.uniform(0.04, 0.13)
        units = _put(units, lungs * soft(outline(rng, cy, cx, radius, radius, 0.15, (3, 5, 8)), 0.01), 30)
        facts.append(("a lung nodule", "a solid pulmonary nodule", "a nodule in the lung"))
    elif kind == "glass":
        patch = soft(outline(rng, cy, cx, 0.25, 0.2, 0.3, (2, 3, 5)), 0.06)
        units = units + 350 * lungs * patch
        facts.append(("ground glass opacity", "a hazy ground glass area"))
    elif kind == "emphysema":
        units = units - 120 * lungs * np.clip(noise(rng, 5), 0, 2)
        facts.append(("emphysema", "emphysematous low attenuation areas"))
    else:
        facts.append(("clear lungs", "no nodule"))
    return units, facts


def _ct_abdomen(rng: Generator) -> tuple[Array, list[Statement]]:
    units, inner = _body(rng, rng.uniform(0.6, 0.75), rng.uniform(0.82, 0.95), rng.uniform(0.04, 0.2))
    enhanced = rng.random() < 0.5
    liver = soft(outline(rng, -0.05, -0.42, 0.38, 0.35, 0.15, (2, 3)), 0.012) * inner
    level = rng.uniform(90, 120) if enhanced else rng.uniform(45, 65)
    units = _put(units, liver, level + 8 * noise(rng, 3))
    units = _put(units, soft(ellipse(0.05, 0.6, 0.22, 0.12, 0.4), 0.012) * inner, level + 10)
    for side in (-1, 1):
        kidney = ellipse(0.28, side * 0.38, 0.15, 0.1, side * 0.4)
        units = _put(units, soft(kidney, 0.01), 160 if enhanced else 32)
        units = _put(units, soft(kidney + 0.06, 0.015), 20)
    units = _put(units, soft(ellipse(0.38, 0, 0.13, 0.11), 0.01), 320 + 60 * noise(rng, 3))
    units = _put(units, soft(ellipse(0.2, 0.06, 0.06, 0.06), 0.01), 180 if enhanced else 40)
    for _ in range(int(rng.integers(2, 7))):
        loop = ellipse(rng.uniform(-0.4, 0.2), rng.uniform(-0.1, 0.5), 0.09, 0.12, rng.uniform(0, 3))
        units = _put(units, soft(np.abs(loop) - 0.015, 0.01) * inner, 50)
        units = _put(units, soft(loop + 0.03, 0.01) * inner, pick(rng, (-900.0, 15.0)))
    facts: list[Statement] = [("the abdomen", "the upper abdomen", "the liver and kidneys")]
    if enhanced:
        facts.append(("contrast enhancement", "portal venous phase", "contrast enhanced"))
    else:
        facts.append(("no contrast", "unenhanced", "noncontrast phase"))
    if rng.random() < 0.5:
        dark = rng.random() < 0.7
        spot = soft(
            outline(rng, rng.uniform(-0.2, 0.1), -0.42, rng.uniform(0.05, 0.14), 0.1, 0.12, (2, 3)), 0.015
        )
        units = _put(units, spot * liver, 10 if dark else level + 60)
        facts.append(
            ("a hypodense liver lesion", "a low density mass in the liver")
            if dark
            else ("an enhancing liver lesion", "a hyperdense liver mass")
        )
    return units, facts


def draw_mr(rng: Generator) -> Picture:
    """Draw a brain slice in one of four weightings, or a joint."""
    image, facts = _joint(rng) if rng.random() < 0.2 else _brain(rng)
    y, x = grid()
    image = warp(rng, image, rng.uniform(0, 3)) * (
        1 + rng.uniform(0, 0.25) * (x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1))
    )
    sigma = rng.uniform(0.005, 0.05)
    image = np.hypot(image + sigma * noise(rng, 1.2), sigma * noise(rng, 1.2))
    if rng.random() < 0.12:
        shift = int(rng.integers(4, 12))
        image = image + 0.2 * np.roll(image, shift, axis=0) + 0.15 * np.roll(image, -shift, axis=0)
        facts.append(("motion ghosting", "motion artefact"))
    return Picture(
        to_bytes(blur(np.asarray(image, dtype=np.float32), rng.uniform(0.2, 0.8))), "mr", tuple(facts)
    )


# Brightness of scalp fat, grey matter, white matter, fluid and lesion in each weighting.
WEIGHTINGS: dict[str, tuple[float, float, float, float, float]] = {
    "t1": (0.9, 0.42, 0.6, 0.12, 0.28),
    "t2": (0.6, 0.55, 0.36, 0.95, 0.85),
    "flair": (0.5, 0.5, 0.38, 0.06, 0.92),
    "diffusion": (0.1, 0.4, 0.36, 0.1, 0.98),
}


def _brain(rng: Generator) -> tuple[Array, list[Statement]]:
    name = pick(rng, tuple(WEIGHTINGS))
    scalp, grey, white, fluid, lesion = WEIGHTINGS[name]
    y, x = grid()
    head = outline(rng, 0, 0, rng.uniform(0.8, 0.92), rng.uniform(0.66, 0.78), 0.02, (2, 3))
    image = _put(np.zeros_like(y), soft(head, 0.01), scalp)
    image = _put(image, soft(head + 0.06, 0.008), 0.05)
    brain = soft(head + 0.12, 0.012)
    image = _put(image, brain, grey)
    folds = noise(rng, rng.uniform(4, 6))
    cortex = soft(head + 0.2 + 0.05 * folds, 0.015)
    image = _put(image, cortex, white + 0.02 * noise(rng, 6))
    sulci = np.exp(-((folds / 0.18) ** 2)) * soft(-(head + 0.3), 0.06) * brain
    image = _put(image, np.asarray(sulci * 0.7, dtype=np.float32), fluid)
    wide = rng.uniform(0.04, 0.13)
    for side in (-1, 1):
        image = _put(image, soft(ellipse(0.25, side * 0.22, 0.14, 0.12), 0.03), grey)
        image = _put(image, soft(ellipse(0, side * 0.13, 0.3, wide, side * 0.3), 0.02), fluid)
    image = _put(image, soft(np.abs(x) - 0.012, 0.008) * brain, fluid)
    facts: list[Statement] = [("the brain", "the head", "brain mri")]
    facts.append((f"{name} weighted image", f"{name} sequence", f"{name} weighting"))
    kind = pick(rng, ("none", "mass", "foci"))
    if kind == "mass":
        cy, cx = rng.uniform(-0.45, 0.45), pick(rng, (-1, 1)) * rng.uniform(0.2, 0.45)
        spot = soft(
            outline(rng, cy, cx, rng.uniform(0.1, 0.28), rng.uniform(0.1, 0.25), 0.25, (2, 3, 5)), 0.03
        )
        image = _put(image, spot * brain, lesion + 0.08 * noise(rng, 5))
        bright = "hyperintense" if lesion > 0.5 else "hypointense"
        side_words = "right" if cx < 0 else "left"
        facts.append(
            (f"a {bright} mass", f"a {bright} lesion in the {side_words} hemisphere", "a brain tumour")
        )
    elif kind == "foci":
        for _ in range(int(rng.integers(4, 14))):
            (cy, cx), (ry, rx) = rng.uniform(-0.45, 0.45, 2), rng.uniform(0.015, 0.05, 2)
            spot = soft(ellipse(cy, cx, ry, rx, rng.uniform(0, 3)), 0.012)
            image = _put(image, spot * cortex, lesion)
        facts.append(
            ("multiple white matter foci", "several small white matter lesions", "scattered focal lesions")
        )
    else:
        facts.append(("no lesion", "normal brain", "no mass"))
    if wide > 0.1:
        facts.append(("dilated ventricles", "wide ventricles"))
    return image, facts


def _joint(rng: Generator) -> tuple[Array, list[Statement]]:
    y, x = grid()
    bright = rng.random() < 0.5
    marrow, muscle = (0.85, 0.35) if bright else (0.3, 0.4)
    image = _put(np.zeros_like(y), soft(np.abs(x) - rng.uniform(0.75, 0.95), 0.02), marrow * 0.9)
    image = _put(image, soft(np.abs(x) - 0.65, 0.04), muscle + 0.05 * noise(rng, 20, 3))
    gap = rng.uniform(0.03, 0.07)
    upper = np.maximum(outline(rng, -0.6, 0, 0.6, 0.5, 0.08, (2, 3)), y + gap)
    lower = np.maximum(outline(rng, 0.65, 0, 0.6, 0.5, 0.06, (2, 3)), -(y - gap))
    for bone in (upper, lower):
        image = _put(image, soft(bone, 0.01), 0.06)
        image = _put(image, soft(bone + 0.03, 0.01), marrow + 0.04 * noise(rng, 3))
    facts: list[Statement] = [("a knee joint", "a joint with two bones", "femur and tibia")]
    facts.append(
        ("t1 weighted image", "bright fatty marrow") if bright else ("fat suppressed image", "dark marrow")
    )
    fluid = soft(np.abs(y - 0.0) - gap, 0.01) * soft(np.abs(x) - 0.5, 0.02)
    if rng.random() < 0.5:
        image = _put(image, fluid, 0.1 if bright else 0.98)
        facts.append(("joint fluid", "fluid in the joint space"))
    else:
        image = _put(image, fluid * soft(line(0, -0.5, 0, -0.1) - 0.05, 0.02), 0.05)
        facts.append(("a dark meniscus", "an intact meniscus"))
    return image, facts
