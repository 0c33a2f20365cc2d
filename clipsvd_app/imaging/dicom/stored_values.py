"""What the values of a DICOM image mean: their rescale, their unit, and when they are shown as stored."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from clipsvd_app.imaging.dicom import luts
from clipsvd_app.imaging.dicom.elements import (
    code,
    frame_group,
    is_unreadable,
    items,
    number,
    text,
    texts,
    whole,
)

if TYPE_CHECKING:
    from clipsvd_app.imaging.dicom.elements import Dataset

_RESCALE = ("RescaleSlope", "RescaleIntercept")
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_CT = frozenset(_STORAGE + end for end in ("2", "2.1", "2.2"))
# X-ray angiography and radiofluoroscopy, single, enhanced and biplane.
_ANGIOGRAPHY = frozenset(_STORAGE + end for end in ("12.1", "12.1.1", "12.2", "12.2.1", "12.3"))
_KNOWN_UNITS = frozenset(
    {"HU", "HU_MOD", "US", "OD", "MGML", "Z_EFF", "ED", "PCT", "BQML", "CNTS", "GML", "PROPCPS"}
)
# Image types whose values are no attenuation, unless Rescale Type says HU (PS3.3 C.8.2.1.1.1, C.8.15.2).
_NO_ATTENUATION_WORDS = (
    "LOCALIZER SCOUT TOPO CBF CBV MTT TTP TMAX TTS PBV PERFUSION MAP PARAMETRIC IODINE WATER ZEFF EFF RHO/Z"
    " DENSITY FRACTIONAL REMOVED MODIFIED MAT OVERLAY PROTOCOL DOSE SNAPSHOT PASTED STATISTICS REPORT RGB"
    " SCREEN SEGMENTATION LABELMAP PROB PROBABILITY MASK"
)
_NOT_ATTENUATION = frozenset(_NO_ATTENUATION_WORDS.split())


def rescale_of(dataset: Dataset, frame: int) -> tuple[float, float] | None:
    """Return slope and intercept of a frame, absent ones as 1 and 0 (PS3.3 C.11.1.1.2).

    None where one of them is there and cannot be read, or means nothing: a slope of 0 leaves no picture.
    """
    source = _rescaled(dataset, frame)
    if has_broken_table(dataset) or any(is_unusable(source, keyword) for keyword in _RESCALE):
        return None
    slope, intercept = number(source, "RescaleSlope"), number(source, "RescaleIntercept")
    return 1.0 if slope is None else slope, 0.0 if intercept is None else intercept


def has_broken_table(dataset: Dataset) -> bool:
    """Say whether there is a Modality LUT whose entries cannot be read."""
    tables = items(dataset, "ModalityLUTSequence")
    try:
        for table in tables[:1]:
            luts.modality_table(table, signed=False, big_endian=False)
    except luts.BROKEN:
        return True
    return False


def is_unusable(source: Dataset, keyword: str) -> bool:
    """Say whether an element has a value that is no number, not finite, or a slope of 0."""
    value = number(source, keyword)
    nothing = value is not None and (not isfinite(value) or (keyword == "RescaleSlope" and value == 0))
    return nothing or is_unreadable(source, keyword)


def is_shown_as_stored(dataset: Dataset) -> bool:
    """Say whether the modality transformation is not for display, but back to linear (PS3.4 N.2.1.2).

    So it is of angiography and radiofluoroscopy with logarithmic values (PS3.3 C.8.7.1.1.2).
    """
    relation = code(_properties(dataset), "PixelIntensityRelationship") or code(
        dataset, "PixelIntensityRelationship"
    )
    return relation == "LOG" and text(dataset, "SOPClassUID") in _ANGIOGRAPHY


def units_of(dataset: Dataset, frame: int = 0) -> str:
    """Return the unit of the pixels after the modality transformation, "" where none is known."""
    if is_shown_as_stored(dataset) or rescale_of(dataset, frame) is None:
        return ""
    source = _rescaled(dataset, frame)
    tables = items(dataset, "ModalityLUTSequence")
    said = code(tables[0], "ModalityLUTType") if tables else code(source, "RescaleType")
    if said == "HU" and not tables and number(source, "RescaleIntercept") is None:
        said = ""  # of values that were never rescaled
    unit = said or code(dataset, "Units")
    if unit:
        return unit if unit in _KNOWN_UNITS else ""
    return "HU" if _is_attenuation(dataset, source) else ""


def _is_attenuation(dataset: Dataset, source: Dataset) -> bool:
    """Say whether an object without a unit holds Hounsfield units: the CT image classes do by definition."""
    if code(dataset, "Modality") != "CT" or text(dataset, "SOPClassUID") not in {*_CT, ""}:
        return False
    if code(dataset, "MultienergyCTAcquisition") == "YES":
        return False
    if any(not _NOT_ATTENUATION.isdisjoint(_words(kind)) for kind in texts(dataset, "ImageType")[2:]):
        return False
    is_rescaled = number(source, "RescaleIntercept") is not None
    return is_rescaled or whole(dataset, "PixelRepresentation", 0) == 1


def _properties(dataset: Dataset) -> Dataset:
    """Return where enhanced angiography describes its values (PS3.3 C.8.19.6.4)."""
    return frame_group(dataset, "FramePixelDataPropertiesSequence", 0) or dataset


def _words(kind: str) -> tuple[str, ...]:
    return (kind.upper(), *kind.upper().replace("-", " ").replace("_", " ").split())


def _rescaled(dataset: Dataset, frame: int) -> Dataset:
    group = frame_group(dataset, "PixelValueTransformationSequence", frame)
    return dataset if group is None else group
