"""Where the frames of a DICOM object lie in the patient (PS3.3 C.7.6.2, C.7.6.16.2.3 and C.7.6.16.2.4)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from clipsvd_app.imaging.dicom_elements import items, numbers
from clipsvd_app.imaging.values import Plane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.imaging.dicom_elements import Dataset

_POSITION, _ORIENTATION = "ImagePositionPatient", "ImageOrientationPatient"
# Written direction cosines are rounded; beyond this they are no pair of perpendicular unit vectors.
_LOOSENESS = 0.01


def planes_of(dataset: Dataset, frames: int) -> tuple[Plane | None, ...]:
    """Return one plane for each frame, None where it is not said, or () where none is said."""
    per_frame = items(dataset, "PerFrameFunctionalGroupsSequence")
    if per_frame:
        shared = items(dataset, "SharedFunctionalGroupsSequence")[:1]
        found = tuple(_grouped([group, *shared]) for group in per_frame[:frames])
        return found if any(found) else ()
    single = plane_of(numbers(dataset, _POSITION), numbers(dataset, _ORIENTATION))
    return (single,) if single is not None and frames == 1 else ()


def plane_of(position: Sequence[float], orientation: Sequence[float]) -> Plane | None:
    """Return a plane, its directions of unit length, or None where the numbers do not make one."""
    if len(position) != 3 or len(orientation) != 6 or not all(map(math.isfinite, (*position, *orientation))):
        return None
    row, column = orientation[:3], orientation[3:]
    lengths = math.hypot(*row), math.hypot(*column)
    across = sum(a * b for a, b in zip(row, column, strict=True))
    if max(abs(lengths[0] - 1), abs(lengths[1] - 1), abs(across)) > _LOOSENESS:
        return None
    (a, b, c), (d, e, f) = (
        [v / length for v in axis] for axis, length in zip((row, column), lengths, strict=True)
    )
    x, y, z = position
    return Plane((x, y, z), (a, b, c), (d, e, f))


def _grouped(groups: Sequence[Dataset]) -> Plane | None:
    """Read a frame's own functional group, else the shared one."""
    return plane_of(
        _first(groups, "PlanePositionSequence", _POSITION),
        _first(groups, "PlaneOrientationSequence", _ORIENTATION),
    )


def _first(groups: Sequence[Dataset], sequence: str, keyword: str) -> tuple[float, ...]:
    for group in groups:
        for item in items(group, sequence)[:1]:
            return numbers(item, keyword)
    return ()
