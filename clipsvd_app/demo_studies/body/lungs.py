"""The gas in the two pleural cavities, and what an effusion or a pneumothorax does to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.demo_studies.body.anatomy import LungOutline, lung_outline
from clipsvd_app.demo_studies.body.geometry import (
    Curve,
    Field,
    crop,
    curve_positions,
    quarter_round,
    smooth_curve,
    soft_step,
    table_index,
)
from clipsvd_app.demo_studies.film import fractal

if TYPE_CHECKING:
    from clipsvd_app.demo_studies.body.anatomy import Anatomy
    from clipsvd_app.demo_studies.body.geometry import Frame
    from clipsvd_app.demo_studies.findings import Disease, Effusion, Pneumothorax

# Attenuation lost where the deepest lung replaces soft tissue, and where free air does.
_LUNG_LOSS = np.float32(0.66)
_AIR_LOSS = np.float32(0.80)
_PLEURA = np.float32(0.055)
# Path length through a round chest from the midline (0) to the wall (1).
_ROUND_WALL = smooth_curve(
    (
        (0.0, 1.0),
        (0.4, 0.975),
        (0.6, 0.90),
        (0.75, 0.775),
        (0.87, 0.60),
        (0.94, 0.425),
        (0.98, 0.25),
        (1.0, 0.0),
    )
)


@dataclass(frozen=True, slots=True)
class Lungs:
    """Both pleural cavities: depth of aerated lung (0 to 1), and the attenuation all their gas takes away."""

    aerated: Field
    loss: Field


def make_lungs(frame: Frame, anatomy: Anatomy, disease: Disease) -> Lungs:
    """Return the gas in the chest with the disease in place; each side is drawn on its half of the film."""
    lungs = Lungs(np.zeros_like(frame.x), np.zeros_like(frame.x))
    for side in (-1, 1):
        half, part = crop(frame, (min(0.0, 1.2 * side), -1.1), (max(0.0, 1.2 * side), 1.4))
        one = _one_lung(part, anatomy, disease, side)
        lungs.aerated[half] += one.aerated
        lungs.loss[half] += one.loss
    return lungs


def _one_lung(frame: Frame, anatomy: Anatomy, disease: Disease, side: int) -> Lungs:
    """Return the gas on one side (-1: the patient's right, the image's left)."""
    outline = lung_outline(anatomy, side)
    across = np.float32(side) * frame.x
    depth = _cavity(frame, outline, across)
    if disease.effusion is not None and disease.effusion.side == side:
        depth = depth * (1.0 - _fluid(frame, anatomy, outline, across, disease.effusion))
    if disease.pneumothorax is not None and disease.pneumothorax.side == side:
        return _collapsed(frame, outline, across, depth, disease.pneumothorax)
    return Lungs(depth, np.multiply(depth, _LUNG_LOSS))


def interstitium(frame: Frame, rng: np.random.Generator) -> Field:
    """Return the fine texture of lung between the vessels one can follow."""
    return np.multiply(fractal(frame.size, 0.9, rng), np.float32(0.011))


def _cavity(frame: Frame, outline: LungOutline, across: Field) -> Field:
    """Return the depth of gas above the dome, and the little that hangs down behind it."""
    lateral, medial = outline.lateral(frame.y_index), outline.medial(frame.y_index)
    wall = _ROUND_WALL(table_index(np.clip(across / lateral, 0.0, 1.0)))
    inner = quarter_round((across - medial) / np.float32(0.16))
    top = quarter_round((frame.y - np.float32(outline.apex_y)) / np.float32(0.55))
    below_dome = quarter_round((frame.y - outline.dome(table_index(across))) / np.float32(0.16))
    shape = (np.float32(0.25) + np.float32(0.75) * inner) * (inner > 0)
    return wall * shape * top * (1.0 - np.float32(0.95) * below_dome)


def _fluid(frame: Frame, anatomy: Anatomy, outline: LungOutline, across: Field, effusion: Effusion) -> Field:
    """Return the share of the cavity filled with fluid: a meniscus that climbs the lateral wall."""
    volume = effusion.volume
    angle_y = float(outline.dome.at(0.93 * anatomy.thorax_half_width))
    level = np.float32(angle_y - 0.02 - (angle_y + 0.10) * volume)
    climb, reach = np.float32(0.13 + 0.17 * volume), np.float32(0.13 + 0.10 * volume)
    from_wall = np.maximum(outline.lateral(frame.y_index) - across, 0.0)
    inner_climb = np.float32(0.05 * volume) * np.exp(-np.maximum(across, 0.0) / np.float32(0.12))
    surface = level - climb * np.exp(-from_wall / reach) - inner_climb
    return np.float32(0.97) * soft_step((frame.y - surface) / np.float32(0.06 + 0.07 * volume))


def _collapsed(
    frame: Frame, outline: LungOutline, across: Field, depth: Field, pneumothorax: Pneumothorax
) -> Lungs:
    """Split the cavity into shrunken, slightly denser lung and free air, with the visceral pleura between."""
    edge = visceral_edge(outline, pneumothorax)
    slope = edge.slope()(frame.y_index)
    inward = (edge(frame.y_index) - across) / np.sqrt(1.0 + slope * slope)
    pixel = np.float32(2.0 / frame.size)
    kept = soft_step(inward / np.maximum(pixel, np.float32(0.006)))
    line = np.exp(-np.square(inward / np.maximum(np.float32(0.0045), pixel * np.float32(0.7))))
    fullness = np.float32(0.60) + np.float32(0.33) * quarter_round(inward / np.float32(0.25))
    visible = np.sqrt(np.clip(depth * 3.0, 0.0, 1.0))
    aerated, air = depth * kept * fullness, depth * (1.0 - kept)
    return Lungs(aerated, aerated * _LUNG_LOSS + air * _AIR_LOSS - line * visible * _PLEURA)


def visceral_edge(outline: LungOutline, pneumothorax: Pneumothorax) -> Curve:
    """Return the lateral border of the partly collapsed lung over y, as distance from the midline.

    The lung hangs from the hilum: its apex sinks, its wall comes inwards, and both fade out downwards.
    """
    y, apex = curve_positions(), outline.apex_y
    drop = pneumothorax.gap * (0.30 + 0.75 * pneumothorax.apical)
    reach = 0.60 + 0.60 * (1.0 - pneumothorax.apical) + pneumothorax.gap
    below = y - apex - drop
    stretched = np.where(y < apex + reach, apex + below * reach / (reach - drop), y)
    inner = 0.12
    wall = outline.lateral.at(np.maximum(stretched, apex))
    fade = np.clip(1.0 - (y - apex) / reach, 0.0, 1.0)
    pull = pneumothorax.gap / (0.55 - inner) * fade * (2.0 - fade)
    rounded = np.sqrt(1.0 - np.square(np.clip(1.0 - below / 0.22, 0.0, 1.0)))
    edge = inner + (wall - inner) * (1.0 - np.minimum(pull, 0.9)) * rounded + 3.0 * np.minimum(below, 0.0)
    return Curve(edge.astype(np.float32))
