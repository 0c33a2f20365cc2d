"""Ultrasound-like phantoms of one mass, in which one attribute alone distinguishes two classes.

They are for asking whether an explanation names what was planted. Everything but the attribute, from the
place and size of the mass to its brightness and the depth of the layers, is drawn alike for both classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from scipy.ndimage import gaussian_filter

if TYPE_CHECKING:
    import numpy.typing as npt

    from clipsvd_app.demo_studies.body.geometry import Field

PlantedAxis = Literal["density", "margin", "calcification", "sign"]
PLANTED_AXES: Final[tuple[PlantedAxis, ...]] = ("density", "margin", "calcification", "sign")


@dataclass(frozen=True, slots=True)
class _Mass:
    """Centre, half axes and turn of a mass, as shares of the side; ``dark`` is taken from the grey."""

    y: float
    x: float
    height: float
    width: float
    turn: float
    dark: float


def render_lesion(
    rng: np.random.Generator, axis: PlantedAxis, *, planted: bool, size: int
) -> npt.NDArray[np.uint8]:
    """Draw one picture (size, size) uint8; ``planted`` decides between the two classes of an axis.

    density: black against brighter than its surroundings; margin: spiky against smooth; calcification:
    bright specks inside against none; sign: a dark shadow against a bright band beneath the mass.
    """
    mass = _draw_mass(rng)
    spiky = planted if axis == "margin" else False
    distance = _distance(rng, mass, size, spiky=spiky)
    inside = _soft(-distance, 0.015)
    grey = _tissue(rng, size) - mass.dark * inside
    if axis == "density":
        grey += (-0.08 if planted else 0.6) * inside
    if axis == "sign":
        grey += _beneath(mass, size, -0.28 if planted else 0.22)
    elif rng.random() < 0.5:
        grey += _beneath(mass, size, 0.08)
    speckled = grey * gaussian_filter(rng.rayleigh(1.0, (size, size)), 0.7) / 1.25
    if axis == "calcification" and planted:
        speckled += _specks(rng, mass, size)
    return np.asarray(255 * np.clip(speckled, 0, 1), dtype=np.uint8)


def _draw_mass(rng: np.random.Generator) -> _Mass:
    height = rng.uniform(0.11, 0.16)
    return _Mass(
        y=rng.uniform(0.42, 0.55),
        x=rng.uniform(0.38, 0.62),
        height=height,
        width=height * rng.uniform(1.1, 1.7),
        turn=rng.uniform(-0.4, 0.4),
        dark=rng.uniform(0.28, 0.36),
    )


def _grid(size: int) -> tuple[Field, Field]:
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size
    down, across = np.meshgrid(axis, axis, indexing="ij")
    return down, across


def _distance(rng: np.random.Generator, mass: _Mass, size: int, *, spiky: bool) -> Field:
    """Return how far (of the mass's radius) each pixel lies outside the edge."""
    down, across = _grid(size)
    y, x = down - mass.y, across - mass.x
    along = np.cos(mass.turn) * x + np.sin(mass.turn) * y
    beside = np.cos(mass.turn) * y - np.sin(mass.turn) * x
    radius = np.hypot(along / mass.width, beside / mass.height)
    angle = np.arctan2(beside / mass.height, along / mass.width)
    edge = 1 + 0.04 * np.cos(3 * angle + rng.uniform(0, 6.28))
    phases = rng.uniform(0, 6.28, 3)
    if spiky:
        for spikes, phase in zip((9, 13, 17), phases, strict=True):
            edge += 0.35 * np.abs(np.cos(spikes * angle / 2 + phase)) ** 6
        edge -= 0.15
    return np.asarray((radius - edge) * mass.height, dtype=np.float32)


def _tissue(rng: np.random.Generator, size: int) -> Field:
    """Return skin, fat and gland in layers, brighter above."""
    down, _ = _grid(size)
    waves = gaussian_filter(rng.standard_normal((size, size)), (size / 60, size / 12))
    grey = 0.46 - 0.12 * down + 0.05 * waves / waves.std()
    grey += 0.25 * np.exp(-(((down - 0.03) / 0.02) ** 2))
    muscle = rng.uniform(0.82, 0.9)
    grey += 0.12 * np.exp(-(((down - muscle) / 0.012) ** 2))
    return np.asarray(grey, dtype=np.float32)


def _beneath(mass: _Mass, size: int, change: float) -> Field:
    down, across = _grid(size)
    below = _soft(down - mass.y - mass.height, 0.02)
    within = _soft(0.8 * mass.width - np.abs(across - mass.x), 0.03)
    return np.asarray(change * below * within, dtype=np.float32)


def _specks(rng: np.random.Generator, mass: _Mass, size: int) -> Field:
    specks = np.zeros((size, size), dtype=np.float32)
    for _ in range(rng.integers(7, 13)):
        reach, angle = 0.75 * np.sqrt(rng.random()), rng.uniform(0, 6.28)
        row = int((mass.y + reach * mass.height * np.sin(angle)) * size)
        column = int((mass.x + reach * mass.width * np.cos(angle)) * size)
        specks[row, column] = 1
    blurred = gaussian_filter(specks, size / 160)
    return np.asarray(0.9 * blurred / blurred.max(), dtype=np.float32)


def _soft(value: Field, width: float) -> Field:
    return np.asarray(1 / (1 + np.exp(-np.clip(4 * value / width, -30, 30))), dtype=np.float32)
