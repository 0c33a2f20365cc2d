"""Where the frames of a DICOM object lie, and the size of a pixel (PS3.3 C.7.6.2, 10.7.1)."""

from __future__ import annotations

import math
from math import isclose, isfinite
from typing import TYPE_CHECKING

from clipsvd_app.imaging.dicom.elements import code, frame_group, items, number, numbers, texts, whole
from clipsvd_app.imaging.display.sides import edges_along, edges_of_terms
from clipsvd_app.imaging.values import (
    UNLIMITED,
    Edges,
    FramePlace,
    Plane,
    ScaledRegion,
    ScaleLimits,
    Spacing,
    SpacingPlane,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.imaging.dicom.elements import Dataset

_POSITION, _ORIENTATION, _TERMS = "ImagePositionPatient", "ImageOrientationPatient", "PatientOrientation"
# Stored direction cosines are rounded; beyond this they are not two perpendicular unit vectors.
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


_CENTIMETRES = 3  # Physical Units X/Y Direction of an ultrasound region, PS3.3 C.8.5.5.1.15
_TWO_DIMENSIONAL = (0, 1)  # Region Spatial Format: not said, or 2D, PS3.3 C.8.5.5.1.1
_CALIBRATED = frozenset({"GEOMETRY", "FIDUCIAL"})
# A projection is never smaller than the patient, and no clinical one is twenty times as large.
_LEAST_MAGNIFICATION, _MOST_MAGNIFICATION = 1.0, 20.0


def scale_of(dataset: Dataset, frame: int = 0) -> tuple[Spacing, ScaleLimits]:
    """Return the distance between rows and between columns, None where none holds, and where it is true.

    A projection's Imager Pixel Spacing is true at the detector; where the magnification is known, it is
    converted to the patient. Each ultrasound region has its own calibration.
    """
    regions = _regions(dataset)
    if regions:
        whole_picture = regions[0].spacing_mm if len(regions) == 1 and _covers(regions[0], dataset) else None
        return whole_picture, UNLIMITED if whole_picture else ScaleLimits(regions=regions)
    measures = frame_group(dataset, "PixelMeasuresSequence", frame)
    spacing = None if measures is None else _pair(measures, "PixelSpacing")
    if spacing is not None:
        return spacing, UNLIMITED
    spacing, plane = _projected(dataset, frame)
    return spacing, ScaleLimits(plane, aspect=1.0 if spacing else _aspect(dataset))


def _projected(dataset: Dataset, frame: int) -> tuple[Spacing, SpacingPlane]:
    spacing = _pair(dataset, "PixelSpacing")
    properties = frame_group(dataset, "FramePixelDataPropertiesSequence", frame)
    imager = (
        _pair(dataset, "ImagerPixelSpacing")
        or (properties and _pair(properties, "ImagerPixelSpacing"))
        or None
    )
    nominal = _pair(dataset, "NominalScannedPixelSpacing")
    is_calibrated = code(dataset, "PixelSpacingCalibrationType") in _CALIBRATED
    of_detector = imager is not None and (spacing is None or (_alike(spacing, imager) and not is_calibrated))
    if imager is not None and of_detector:
        factor = _magnification(dataset)
        if factor is not None:
            return (imager[0] / factor, imager[1] / factor), ""
        return imager, "at the detector"
    if spacing is not None:
        on_film = nominal is not None and _alike(spacing, nominal) and not is_calibrated
        return spacing, "on the film" if on_film else ""
    return nominal, "on the film" if nominal else ""


def _magnification(dataset: Dataset) -> float | None:
    """Return how much larger a projection is than the patient, None where it is not stated."""
    said = number(dataset, "EstimatedRadiographicMagnificationFactor")
    to_detector, to_patient = (
        number(dataset, "DistanceSourceToDetector"),
        number(dataset, "DistanceSourceToPatient"),
    )
    if said is None and to_detector and to_patient:
        said = to_detector / to_patient
    return said if said is not None and _LEAST_MAGNIFICATION <= said <= _MOST_MAGNIFICATION else None


def _aspect(dataset: Dataset) -> float:
    """Return Pixel Aspect Ratio, the height of a pixel by its width (PS3.3 C.7.6.3.1.7)."""
    ratio = numbers(dataset, "PixelAspectRatio")
    return ratio[0] / ratio[1] if len(ratio) == 2 and min(ratio) > 0 and all(map(isfinite, ratio)) else 1.0


def _regions(dataset: Dataset) -> tuple[ScaledRegion, ...]:
    found = (_region(item, dataset) for item in items(dataset, "SequenceOfUltrasoundRegions"))
    return tuple(region for region in found if region is not None)


def _region(item: Dataset, dataset: Dataset) -> ScaledRegion | None:
    """Return a region; one without a position is the whole image."""
    left, top = whole(item, "RegionLocationMinX0", 0), whole(item, "RegionLocationMinY0", 0)
    right = whole(item, "RegionLocationMaxX1", whole(dataset, "Columns", 0) - 1) + 1
    bottom = whole(item, "RegionLocationMaxY1", whole(dataset, "Rows", 0) - 1) + 1
    if right <= left or bottom <= top:
        return None
    return ScaledRegion(left, top, right, bottom, _region_spacing_mm(item))


def _region_spacing_mm(item: Dataset) -> tuple[float, float] | None:
    units = {whole(item, "PhysicalUnitsXDirection", 0), whole(item, "PhysicalUnitsYDirection", 0)}
    x_cm, y_cm = number(item, "PhysicalDeltaX"), number(item, "PhysicalDeltaY")
    if units != {_CENTIMETRES} or whole(item, "RegionSpatialFormat", 0) not in _TWO_DIMENSIONAL:
        return None
    if not x_cm or not y_cm or not isfinite(x_cm) or not isfinite(y_cm):
        return None
    # Centimetres to millimetres.
    return abs(y_cm) * 10.0, abs(x_cm) * 10.0


def _covers(region: ScaledRegion, dataset: Dataset) -> bool:
    ends = region.right >= whole(dataset, "Columns", 0) and region.bottom >= whole(dataset, "Rows", 0)
    return ends and region.left <= 0 and region.top <= 0


def _pair(source: Dataset, keyword: str) -> tuple[float, float] | None:
    """Return a spacing of rows and columns; a single number stands for both."""
    spacing = numbers(source, keyword)
    if len(spacing) == 1:
        spacing *= 2
    if len(spacing) == 2 and min(spacing) > 0 and all(map(isfinite, spacing)):
        return spacing[0], spacing[1]
    return None


def _alike(one: tuple[float, float], other: tuple[float, float]) -> bool:
    # Stored with few digits: a thousandth still is the same spacing.
    return all(isclose(a, b, rel_tol=1e-3) for a, b in zip(one, other, strict=True))
