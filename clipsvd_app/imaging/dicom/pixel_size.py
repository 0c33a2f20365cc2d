"""What a pixel measures in millimetres, and where that is true (PS3.3 10.7.1 and C.8.5.5)."""

from __future__ import annotations

from math import isclose, isfinite
from typing import TYPE_CHECKING

from clipsvd_app.imaging.dicom.elements import code, frame_group, items, number, numbers, whole
from clipsvd_app.imaging.values import UNLIMITED, ScaledRegion, ScaleLimits, Spacing, SpacingPlane

if TYPE_CHECKING:
    from clipsvd_app.imaging.dicom.elements import Dataset

_CENTIMETRES = 3  # Physical Units X/Y Direction of an ultrasound region, PS3.3 C.8.5.5.1.15
_TWO_DIMENSIONAL = (0, 1)  # Region Spatial Format: not said, or 2D, PS3.3 C.8.5.5.1.1
_CALIBRATED = frozenset({"GEOMETRY", "FIDUCIAL"})
_LEAST_MAGNIFICATION, _MOST_MAGNIFICATION = 1.0, 20.0


def scale_of(dataset: Dataset, frame: int = 0) -> tuple[Spacing, ScaleLimits]:
    """Return the distance between rows and between columns, None where none holds, and where it is true.

    A projection's Imager Pixel Spacing is true at the detector; where the magnification is known it is
    brought to the patient. Regions of ultrasound are calibrated each for itself.
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
    """Return how much larger a projection is than the patient, None where it is not said."""
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
    """Return a region; one that does not say where it lies is the whole picture."""
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
    return abs(y_cm) * 10.0, abs(x_cm) * 10.0


def _covers(region: ScaledRegion, dataset: Dataset) -> bool:
    ends = region.right >= whole(dataset, "Columns", 0) and region.bottom >= whole(dataset, "Rows", 0)
    return ends and region.left <= 0 and region.top <= 0


def _pair(source: Dataset, keyword: str) -> tuple[float, float] | None:
    """Return a spacing of rows and columns; one number alone is meant for both."""
    spacing = numbers(source, keyword)
    if len(spacing) == 1:
        spacing *= 2
    if len(spacing) == 2 and min(spacing) > 0 and all(map(isfinite, spacing)):
        return spacing[0], spacing[1]
    return None


def _alike(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(isclose(a, b, rel_tol=1e-3) for a, b in zip(one, other, strict=True))
