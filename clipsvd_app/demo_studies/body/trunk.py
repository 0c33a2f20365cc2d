"""Soft tissue around the lungs: trunk, neck, arms, breasts, and gas in the abdomen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.demo_studies.body.geometry import (
    add_ball,
    add_dome,
    quarter_round,
    smooth_curve,
    soft_step,
    table_index,
)

if TYPE_CHECKING:
    from clipsvd_app.demo_studies.body.anatomy import Anatomy
    from clipsvd_app.demo_studies.body.geometry import Field, Frame

_FLANK = smooth_curve(((-1.2, 0.23), (-0.3, 0.09), (0.1, 0.05), (0.6, 0.06), (1.2, 0.10)))
_ROUNDNESS = smooth_curve(
    ((0.0, 1.0), (0.3, 0.97), (0.5, 0.92), (0.7, 0.80), (0.83, 0.66), (0.92, 0.49), (0.97, 0.32), (1.0, 0.0))
)
_SHOULDERS = smooth_curve(
    (
        (0.0, -1.30),
        (0.17, -1.24),
        (0.25, -1.04),
        (0.36, -0.94),
        (0.55, -0.87),
        (0.75, -0.80),
        (0.92, -0.66),
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
    """Return the shadows of breasts and pectoral muscles; the breasts fade towards their upper border."""
    total = np.zeros_like(frame.x)
    for side in (-1, 1):
        add_dome(total, frame, (side * 0.42 * anatomy.width, anatomy.breast_y), (0.30, 0.25), anatomy.breast)
    total *= soft_step((frame.y - np.float32(anatomy.breast_y - 0.10)) / np.float32(0.24))
    for side in (-1, 1):
        add_dome(total, frame, (side * 0.48, -0.34), (0.40, 0.40), 0.09)
    return total


def abdomen_gas(frame: Frame, anatomy: Anatomy, rng: np.random.Generator) -> Field:
    """Return the attenuation taken away by the stomach bubble and by gas in the colon."""
    top = anatomy.dome_y + anatomy.dome_step
    total = np.zeros_like(frame.x)
    if anatomy.stomach_gas:
        spot = (rng.uniform(0.22, 0.40), top + rng.uniform(0.10, 0.15))
        _add_bubble(total, frame, spot, 0.11, 0.24 * anatomy.stomach_gas, rng)
    if anatomy.bowel_gas:
        start = rng.uniform(0.25, 0.45)
        for step in range(3):
            spot = (start + 0.07 * step, top + 0.34 + 0.03 * step + rng.uniform(-0.03, 0.03))
            _add_bubble(total, frame, spot, 0.07, 0.10 * anatomy.bowel_gas, rng)
    return total


def _add_bubble(
    total: Field,
    frame: Frame,
    centre: tuple[float, float],
    radius: float,
    strength: float,
    rng: np.random.Generator,
) -> None:
    """Add a lump of gas made of two overlapping balls."""
    offset, flat = rng.uniform(0.3, 0.7) * radius, rng.uniform(0.55, 0.8)
    add_ball(total, frame, centre, (radius, radius * flat), strength)
    beside = (centre[0] + offset, centre[1] + 0.3 * offset)
    add_dome(total, frame, beside, (radius * 0.8, radius * flat * 0.8), 0.5 * strength)
