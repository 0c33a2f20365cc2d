"""One exposure of a patient: how they stood, what lay on them, and how the film was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipsvd_app.demo_studies.body.geometry import Pose

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Exposure:
    """Everything that a second film of the same patient changes.

    collimation: width of the shuttered margin at left, top, right, bottom, in film units.
    """

    pose: Pose
    yaw: float
    noise: float
    exposure: float
    contrast: float
    sharpening: float
    collimation: tuple[float, float, float, float]
    leads: bool
    port: bool
    line: bool
    marker_left: bool
    marker_y: float
    texture_seed: int


def draw_exposure(rng: np.random.Generator) -> Exposure:
    """Choose an exposure; no choice depends on the finding."""
    pose = Pose(
        tilt_deg=rng.normal(0.0, 1.6),
        scale=rng.uniform(1.05, 1.18),
        shift_x=rng.normal(0.0, 0.02),
        shift_y=rng.uniform(-0.01, 0.07),
    )
    shutters = [rng.uniform(0.01, 0.07) if rng.uniform() < 0.45 else 0.0 for _ in range(4)]
    return Exposure(
        pose=pose,
        yaw=rng.normal(0.0, 0.012),
        noise=rng.uniform(0.005, 0.013),
        exposure=rng.normal(0.0, 0.025),
        contrast=rng.uniform(0.88, 1.14),
        sharpening=rng.uniform(0.5, 1.1),
        collimation=(shutters[0], shutters[1], shutters[2], shutters[3]),
        leads=bool(rng.uniform() < 0.22),
        port=bool(rng.uniform() < 0.12),
        line=bool(rng.uniform() < 0.14),
        marker_left=bool(rng.uniform() < 0.5),
        marker_y=rng.uniform(-0.86, -0.62),
        texture_seed=int(rng.integers(2**62)),
    )
