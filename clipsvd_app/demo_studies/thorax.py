"""Soft tissue, lungs, heart and airways as fields of attenuation; the findings change them here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.demo_studies.anatomy import LungOutline, heart_outline, lung_outline
from clipsvd_app.demo_studies.film import fractal
from clipsvd_app.demo_studies.geometry import (
    Curve,
    curve_positions,
    half_ball,
    quarter_round,
    smooth_curve,
    soft_step,
    table_index,
)

if TYPE_CHECKING:
    from clipsvd_app.demo_studies.anatomy import Anatomy
    from clipsvd_app.demo_studies.findings import Disease, Effusion, Pneumothorax
    from clipsvd_app.demo_studies.geometry import Field, Frame

# Attenuation lost where the deepest lung replaces soft tissue, and where free air does.
_LUNG = np.float32(0.66)
_AIR = np.float32(0.80)


@dataclass(frozen=True, slots=True)
class Lung:
    """One lung: ``depth`` of the cavity's gas (0 to 1), ``aerated`` where there is lung tissue in it."""

    depth: Field
    aerated: Field
    air: Field
    pleural_line: Field


def body(frame: Frame, anatomy: Anatomy) -> Field:
    """Return the thickness of soft tissue, as if nothing in it were filled with air."""
    half = smooth_curve(
        (
            (-1.2, 0.95), (-0.3, 0.80), (0.1, 0.765), (0.6, 0.775), (1.2, 0.81),
        )
    )  # fmt: skip
    flank = (half(frame.y_index) - 0.72 + anatomy.thorax_half_width + anatomy.wall * 0.9).astype(np.float32)
    across = np.abs(frame.x) / flank
    trunk = np.maximum(1.0 - np.power(across, np.float32(2.6)), 0.0) ** np.float32(0.55)
    below = np.float32(anatomy.shoulder_y) + shoulder_line(frame)
    top = quarter_round((frame.y - below) / np.float32(0.42))
    neck = np.sqrt(np.maximum(1.0 - np.square(frame.x / np.float32(0.27)), 0.0)) * np.float32(0.62)
    chest = np.float32(anatomy.thickness) * trunk * top
    return np.maximum(np.maximum(chest, neck * soft_step((-0.4 - frame.y) * 4)), arms(frame, anatomy))


def shoulder_line(frame: Frame) -> Field:
    """Return the y of the skin over neck and shoulders at each pixel's distance from the midline."""
    line = smooth_curve(
        (
            (0.0, -1.25), (0.17, -1.2), (0.24, -1.02), (0.36, -0.93), (0.55, -0.87), (0.75, -0.80), (0.92, -0.66),
            (1.1, -0.35),
        )
    )  # fmt: skip
    return line(table_index(np.abs(frame.x)))


def arms(frame: Frame, anatomy: Anatomy) -> Field:
    """Return the thickness of the upper arms, hanging away from the trunk."""
    run = np.array((0.42, 0.907), dtype=np.float32)
    shoulder = (0.80 + 0.5 * anatomy.wall, -0.58 + anatomy.shoulder_y)
    dx, dy = np.abs(frame.x) - np.float32(shoulder[0]), frame.y - np.float32(shoulder[1])
    along = np.clip(dx * run[0] + dy * run[1], 0.0, 2.0)
    gap = np.square(dx - along * run[0]) + np.square(dy - along * run[1])
    radius = np.float32(0.17 + 0.35 * anatomy.wall)
    return np.sqrt(np.maximum(1.0 - gap / (radius * radius), 0.0)) * np.float32(0.52)


def breasts(frame: Frame, anatomy: Anatomy) -> Field:
    """Return the shadows of breast and pectoral muscle, with their soft lower border."""
    x = 0.40 * anatomy.width
    total = np.zeros_like(frame.x)
    for side in (-1, 1):
        centre = (side * x, anatomy.breast_y)
        total += half_ball(frame, centre, (0.31, 0.27)) * np.float32(anatomy.breast)
        total += half_ball(frame, (side * 0.46, -0.32), (0.40, 0.42)) * np.float32(0.08)
    return total


