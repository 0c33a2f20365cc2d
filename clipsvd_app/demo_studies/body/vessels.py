"""The pulmonary vessels: trees that branch from each hilum, thinning outwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.demo_studies.body.geometry import add_ball
from clipsvd_app.demo_studies.body.tubes import Strands, draw_tubes, join

if TYPE_CHECKING:
    from clipsvd_app.demo_studies.body.anatomy import Anatomy
    from clipsvd_app.demo_studies.body.geometry import Field, Frame, Line

# (direction in degrees below the horizontal, length, radius) of the first branches, lateral being forwards.
_ROOTS = (
    (-78, 0.20, 0.0135), (-58, 0.22, 0.012), (-35, 0.20, 0.010), (-8, 0.20, 0.0105),
    (18, 0.22, 0.012), (40, 0.24, 0.014), (58, 0.26, 0.017), (72, 0.26, 0.016), (86, 0.22, 0.012),
)  # fmt: skip
_GENERATIONS = 6
_POINTS = 14
_VESSEL_STRENGTH = 4.2


def lung_vessels(frame: Frame, anatomy: Anatomy, rng: np.random.Generator) -> Field:
    """Return the attenuation of the vessels of both lungs, not yet clipped to the lungs."""
    trees = [tree for side in (-1, 1) for tree in _tree(anatomy, side, rng)]
    return draw_tubes(frame, join(trees))


def hilum_position(anatomy: Anatomy, side: int) -> tuple[float, float]:
    """Return where the vessels of one lung leave the mediastinum; the left hilum stands higher."""
    return side * 0.135 * anatomy.mediastinum, -0.12 if side < 0 else -0.165


def hila(frame: Frame, anatomy: Anatomy) -> Field:
    """Return the soft knots of vessels and nodes at both lung roots."""
    total = np.zeros_like(frame.x)
    for side in (-1, 1):
        x, y = hilum_position(anatomy, side)
        for dx, dy, rx, ry in (
            (0.02, -0.02, 0.06, 0.07),
            (0.045, 0.06, 0.045, 0.085),
            (0.05, -0.06, 0.04, 0.05),
        ):
            add_ball(total, frame, (x + side * dx, y + dy), (rx, ry), 0.085 * anatomy.hilum)
    return total


def _tree(anatomy: Anatomy, side: int, rng: np.random.Generator) -> list[Strands]:
    """Grow all branches of one lung a generation at a time."""
    angle = np.deg2rad([root[0] for root in _ROOTS]) + rng.normal(0.0, 0.10, len(_ROOTS))
    length = np.array([root[1] for root in _ROOTS]) * rng.uniform(0.8, 1.2, len(_ROOTS))
    radius = np.array([root[2] for root in _ROOTS]) * rng.uniform(0.85, 1.15, len(_ROOTS))
    x, y = hilum_position(anatomy, side)
    starts = np.stack([np.full(len(_ROOTS), x * side + 0.01), y + 0.05 * np.sin(angle)], axis=1)
    grown = []
    for _ in range(_GENERATIONS):
        paths, heading = _bend(starts, angle, length, rng)
        grown.append(_as_strands(paths, radius, side, anatomy.vascularity))
        starts, angle, length, radius = _fork(paths, heading, length, radius, rng)
    return grown


def _bend(starts: Line, angle: Line, length: Line, rng: np.random.Generator) -> tuple[Line, Line]:
    """Return paths (branches, points, 2) that wander a little, and the headings they end with."""
    bend = rng.normal(0.0, 0.45, angle.size)[:, None] * np.linspace(0.0, 1.0, _POINTS)
    heading = angle[:, None] + bend + rng.normal(0.0, 0.10, (angle.size, _POINTS))
    steps = np.stack([np.cos(heading), np.sin(heading)], axis=2) * (length / (_POINTS - 1))[:, None, None]
    steps[:, 0] = 0.0
    return starts[:, None, :] + np.cumsum(steps, axis=1), (angle[:, None] + bend)[:, -1]


def _fork(
    paths: Line, heading: Line, length: Line, radius: Line, rng: np.random.Generator
) -> tuple[Line, Line, Line, Line]:
    """Split every branch in two: one goes on nearly straight, one leaves at a wider angle."""
    turn = rng.uniform(0.10, 0.40, heading.size) * rng.choice((-1, 1), heading.size)
    away = -np.sign(turn) * rng.uniform(0.45, 0.95, heading.size)
    share = rng.uniform(0.55, 0.85, heading.size)
    leave = rng.integers(_POINTS // 2, _POINTS, heading.size)
    starts = np.concatenate([paths[:, -1], paths[np.arange(heading.size), leave]])
    angles = np.concatenate([heading + turn, heading + away])
    lengths = np.concatenate(
        [length * rng.uniform(0.6, 0.9, heading.size), length * rng.uniform(0.5, 0.8, heading.size)]
    )
    radii = np.concatenate([radius * share**0.4, radius * (1.0 - share) ** 0.4]) * 0.95
    return starts, angles, lengths, radii


def _as_strands(paths: Line, radius: Line, side: int, vascularity: float) -> Strands:
    """Fill in points along each path and give thick vessels more attenuation than thin ones."""
    fine = np.linspace(0, _POINTS - 1, 28)
    low = np.minimum(fine.astype(int), _POINTS - 2)
    part = (fine - low)[None, :, None]
    dense = paths[:, low] * (1.0 - part) + paths[:, low + 1] * part
    dense = dense * np.array((side, 1.0))
    length = np.linalg.norm(np.gradient(dense, axis=1), axis=2)
    width = radius[:, None] * np.linspace(1.0, 0.85, fine.size)
    strength = _VESSEL_STRENGTH * vascularity * np.power(width, 0.8)
    return Strands(dense.reshape(-1, 2), width.ravel(), (length * strength).ravel())
