"""The grid of a volume, in any format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.imaging.values import FileNote

if TYPE_CHECKING:
    from clipsvd_app.imaging.values import Array

# Directions are stored with few digits; beyond this the grid is sheared.
_LOOSENESS = 0.01


@dataclass(frozen=True, slots=True)
class Geometry:
    """The grid of a volume: voxels along its axes, x first, then values a voxel and bytes a value.

    spacing_mm: along x, y and z, () where the file does not say. origin_mm, axes: the first voxel's centre
    and the unit vectors of x, y and z in the patient (DICOM's axes, as PS3.3 C.7.6.2.1.1), () where the file
    does not say how it lies. rescale: slope and intercept from stored to shown values.
    """

    size: tuple[int, ...]
    spacing_mm: tuple[float, ...]
    samples: int
    sample_bytes: int
    origin_mm: tuple[float, ...] = ()
    axes: tuple[tuple[float, ...], ...] = ()
    rescale: tuple[float, float] = (1.0, 0.0)
    notes: tuple[FileNote, ...] = ()


def axes_of(matrix: Array) -> tuple[tuple[float, ...], tuple[tuple[float, ...], ...]]:
    """Return origin and unit axes of an affine (3, 4) whose axes have lengths."""
    axes = matrix[:, :3] / np.linalg.norm(matrix[:, :3], axis=0)
    return tuple(matrix[:, 3].tolist()), tuple(tuple(axis) for axis in axes.T.tolist())


def are_square(axes: Array) -> bool:
    """Say whether unit axes (3, 3) are perpendicular, apart from rounding."""
    return bool(np.abs(axes.T @ axes - np.eye(3)).max() <= _LOOSENESS)
