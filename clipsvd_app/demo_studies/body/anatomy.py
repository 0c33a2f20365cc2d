"""One person's chest in numbers: the outlines of lungs, heart and diaphragm, and how they vary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.demo_studies.body.geometry import Curve, curve_positions, smooth_curve

if TYPE_CHECKING:
    from clipsvd_app.demo_studies.findings import Disease

_BASE_HALF_WIDTH = 0.69
# (square root of the distance below the apex, distance from the midline): the root makes the apex round.
_LATERAL_WALL = (
    (0.0, 0.27), (0.1, 0.335), (0.2, 0.385), (0.35, 0.45), (0.5, 0.515),
    (0.7, 0.60), (0.85, 0.65), (1.0, 0.682), (1.1, 0.69), (1.2, 0.69),
)  # fmt: skip
_MEDIAL_WALL = ((0.0, 0.27), (0.1, 0.20), (0.2, 0.15), (0.35, 0.11), (0.5, 0.085), (1.2, 0.075))


@dataclass(frozen=True, slots=True)
class Anatomy:
    """What makes one patient differ from the next; lengths in units of 200 mm, factors around 1."""

    width: float
    apex_y: float
    dome_y: float
    dome_step: float
    dome_height: float
    thickness: float
    wall: float
    breast: float
    breast_y: float
    heart_ratio: float
    heart_left_share: float
    heart_lift: float
    knob: float
    mediastinum: float
    trachea_x: float
    rib_pitch: float
    rib_slope: float
    bone: float
    clavicle_tilt: float
    shoulder_y: float
    scapula_x: float
    stomach_gas: float
    bowel_gas: float
    hilum: float
    vascularity: float
    texture_seed: int

    @property
    def thorax_half_width(self) -> float:
        """Half the inner width of the thorax at its widest."""
        return _BASE_HALF_WIDTH * self.width


def draw_anatomy(rng: np.random.Generator, disease: Disease) -> Anatomy:
    """Choose a body; the heart's width comes from the disease, nothing else depends on it."""
    female = rng.uniform() < 0.5
    stout = float(rng.beta(2.0, 3.0))
    return Anatomy(
        width=rng.uniform(0.93, 1.07),
        apex_y=rng.uniform(-0.76, -0.68),
        dome_y=rng.uniform(0.31, 0.44),
        dome_step=rng.uniform(0.02, 0.07),
        dome_height=rng.uniform(0.13, 0.20),
        thickness=0.85 + 0.35 * stout,
        wall=0.07 + 0.12 * stout,
        breast=(rng.uniform(0.10, 0.22) + 0.12 * stout) if female else rng.uniform(0.0, 0.04),
        breast_y=rng.uniform(0.20, 0.34),
        heart_ratio=disease.heart_ratio,
        heart_left_share=rng.uniform(0.63, 0.70),
        heart_lift=rng.uniform(-0.03, 0.03),
        knob=rng.uniform(0.075, 0.105),
        mediastinum=rng.uniform(0.92, 1.15),
        trachea_x=rng.uniform(-0.02, 0.005),
        rib_pitch=rng.uniform(0.112, 0.126),
        rib_slope=rng.uniform(0.85, 1.2),
        bone=rng.uniform(0.75, 1.2),
        clavicle_tilt=rng.uniform(-0.05, 0.06),
        shoulder_y=rng.uniform(-0.04, 0.05),
        scapula_x=rng.uniform(-0.02, 0.06),
        stomach_gas=rng.uniform(0.4, 1.0) if rng.uniform() < 0.6 else 0.0,
        bowel_gas=rng.uniform(0.3, 1.0) if rng.uniform() < 0.35 else 0.0,
        hilum=rng.uniform(0.8, 1.25),
        vascularity=rng.uniform(0.75, 1.25),
        texture_seed=int(rng.integers(2**62)),
    )


@dataclass(frozen=True, slots=True)
class LungOutline:
    """Wall curves of one lung over y, both as distances from the midline, and its dome over that distance."""

    lateral: Curve
    medial: Curve
    dome: Curve
    apex_y: float


