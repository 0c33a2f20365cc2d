"""Where the frames of a DICOM object lie in the patient (PS3.3 C.7.6.2, C.7.6.16.2.3 and C.7.6.16.2.4)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from clipsvd_app.imaging.dicom.elements import code, frame_group, items, number, numbers, texts, whole
from clipsvd_app.imaging.display.sides import edges_along, edges_of_terms
from clipsvd_app.imaging.values import Edges, FramePlace, Plane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.imaging.dicom.elements import Dataset

_POSITION, _ORIENTATION, _TERMS = "ImagePositionPatient", "ImageOrientationPatient", "PatientOrientation"
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


def is_quadruped(dataset: Dataset) -> bool:
    """Say whether the patient's axes are those of a four-legged animal (PS3.3 C.7.6.2.1.1)."""
    return code(dataset, "AnatomicalOrientationType") == "QUADRUPED"


def place_of(dataset: Dataset, frame: int) -> FramePlace:
    """Return sides, position and thickness of a frame (from 0), each only as far as it is said."""
    measures = frame_group(dataset, "PixelMeasuresSequence", frame) or dataset
    plane = _plane(dataset, frame)
    several = "MOSAIC" in texts(dataset, "ImageType")  # each tile of a frame lies elsewhere
    along = number(dataset, "SliceLocation") if plane is None else plane.along_normal_mm
    return FramePlace(
        edges=_edges(dataset, frame),
        along_mm=None if several or along is None or not math.isfinite(along) else along,
        thickness_mm=_length_mm(measures, "SliceThickness"),
        spacing_mm=_length_mm(measures, "SpacingBetweenSlices"),
    )


def _plane(dataset: Dataset, frame: int) -> Plane | None:
    own = items(dataset, "PerFrameFunctionalGroupsSequence")[frame : frame + 1]
    if own:
        return _grouped([*own, *items(dataset, "SharedFunctionalGroupsSequence")[:1]])
    alone = whole(dataset, "NumberOfFrames", 1) <= 1
    return plane_of(numbers(dataset, _POSITION), numbers(dataset, _ORIENTATION)) if alone else None


def _edges(dataset: Dataset, frame: int) -> Edges | None:
    """Return the sides by the direction cosines, else by the terms that the file names.

    What the axes of a quadruped point to depends on the part of the body, so that only its terms count.
    """
    quadruped = is_quadruped(dataset)
    turned = frame_group(dataset, "PlaneOrientationSequence", frame) or dataset
    plane = plane_of((0.0, 0.0, 0.0), numbers(turned, _ORIENTATION))
    if plane is not None and not quadruped:
        return edges_along(plane.row, plane.column)
    named = frame_group(dataset, "PatientOrientationInFrameSequence", frame) or dataset
    return edges_of_terms(texts(named, _TERMS), quadruped=quadruped)


def _length_mm(source: Dataset, keyword: str) -> float | None:
    """Return a length; some scanners write the distance of slices with the sign of their order."""
    length = number(source, keyword)
    return abs(length) if length and math.isfinite(length) else None


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