def make_lung(frame: Frame, anatomy: Anatomy, disease: Disease, side: int) -> Lung:
    """Return the gas-filled part of one side of the chest."""
    outline = lung_outline(anatomy, side)
    across = np.float32(side) * frame.x
    cavity = _cavity(frame, outline, across)
    above_dome = 1.0 - np.float32(0.95) * quarter_round(
        (frame.y - outline.dome(table_index(across))) / np.float32(0.16)
    )
    depth = cavity * above_dome
    if disease.effusion is not None and disease.effusion.side == side:
        depth = depth * (1.0 - _fluid(frame, anatomy, outline, across, disease.effusion))
    if disease.pneumothorax is not None and disease.pneumothorax.side == side:
        return _collapse(frame, outline, across, depth, disease.pneumothorax)
    nothing = np.zeros_like(depth)
    return Lung(depth, depth, nothing, nothing)


def _cavity(frame: Frame, outline: LungOutline, across: Field) -> Field:
    """Return the depth of the pleural cavity above and behind the diaphragm."""
    lateral, medial = outline.lateral(frame.y_index), outline.medial(frame.y_index)
    reach = np.clip(across / lateral, 0.0, 1.0)
    round_wall = np.sqrt(1.0 - np.power(reach, np.float32(3.2)))
    inner = quarter_round((across - medial) / np.float32(0.16))
    top = quarter_round((frame.y - np.float32(outline.apex_y)) / np.float32(0.55))
    return round_wall * (np.float32(0.25) + np.float32(0.75) * inner) * (inner > 0) * top


def _fluid(frame: Frame, anatomy: Anatomy, outline: LungOutline, across: Field, effusion: Effusion) -> Field:
    """Return the share of the cavity filled with fluid: a meniscus that climbs the lateral wall."""
    angle_y = float(outline.dome.at(0.93 * anatomy.thorax_half_width))
    level = angle_y - 0.02 - (angle_y + 0.10) * effusion.volume
    climb = 0.13 + 0.16 * effusion.volume
    reach = np.float32(0.13 + 0.10 * effusion.volume)
    from_wall = np.maximum(outline.lateral(frame.y_index) - across, 0.0)
    surface = np.float32(level) - np.float32(climb) * np.exp(-from_wall / reach)
    surface -= np.float32(0.05 * effusion.volume) * np.exp(-np.maximum(across, 0.0) / np.float32(0.12))
    softness = np.float32(0.05 + 0.05 * effusion.volume)
    return np.float32(0.97) * soft_step((frame.y - surface) / softness)


def _collapse(
    frame: Frame, outline: LungOutline, across: Field, depth: Field, pneumothorax: Pneumothorax
) -> Lung:
    """Split the cavity into shrunken lung and free air, with the visceral pleura between them."""
    edge = visceral_edge(outline, pneumothorax)
    slope = edge.slope()(frame.y_index)
    inward = (edge(frame.y_index) - across) / np.sqrt(1.0 + slope * slope)
    pixel = np.float32(2.0 / frame.size)
    kept = soft_step(inward / np.maximum(pixel, np.float32(0.006)))
    line = np.exp(-np.square(inward / np.maximum(np.float32(0.0045), pixel * np.float32(0.7))))
    inside = np.sqrt(np.clip(depth * 3.0, 0.0, 1.0))
    fullness = np.float32(0.55) + np.float32(0.35) * quarter_round(inward / np.float32(0.25))
    return Lung(depth, depth * kept * fullness, depth * (1.0 - kept), line * inside)


def visceral_edge(outline: LungOutline, pneumothorax: Pneumothorax) -> Curve:
    """Return the lateral border of the partly collapsed lung over y, as distance from the midline."""
    y = curve_positions()
    below_apex = y - outline.apex_y
    drop = pneumothorax.gap * (0.35 + 0.85 * pneumothorax.apical)
    reach = 0.45 + 0.75 * (1.0 - pneumothorax.apical) + pneumothorax.gap
    fade = np.clip(1.0 - below_apex / reach, 0.0, 1.0)
    gap = pneumothorax.gap * np.sin(0.5 * np.pi * np.sqrt(fade))
    lowered = outline.lateral.at(y - drop * fade) - gap
    start = np.interp(outline.apex_y + drop, y, outline.medial.values)
    top = below_apex < drop
    lowered = np.where(top, start - 0.5, np.maximum(lowered, start - 0.5))
    return Curve(lowered.astype(np.float32))


