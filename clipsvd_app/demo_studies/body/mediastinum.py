"""Heart, great vessels and central airways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.demo_studies.body.anatomy import heart_outline
from clipsvd_app.demo_studies.body.geometry import (
    add_ball,
    crop,
    quarter_round,
    smooth_curve,
    soft_step,
    table_index,
)

if TYPE_CHECKING:
    from clipsvd_app.demo_studies.body.anatomy import Anatomy
    from clipsvd_app.demo_studies.body.geometry import Field, Frame

_BORDER = smooth_curve(
    ((0.0, 1.0), (0.5, 0.96), (0.75, 0.86), (0.87, 0.72), (0.94, 0.53), (0.98, 0.33), (1.0, 0.0))
)
_FULLNESS = smooth_curve(((-1.0, 0.50), (-0.5, 0.62), (-0.2, 0.76), (0.1, 0.92), (0.6, 0.96)))
_AORTA_BORDER = smooth_curve(((-0.4, 0.125), (-0.1, 0.118), (0.3, 0.095), (0.8, 0.07)))


def silhouette(frame: Frame, anatomy: Anatomy) -> Field:
    """Return the share of the lung's depth (0 to 1) that heart and great vessels take up."""
    outline = heart_outline(anatomy)
    left, right = outline.left(frame.y_index), outline.right(frame.y_index)
    off = np.abs(frame.x - (left + right) / 2) / ((left - right) / 2)
    return _BORDER(table_index(np.minimum(off, 1.0))) * _FULLNESS(frame.y_index)


def central_vessels_and_airways(frame: Frame, anatomy: Anatomy) -> Field:
    """Return what aorta adds and what trachea and bronchi take away, near the midline."""
    total = np.zeros_like(frame.x)
    column, part = crop(frame, (-0.3, -1.5), (0.3, 1.5))
    total[column] = _aorta(part, anatomy) - _airways(part, anatomy)
    add_ball(total, frame, (0.06, -0.34), (0.035 + anatomy.knob, 0.095), 0.09)
    return total


def _aorta(frame: Frame, anatomy: Anatomy) -> Field:
    """Return the attenuation of the descending aorta beside the spine."""
    inside = quarter_round((_AORTA_BORDER(frame.y_index) - frame.x) / np.float32(0.07))
    course = soft_step((frame.x + 0.02) / 0.06) * soft_step((frame.y + 0.30) / 0.1)
    return inside * course * np.float32(0.07)


def _airways(frame: Frame, anatomy: Anatomy) -> Field:
    """Return the attenuation that trachea and main bronchi take away."""
    at = np.float32(anatomy.trachea_x)
    middle = at * soft_step((frame.y + 0.6) / 0.5)
    trachea = np.sqrt(np.maximum(1.0 - np.square((frame.x - middle) / np.float32(0.050)), 0.0))
    total = trachea * soft_step((-0.19 - frame.y) / 0.06) * np.float32(0.19)
    for side, steepness, reach in ((-1, 1.25, 0.13), (1, 0.85, 0.19)):
        along = (frame.x - at) * np.float32(side)
        off = (frame.y + np.float32(0.22)) - along * np.float32(steepness)
        tube = np.sqrt(np.maximum(1.0 - np.square(off / np.float32(0.05)), 0.0))
        total += tube * soft_step(along / 0.02) * soft_step((reach - along) / 0.06) * np.float32(0.10)
    return total