@lru_cache(maxsize=8)
def lung_outline(anatomy: Anatomy, side: int) -> LungOutline:
    """Return the outline of the lung on one side (-1: the patient's right, the image's left)."""
    depth = np.sqrt(np.maximum(curve_positions() - anatomy.apex_y, 0.0))
    lateral = np.interp(depth, _fine(_LATERAL_WALL)[0], _fine(_LATERAL_WALL)[1]) * anatomy.width
    medial = np.interp(depth, _fine(_MEDIAL_WALL)[0], _fine(_MEDIAL_WALL)[1]) * anatomy.width
    return LungOutline(
        Curve(lateral.astype(np.float32)),
        Curve(medial.astype(np.float32)),
        _dome(anatomy, side),
        anatomy.apex_y,
    )


def _dome(anatomy: Anatomy, side: int) -> Curve:
    top = anatomy.dome_y + (anatomy.dome_step if side > 0 else 0.0)
    w, h = anatomy.thorax_half_width, anatomy.dome_height
    return smooth_curve(
        (
            (0.0, top + 0.55 * h), (0.15 * w, top + 0.32 * h), (0.33 * w, top + 0.06 * h), (0.48 * w, top),
            (0.63 * w, top + 0.10 * h), (0.80 * w, top + 0.42 * h), (0.93 * w, top + 0.86 * h),
            (1.0 * w, top + 1.25 * h), (1.2 * w, top + 2.4 * h),
        )
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class HeartOutline:
    """The borders of the mediastinal silhouette over y, as x (the patient's left is positive)."""

    right: Curve
    left: Curve

    def width(self) -> float:
        """Return the heart's width as read on a film: furthest right to furthest left, below the hila."""
        heart = curve_positions() > 0.0
        return float(self.left.values[heart].max() - self.right.values[heart].min())


def heart_outline(anatomy: Anatomy) -> HeartOutline:
    """Return a silhouette whose widths add up to the wanted cardiothoracic ratio."""
    whole = 2.0 * anatomy.thorax_half_width * anatomy.heart_ratio
    left, right = whole * anatomy.heart_left_share, whole * (1.0 - anatomy.heart_left_share)
    m, k, base = anatomy.mediastinum, anatomy.knob, anatomy.dome_y + anatomy.dome_step + anatomy.heart_lift
    left_border = smooth_curve(
        (
            (-1.2, 0.19 * m), (-0.75, 0.15 * m), (-0.58, 0.128 * m), (-0.46, 0.125 * m),
            (-0.41, 0.10 + 0.62 * k), (-0.35, 0.10 + 0.92 * k),
            (-0.28, 0.10 + 0.68 * k), (-0.23, 0.155 * m), (-0.15, 0.172 * m), (-0.06, 0.15 * m + 0.1 * left),
            (base - 0.34, 0.08 + 0.42 * left), (base - 0.20, 0.04 + 0.76 * left), (base - 0.08, 0.965 * left),
            (base - 0.01, left), (base + 0.07, 0.95 * left), (base + 0.16, 0.78 * left),
            (base + 0.3, 0.5 * left),
        )
    )  # fmt: skip
    right_border = smooth_curve(
        (
            (-1.2, -0.19 * m), (-0.75, -0.15 * m), (-0.55, -0.135 * m), (-0.35, -0.14 * m), (-0.2, -0.15 * m),
            (-0.1, -0.15 * m),
            (base - 0.38, -0.62 * right - 0.03), (base - 0.24, -0.90 * right), (base - 0.10, -right),
            (base + 0.02, -0.93 * right), (base + 0.10, -0.74 * right), (base + 0.3, -0.5 * right),
        )
    )  # fmt: skip
    return HeartOutline(right_border, left_border)


def cardiothoracic_ratio(anatomy: Anatomy) -> float:
    """Return the ratio measured on the outlines: heart width over inner thoracic width."""
    return heart_outline(anatomy).width() / (2.0 * anatomy.thorax_half_width)


@lru_cache(maxsize=4)
def _fine(knots: tuple[tuple[float, float], ...]) -> tuple[np.ndarray, np.ndarray]:
    at = np.linspace(0.0, knots[-1][0], 400)
    return at, smooth_curve(knots).at(at)
