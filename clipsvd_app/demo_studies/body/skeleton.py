"""Ribs, clavicles, shoulder blades and spine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.demo_studies.body.anatomy import lung_outline
from clipsvd_app.demo_studies.body.geometry import add_ball, crop, smooth_curve, soft_step
from clipsvd_app.demo_studies.body.tubes import Strands, draw_tubes, join, strand

if TYPE_CHECKING:
    from clipsvd_app.demo_studies.body.anatomy import Anatomy
    from clipsvd_app.demo_studies.body.geometry import Field, Frame, Line

_RIBS = 12


def bones(frame: Frame, anatomy: Anatomy, yaw: float, rng: np.random.Generator) -> Field:
    """Return the attenuation the skeleton adds; ``yaw`` is the patient's turn, in units of sideways shift."""
    long_bones = [*_ribs(anatomy, yaw, rng), *_clavicles(anatomy, yaw, rng), *_shoulder_edges(anatomy)]
    shells = draw_tubes(frame, join(long_bones), hollow=0.55)
    column, part = crop(frame, (-0.28, -1.5), (0.28, 1.5))
    shells[column] += spine(part, anatomy, yaw)
    upper, part = crop(frame, (-1.2, -0.75), (1.2, 0.05))
    shells[upper] += shoulder_blades(part, anatomy)
    for side in (-1, 1):
        head = (side * (0.86 + anatomy.scapula_x), anatomy.shoulder_y - 0.61)
        add_ball(shells, frame, head, (0.115, 0.125), 0.10, flatness=1.2)
    return shells * np.float32(anatomy.bone)


def _ribs(anatomy: Anatomy, yaw: float, rng: np.random.Generator) -> list[Strands]:
    return [
        _rib(anatomy, number, side, yaw, rng.normal(0.0, 0.004))
        for number in range(_RIBS)
        for side in (-1, 1)
    ]


def _rib(anatomy: Anatomy, number: int, side: int, yaw: float, wobble: float) -> Strands:
    """Return one rib as a projected helix: back, round the side, and forward to where cartilage begins."""
    end = np.deg2rad((118, 138, 142, 142, 140, 138, 134, 128, 120, 112, 100, 78)[number])
    turn = np.linspace(np.deg2rad(5), end, 420)
    slope = anatomy.rib_slope * (0.6 + 0.075 * number)
    start = anatomy.apex_y - 0.015 + anatomy.rib_pitch * (number * (1.0 - 0.006 * number)) + wobble
    back = 0.155 * slope * (1.0 - np.cos(np.minimum(turn, np.pi / 2)))
    front = (0.20 + 0.014 * number) * slope * np.maximum(-np.cos(turn), 0.0) ** 1.15
    hump = -0.022 * np.sin(np.clip(turn * 2.2, 0, np.pi))
    y = start + back + front + hump
    wall = lung_outline(anatomy, side).lateral.at(np.maximum(y, anatomy.apex_y + 0.05)) + 0.012
    short = (0.74, 0.93)[number] if number < 2 else 1.0
    x = side * (0.045 + (wall * short - 0.045) * np.sin(turn)) - yaw * np.cos(turn)
    radius = np.interp(turn, (0.1, 1.4, 1.75, 2.4), (0.021, 0.0245, 0.023, 0.029))
    near_end = np.clip((end - turn) / 0.18, 0.0, 1.0)
    strength = np.interp(turn, (0.0, 1.2, 1.5, 2.4), (0.135, 0.125, 0.105, 0.075)) * near_end
    return strand(np.stack([x, y], axis=1), radius, strength)


def _clavicles(anatomy: Anatomy, yaw: float, rng: np.random.Generator) -> list[Strands]:
    return [_clavicle(anatomy, side, yaw, rng.normal(0.0, 0.01)) for side in (-1, 1)]


def _clavicle(anatomy: Anatomy, side: int, yaw: float, wobble: float) -> Strands:
    t = np.linspace(0.0, 1.0, 400)
    x = side * (0.06 + 0.66 * t) + yaw * (1.0 - t)
    tilt = anatomy.clavicle_tilt + wobble
    y = -0.55 - 0.16 * t - tilt * t + 0.035 * np.sin(2 * np.pi * t) + anatomy.shoulder_y * (0.4 + 0.6 * t)
    radius = np.interp(t, (0, 0.1, 0.4, 0.8, 1.0), (0.040, 0.032, 0.025, 0.028, 0.034))
    ends = np.clip(t / 0.04, 0, 1) * np.clip((1 - t) / 0.04, 0, 1)
    return strand(np.stack([x, y], axis=1), radius, 0.15 * ends)