def gas_loss(lung: Lung) -> Field:
    """Return how much attenuation the gas of one side takes away."""
    return lung.aerated * _LUNG + lung.air * _AIR - lung.pleural_line * np.float32(0.05)


def mediastinum(frame: Frame, anatomy: Anatomy) -> tuple[Field, Field]:
    """Return the attenuation heart and great vessels add in place of lung, and their path length (0 to 1)."""
    outline = heart_outline(anatomy)
    left, right = outline.left(frame.y_index), outline.right(frame.y_index)
    middle, half = (left + right) / 2, (left - right) / 2
    off = np.clip(np.abs(frame.x - middle) / half, 0.0, 1.0)
    path = np.power(1.0 - off * off, np.float32(0.42))
    fullness = smooth_curve(((-1.0, 0.38), (-0.5, 0.46), (-0.2, 0.62), (0.15, 0.86), (0.6, 0.9)))
    return path * fullness(frame.y_index), path


def aorta(frame: Frame, anatomy: Anatomy) -> Field:
    """Return the arch and the left edge of the descending aorta."""
    knob = half_ball(frame, (0.055, -0.34), (0.035 + anatomy.knob, 0.10)) * np.float32(0.10)
    border = np.float32(0.115) + np.float32(0.02) * np.sin(frame.y * np.float32(math.pi))
    inside = quarter_round((border - frame.x) / np.float32(0.07)) * soft_step((frame.x + 0.02) / 0.06)
    return knob + inside * soft_step((frame.y + 0.30) / 0.1) * np.float32(0.07)


def airways(frame: Frame, anatomy: Anatomy) -> Field:
    """Return the attenuation that trachea and main bronchi take away."""
    x = np.float32(anatomy.trachea_x)
    centre = x * soft_step((frame.y + 0.6) / 0.5)
    trachea = np.sqrt(np.maximum(1.0 - np.square((frame.x - centre) / np.float32(0.047)), 0.0))
    total = trachea * soft_step((-0.20 - frame.y) / 0.05) * np.float32(0.17)
    for side, steepness, reach in ((-1, 1.25, 0.13), (1, 0.85, 0.19)):
        along = (frame.x - x) * side
        off = (frame.y + np.float32(0.22)) - along * np.float32(steepness)
        tube = np.sqrt(np.maximum(1.0 - np.square(off / np.float32(0.05)), 0.0))
        total += tube * soft_step((along - 0.0) / 0.02) * soft_step((reach - along) / 0.06) * np.float32(0.08)
    return total


def abdomen_gas(frame: Frame, anatomy: Anatomy, rng: np.random.Generator) -> Field:
    """Return the attenuation taken away by the stomach bubble and by gas in the colon."""
    top = anatomy.dome_y + anatomy.dome_step
    spot = (rng.uniform(0.24, 0.42), top + rng.uniform(0.12, 0.17))
    radii = (rng.uniform(0.08, 0.15), rng.uniform(0.05, 0.08))
    total = half_ball(frame, spot, radii) * np.float32(0.35 * anatomy.stomach_gas)
    for _ in range(5):
        spot = (rng.uniform(-0.5, 0.5), top + rng.uniform(0.30, 0.50))
        radii = (rng.uniform(0.05, 0.11), rng.uniform(0.04, 0.07))
        total += half_ball(frame, spot, radii) * np.float32(0.2 * anatomy.bowel_gas)
    return total


def interstitium(frame: Frame, rng: np.random.Generator) -> Field:
    """Return the fine texture of lung between the vessels one can follow."""
    return fractal(frame.size, 0.9, rng) * np.float32(0.012)
