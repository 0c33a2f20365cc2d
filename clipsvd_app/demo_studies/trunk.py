"""Soft tissue around the lungs: trunk, neck, arms, breasts, and gas in the abdomen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.demo_studies.geometry import (
    half_ball,
    quarter_round,
    smooth_curve,
    soft_dome,
    soft_step,
    table_index,
)

if TYPE_CHECKING:
    from clipsvd_app.demo_studies.anatomy import Anatomy
    from clipsvd_app.demo_studies.geometry import Field, Frame

_FLANK = smooth_curve(((-1.2, 0.23), (-0.3, 0.09), (0.1, 0.05), (0.6, 0.06), (1.2, 0.10)))
_ROUNDNESS = smooth_curve(
    ((0.0, 1.0), (0.3, 0.97), (0.5, 0.92), (0.7, 0.80), (0.83, 0.66), (0.92, 0.49), (0.97, 0.32), (1.0, 0.0))
)
_SHOULDERS = smooth_curve(
    (
        (0.0, -1.30), (0.17, -1.24), (0.25, -1.04), (0.36, -0.94), (0.55, -0.87), (0.75, -0.80), (0.92, -0.66),
        (1.1, -0.35),
    )
)


def soft_tissue(frame: Frame, anatomy: Anatomy) -> Field:
    """Return the thickness of soft tissue, as if nothing in it were filled with air."""
    flank = _FLANK(frame.y_index) + np.float32(anatomy.thorax_half_width + 0.9 * anatomy.wall)
    around = _ROUNDNESS(table_index(np.abs(frame.x) / flank))
    skin = _SHOULDERS(table_index(np.abs(frame.x))) + np.float32(anatomy.shoulder_y)
    below_skin = quarter_round((frame.y - skin) / np.float32(0.42))
    belly = np.float32(1.0) + np.float32(0.16) * soft_step(
        (frame.y - np.float32(anatomy.dome_y + 0.12)) / 0.22
    )
    trunk = np.float32(anatomy.thickness) * around * below_skin * belly
    return np.maximum(np.maximum(trunk, _neck(frame)), _arms(frame, anatomy))


def _neck(frame: Frame) -> Field:
    across = np.clip(np.abs(frame.x) / np.float32(0.27), 0.0, 1.0)
    return _ROUNDNESS(table_index(across)) * np.float32(0.62) * soft_step((-0.55 - frame.y) / 0.35)


def _arms(frame: Frame, anatomy: Anatomy) -> Field:
    """Return the thickness of the upper arms, hanging away from the trunk."""
    run_x, run_y = np.float32(0.42), np.float32(0.907)
    dx = np.abs(frame.x) - np.float32(0.82 + 0.5 * anatomy.wall)
    dy = frame.y - np.float32(anatomy.shoulder_y - 0.58)
    along = np.maximum(dx * run_x + dy * run_y, 0.0)
    away = np.square(dx - along * run_x) + np.square(dy - along * run_y)
    radius = np.float32(0.18 + 0.35 * anatomy.wall)
    return np.sqrt(np.maximum(1.0 - away / (radius * radius), 0.0)) * np.float32(0.50)


def breasts(frame: Frame, anatomy: Anatomy) -> Field:
    """Return the shadows of breasts and pectoral muscles; both fade towards their upper border."""
    total = np.zeros_like(frame.x)
    fade = soft_step((frame.y - np.float32(anatomy.breast_y - 0.10)) / np.float32(0.24))
    for side in (-1, 1):
        mound = soft_dome(frame, (side * 0.42 * anatomy.width, anatomy.breast_y), (0.30, 0.25))
        total += mound * fade * np.float32(anatomy.breast)
        total += soft_dome(frame, (side * 0.48, -0.34), (0.40, 0.40)) * np.float32(0.09)
    return total


def abdomen_gas(frame: Frame, anatomy: Anatomy, rng: np.random.Generator) -> Field:
    """Return the attenuation taken away by the stomach bubble and by gas in the colon."""
    top = anatomy.dome_y + anatomy.dome_step
    total = np.zeros_like(frame.x)
    if anatomy.stomach_gas:
        total += _bubble(frame, (rng.uniform(0.22, 0.40), top + rng.uniform(0.10, 0.15)), 0.11, rng)
        total *= np.float32(0.30 * anatomy.stomach_gas)
    if anatomy.bowel_gas:
        start = rng.uniform(0.25, 0.45)
        for step in range(3):
            spot = (start + 0.07 * step, top + 0.34 + 0.03 * step + rng.uniform(-0.03, 0.03))
            total += _bubble(frame, spot, 0.07, rng) * np.float32(0.12 * anatomy.bowel_gas)
    return total


def _bubble(frame: Frame, centre: tuple[float, float], radius: float, rng: np.random.Generator) -> Field:
    """Return a soft lump of gas made of two overlapping balls."""
    offset = rng.uniform(0.3, 0.7) * radius
    flat = rng.uniform(0.55, 0.8)
    first = half_ball(frame, centre, (radius, radius * flat))
    second = half_ball(
        frame, (centre[0] + offset, centre[1] + 0.3 * offset), (radius * 0.8, radius * flat * 0.8)
    )
    return np.maximum(first, second)