def _shoulder_edges(anatomy: Anatomy) -> list[Strands]:
    """Return the dense borders of the shoulder blades: lateral border, spine and acromion, humeral shaft."""
    sx, sy = anatomy.scapula_x, anatomy.shoulder_y
    edges = []
    for side in (-1, 1):
        edges += [
            _path(
                side,
                ((0.70 + sx, -0.50 + sy), (0.69 + sx, -0.30 + sy), (0.64 + sx, -0.08 + sy)),
                0.020,
                0.085,
            ),
            _path(
                side,
                ((0.56 + sx, -0.56 + sy), (0.66 + sx, -0.64 + sy), (0.80 + sx, -0.70 + sy)),
                0.020,
                0.075,
            ),
            _path(
                side, ((0.53 + sx, -0.52 + sy), (0.56 + sx, -0.28 + sy), (0.64 + sx, -0.08 + sy)), 0.008, 0.05
            ),
            _path(
                side, ((0.91 + sx, -0.56 + sy), (0.98 + sx, -0.25 + sy), (1.08 + sx, 0.15 + sy)), 0.062, 0.14
            ),
        ]
    return edges


def _path(side: int, knots: tuple[tuple[float, float], ...], radius: float, strength: float) -> Strands:
    """Return a strand through the knots, a parabola in its own parameter."""
    t = np.linspace(0.0, 1.0, 300)
    points: Line = np.array(knots)
    at = np.linspace(0.0, 1.0, len(points))
    x = np.polyval(np.polyfit(at, points[:, 0], 2), t) * side
    y = np.polyval(np.polyfit(at, points[:, 1], 2), t)
    return strand(
        np.stack([x, y], axis=1), radius, strength * np.clip(t / 0.08, 0, 1) * np.clip((1 - t) / 0.08, 0, 1)
    )


def shoulder_blades(frame: Frame, anatomy: Anatomy) -> Field:
    """Return the thin plates of the shoulder blades."""
    sx, sy = np.float32(anatomy.scapula_x), np.float32(anatomy.shoulder_y)
    x, y = np.abs(frame.x) - sx, frame.y - sy
    medial = soft_step((x - (0.53 + (y + 0.52) * 0.22)) / 0.02)
    lateral = soft_step(((0.705 - np.square(y + 0.45) * 0.5) - x) / 0.02)
    upper = soft_step((y + 0.58 + (x - 0.53) * 0.2) / 0.02)
    return medial * lateral * upper * soft_step((-0.08 - y) / 0.03) * np.float32(0.045)


def spine(frame: Frame, anatomy: Anatomy, yaw: float) -> Field:
    """Return vertebral bodies with end plates, disc spaces, pedicles and spinous processes."""
    pitch = smooth_curve(((-1.3, 0.088), (-0.5, 0.108), (0.3, 0.135), (1.3, 0.165)))(frame.y_index)
    phase = frame.y / pitch
    phase = phase - np.floor(phase)
    half = smooth_curve(((-1.3, 0.062), (-0.5, 0.068), (0.4, 0.083), (1.3, 0.10)))(frame.y_index)
    x = frame.x + np.float32(yaw)
    waist = half * (1.0 - np.float32(0.10) * np.sin(phase * np.float32(np.pi)))
    column = soft_step((waist - np.abs(x)) / np.float32(0.012))
    disc = np.exp(-(np.square((phase - 0.5) / np.float32(0.47)) ** 6))
    plates = np.exp(-np.square((phase - 0.1) / np.float32(0.05))) + np.exp(
        -np.square((phase - 0.9) / np.float32(0.05))
    )
    sides = np.exp(-np.square((np.abs(x) - waist * 0.95) / np.float32(0.010)))
    pedicles = np.exp(
        -np.square((np.abs(x) - half * 0.62) / np.float32(0.014))
        - np.square((phase - 0.35) / np.float32(0.16))
    )
    process = np.exp(-np.square(x / np.float32(0.012)) - np.square((phase - 0.7) / np.float32(0.2)))
    transverse = soft_step((half * np.float32(1.75) - np.abs(x)) / 0.03) * np.exp(
        -np.square((phase - 0.3) / np.float32(0.17))
    )
    bodies = column * (0.075 + 0.045 * disc + 0.03 * plates) + 0.03 * sides * disc
    # Muscle and mandible do not hide the neck, so its column would outshine the rest.
    fading = smooth_curve(((-1.2, 0.75), (-0.4, 1.0)))(frame.y_index)
    column_and_processes: Field = (bodies + 0.05 * (pedicles + process + transverse)) * fading
    return column_and_processes
