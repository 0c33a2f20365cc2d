"""Things that lie on or in a patient and say nothing about the findings: leads, a port, a central line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.demo_studies.body.geometry import add_ball
from clipsvd_app.demo_studies.body.tubes import Strands, draw_tubes, join, strand

if TYPE_CHECKING:
    from clipsvd_app.demo_studies.body.geometry import Field, Frame, Line
    from clipsvd_app.demo_studies.exposure import Exposure


def distractors(frame: Frame, exposure: Exposure, rng: np.random.Generator) -> Field:
    """Return the attenuation of whatever this exposure has lying about."""
    total = np.zeros_like(frame.x)
    wires: list[Strands] = []
    if exposure.leads:
        total += _electrodes(frame, wires, rng)
    if exposure.port:
        total += _port(frame, wires, rng)
    if exposure.line:
        wires.append(
            _wire(
                ((-0.60, -1.05), (-0.34, -0.72), (-0.16, -0.52), (-0.10, -0.32), (-0.105, -0.08)),
                0.006,
                0.16,
                rng,
            )
        )
    return total + draw_tubes(frame, join(wires)) if wires else total


def _electrodes(frame: Frame, wires: list[Strands], rng: np.random.Generator) -> Field:
    total = np.zeros_like(frame.x)
    gather = (rng.uniform(-0.3, 0.3), 1.15)
    for x, y in ((-0.52, -0.52), (0.52, -0.54), (0.56, 0.42)):
        spot = (x + rng.normal(0, 0.04), y + rng.normal(0, 0.04))
        add_ball(total, frame, spot, (0.024, 0.024), 0.30, flatness=2.0)
        add_ball(total, frame, spot, (0.058, 0.058), 0.035, flatness=3.0)
        sag = (spot[0] + rng.normal(0.0, 0.14), spot[1] + (gather[1] - spot[1]) * 0.35)
        bend = ((spot[0] + 2 * gather[0]) / 3 + rng.normal(0.0, 0.12), spot[1] + (gather[1] - spot[1]) * 0.7)
        wires.append(_wire((spot, sag, bend, gather), 0.005, 0.17, rng))
    return total


def _port(frame: Frame, wires: list[Strands], rng: np.random.Generator) -> Field:
    side = rng.choice((-1.0, 1.0))
    x, y = side * rng.uniform(0.36, 0.46), rng.uniform(-0.40, -0.30)
    shell = np.zeros_like(frame.x)
    add_ball(shell, frame, (x, y), (0.060, 0.055), 0.22, flatness=2.5)
    add_ball(shell, frame, (x, y), (0.034, 0.032), 0.22)
    run = ((x, y), (side * 0.33, -0.62), (side * 0.17, -0.66), (side * 0.06 - 0.05, -0.45), (-0.10, -0.12))
    wires.append(_wire(run, 0.006, 0.18, rng))
    return shell


def _wire(
    knots: tuple[tuple[float, float], ...], radius: float, strength: float, rng: np.random.Generator
) -> Strands:
    """Return a smooth wire through the knots."""
    points: Line = np.array(knots) + rng.normal(0.0, 0.012, (len(knots), 2))
    fine = np.linspace(0.0, len(knots) - 1.0, 900)
    rounded = np.stack([np.interp(fine, np.arange(len(knots)), points[:, k]) for k in (0, 1)], axis=1)
    window = np.hanning(181)
    padded = np.pad(rounded, ((90, 90), (0, 0)), mode="reflect", reflect_type="odd")
    smooth = np.stack([np.convolve(padded[:, k], window / window.sum(), "valid") for k in (0, 1)], axis=1)
    return strand(smooth, radius, strength)
