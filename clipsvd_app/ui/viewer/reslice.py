"""Three orthogonal planes of a volume, turned as radiologists hang them. NumPy only.

Directions are unit vectors of the patient (DICOM PS3.3 C.7.6.2.1.1): x to the left, y to the back, z to
the head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipsvd_app.imaging.display.sides import edges_along

Array = NDArray[Any]
Voxel = tuple[int, int, int]
_NAMES = ("Sagittal", "Coronal", "Axial")  # by the patient axis that the plane stands upright on
_RIGHT = (1, 0, 0)  # which patient axis runs to the right of the screen, by the same
_DOWN = ((2, -1.0), (2, -1.0), (1, 1.0))  # which runs down, and in what sense
STORED_NAMES = ("As acquired", "Across rows", "Across columns")


@dataclass(frozen=True, slots=True)
class Plane:
    """How a plane is cut and laid on the screen.

    axis: the volume axis it stands upright on; down, right: those that run along the screen; flips: whether
    they run backwards; edges: the patient's letters at left, top, right and bottom, empty when unknown.
    """

    name: str
    axis: int
    down: int
    right: int
    flip_down: bool = False
    flip_right: bool = False
    edges: tuple[str, str, str, str] | None = None

    def cut(self, voxels: Array, index: int) -> Array:
        """Return the (rows, columns) picture at a place along ``axis``."""
        picture = np.take(voxels, index, axis=self.axis)
        if self.down > self.right:
            picture = picture.T
        rows = slice(None, None, -1 if self.flip_down else 1)
        return np.ascontiguousarray(picture[rows, slice(None, None, -1 if self.flip_right else 1)])

    def spacing_mm(self, spacing: tuple[float, float, float]) -> tuple[float, float]:
        """Return the distance between rows and between columns of the picture."""
        return spacing[self.down], spacing[self.right]

    def point_of(self, voxel: Voxel, shape: Voxel) -> tuple[float, float]:
        """Return (column, row) of the middle of a voxel in the picture."""
        column, row = voxel[self.right], voxel[self.down]
        if self.flip_right:
            column = shape[self.right] - 1 - column
        if self.flip_down:
            row = shape[self.down] - 1 - row
        return column + 0.5, row + 0.5

    def voxel_at(self, point: tuple[float, float], voxel: Voxel, shape: Voxel) -> Voxel:
        """Return the voxel under a point of the picture; it keeps its place along ``axis``."""
        column = min(max(int(point[0]), 0), shape[self.right] - 1)
        row = min(max(int(point[1]), 0), shape[self.down] - 1)
        moved = list(voxel)
        moved[self.right] = shape[self.right] - 1 - column if self.flip_right else column
        moved[self.down] = shape[self.down] - 1 - row if self.flip_down else row
        return moved[0], moved[1], moved[2]


def planes_of(orientation: tuple[float, ...] | None) -> tuple[Plane, Plane, Plane]:
    """Return the planes across slices, rows and columns of a volume (slices, rows, columns).

    orientation: the six cosines of Image Orientation (Patient), slices running along the normal.
    The acquired plane stays as it is stored. Without an orientation no side is named.
    """
    if orientation is None:
        return (
            Plane(STORED_NAMES[0], 0, 1, 2),
            Plane(STORED_NAMES[1], 1, 0, 2),
            Plane(STORED_NAMES[2], 2, 0, 1),
        )
    along_columns, along_rows = np.array(orientation[:3]), np.array(orientation[3:])
    directions = (np.cross(along_columns, along_rows), along_rows, along_columns)
    acquired = Plane(
        _NAMES[_main(directions[0])], 0, 1, 2, edges=edges_along(along_columns.tolist(), along_rows.tolist())
    )
    return acquired, _hung(1, directions), _hung(2, directions)


def evenly_spaced(voxels: Array, positions_mm: Array) -> tuple[Array, float]:
    """Return the slices at even distances, interpolated linearly where they are not, and the distance.

    positions_mm: rising places of the slices along their normal.
    """
    gaps = np.diff(positions_mm)
    assert gaps.size, "at least two slices"
    assert gaps.min() > 0, "slices that rise"
    step = float(np.median(gaps))
    if np.abs(gaps - step).max() <= 0.01 * step:
        return voxels, step
    count = round(float(positions_mm[-1] - positions_mm[0]) / step) + 1
    places = np.interp(positions_mm[0] + step * np.arange(count), positions_mm, np.arange(len(positions_mm)))
    low = np.minimum(places.astype(np.intp), len(voxels) - 2)
    result = np.empty((count, *voxels.shape[1:]), dtype=np.float32)
    for number, (first, share) in enumerate(zip(low, places - low, strict=True)):
        result[number] = voxels[first] * (1 - share) + voxels[first + 1] * share
    return result, step


def _hung(axis: int, directions: tuple[Array, Array, Array]) -> Plane:
    upright = _main(directions[axis])
    right_axis, (down_axis, down_sense) = _RIGHT[upright], _DOWN[upright]
    right, down = (number for number in range(3) if number != axis)
    if abs(directions[right][right_axis]) < abs(directions[down][right_axis]):
        right, down = down, right
    flip_right = bool(directions[right][right_axis] < 0)
    flip_down = bool(directions[down][down_axis] * down_sense < 0)
    across, along = (
        directions[right] * (-1 if flip_right else 1),
        directions[down] * (-1 if flip_down else 1),
    )
    edges = edges_along(across.tolist(), along.tolist())
    return Plane(_NAMES[upright], axis, down, right, flip_down, flip_right, edges)


def _main(direction: Array) -> int:
    return int(np.argmax(np.abs(direction)))
