"""The geometry of a stack of slices: which are parallel, in what order, and how regular.

All lengths are in millimetres; the patient's axes are those of DICOM PS3.3 C.7.6.2.1.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clipsvd_app.imaging.values import Array, Plane

PARALLEL = float(np.cos(np.radians(0.5)))
"""Cosine of the angle by which rows or columns may differ and still count as parallel."""
# Far below the slice distance of clinical scanners; in pixels for micro-CT, whose slices may lie closer.
SAME_PLACE_MM = 0.01
SAME_PLACE_PX = 0.01
GAP_TOLERANCE = 0.1
"""How far a gap may be from the usual one, or from a whole multiple of it, as a share of the usual one."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """Distances between neighbouring places of a stack, as counted against the usual one.

    spacing_mm: the usual distance, None with fewer than two places. missing: slices that whole
    multiples of it leave room for. irregular: distances that are no such multiple. repeats: images at
    each place where it is the same number at all of them, else 0. doubled: images beyond the first at
    a place. shifted: neighbours that also moved within their plane.
    """

    spacing_mm: float | None
    missing: int
    irregular: int
    repeats: int
    doubled: int
    shifted: int


def orientation_groups(planes: Sequence[Plane]) -> Array:
    """Return a group number for each plane, (planes,): 0 for the orientation that most planes share."""
    axes = np.asarray([(*plane.row, *plane.column) for plane in planes], dtype=np.float64).reshape(-1, 6)
    groups = np.full(len(axes), -1)
    heads: list[Array] = []
    for index in _first_of_each(axes):
        if groups[index] >= 0:
            continue
        near = _parallel(axes, axes[index]) & (groups < 0)
        groups[near] = len(heads)
        heads.append(axes[index])
    sizes = np.bincount(groups, minlength=len(heads))
    by_size = np.argsort(-sizes, kind="stable")
    rank = np.empty_like(by_size)
    rank[by_size] = np.arange(len(by_size))
    return np.asarray(rank[groups])


def along_normal_mm(planes: Sequence[Plane]) -> Array:
    """Project every position on the normal of the first plane, (planes,)."""
    positions = np.asarray([plane.position_mm for plane in planes], dtype=np.float64).reshape(-1, 3)
    if not len(positions):
        return np.zeros(0)
    return np.asarray(positions @ _normal(planes[0]))


def same_place_mm(spacings_mm: Iterable[tuple[float, float] | None]) -> float:
    """Return the distance within which slices lie at one place: 0.01 mm, and less where pixels are small."""
    sides = [side for spacing in spacings_mm if spacing is not None for side in spacing if side > 0]
    return min([SAME_PLACE_MM, *(SAME_PLACE_PX * side for side in sides)])


def gaps(planes: Sequence[Plane], along: Array, same_place: float = SAME_PLACE_MM) -> Gaps:
    """Check a stack of parallel planes. along: (planes,), positions along their normal, ascending.

    same_place: in millimetres, see `same_place_mm`.
    """
    new_place = np.flatnonzero(np.diff(along) > same_place) + 1
    starts = np.concatenate(([0], new_place)) if len(along) else np.zeros(0, dtype=np.int64)
    counts = np.diff(np.append(starts, len(along)))
    repeats = int(counts[0]) if len(counts) > 1 and counts[0] > 1 and (counts == counts[0]).all() else 0
    doubled = 0 if repeats else int((counts - 1).sum())
    distances = np.diff(along[starts])
    if not len(distances):
        return Gaps(None, 0, 0, repeats, doubled, 0)
    usual = _usual(distances)
    multiple = np.maximum(1, np.rint(distances / usual))
    fits = np.abs(distances - multiple * usual) <= GAP_TOLERANCE * usual
    return Gaps(
        spacing_mm=usual,
        missing=int((multiple[fits] - 1).sum()),
        irregular=int((~fits).sum()),
        repeats=repeats,
        doubled=doubled,
        shifted=_shifted([planes[int(start)] for start in starts], usual, same_place),
    )


def _usual(distances: Array) -> float:
    """Return the smallest distance that a quarter of the gaps share, else the median.

    The smallest, because where most gaps are double, it is slices that are missing.
    """
    smallest = float(distances.min())
    alike = distances[distances <= smallest * (1 + 3 * GAP_TOLERANCE)]
    return float(alike.mean() if len(alike) * 4 >= len(distances) else np.median(distances))


def _shifted(planes: Sequence[Plane], usual_mm: float, same_place: float) -> int:
    """Count neighbours whose step has a part within the plane beyond a tenth of the usual distance.

    A tilted gantry gives every slice the same one: such a stack is a sheared grid.
    """
    positions = np.asarray([plane.position_mm for plane in planes], dtype=np.float64)
    steps = np.diff(positions, axis=0)
    normal = _normal(planes[0])
    within = steps - np.outer(steps @ normal, normal)
    return int((np.linalg.norm(within, axis=1) > max(same_place, GAP_TOLERANCE * usual_mm)).sum())


def _normal(plane: Plane) -> Array:
    normal = np.cross(plane.row, plane.column)
    return np.asarray(normal / np.linalg.norm(normal))


def _parallel(axes: Array, head: Array) -> Array:
    rows, columns = axes[:, :3] @ head[:3], axes[:, 3:] @ head[3:]
    return np.asarray((rows >= PARALLEL) & (columns >= PARALLEL))


def _first_of_each(axes: Array) -> list[int]:
    """Return the first index of every distinct orientation as written, most frequent first."""
    seen: dict[bytes, list[int]] = {}
    for index, row in enumerate(axes):
        seen.setdefault(row.tobytes(), []).append(index)
    return [indices[0] for indices in sorted(seen.values(), key=len, reverse=True)]
