"""The header of a DICOM file as the rest of the program sees it."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING

from clipsvd_app.imaging import refusals
from clipsvd_app.imaging.dicom_dataset import read_dataset, read_object, reading, transfer_syntax_of
from clipsvd_app.imaging.dicom_elements import (
    code,
    element,
    frame_group,
    items,
    number,
    numbers,
    text,
    texts,
    whole,
)
from clipsvd_app.imaging.dicom_objects import may_show_a_slide_label, object_name
from clipsvd_app.imaging.dicom_planes import planes_of
from clipsvd_app.imaging.overlays import count_overlays
from clipsvd_app.imaging.values import ImageHeader

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.imaging.dicom_elements import Dataset

_OFTEN_ANNOTATED = frozenset({"US", "IVUS", "ES", "SC", "OT", "GM", "XC"})
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_KNOWN_UNITS = frozenset(
    {"HU", "HU_MOD", "US", "OD", "MGML", "Z_EFF", "ED", "PCT", "BQML", "CNTS", "GML", "PROPCPS"}
)
_CENTIMETRES = 3  # Physical Units X/Y Direction of an ultrasound region, PS3.3 C.8.5.5.1.15


def read_dicom_header(path: Path) -> ImageHeader:
    """Read the header; refuses damaged files, objects without pixels and images over the limits."""
    return describe(path, read_dataset(path))


def read_dicom_object(path: Path) -> ImageHeader:
    """Read the header of any object; one without pixels has no frames and always a name."""
    dataset, has_pixels = read_object(path)
    if has_pixels:
        return describe(path, dataset)
    with reading(path):
        bare = _described(dataset)
        return replace(bare, frames=0, planes=(), object_name=bare.object_name or "a DICOM object")


def describe(path: Path, dataset: Dataset) -> ImageHeader:
    """Describe a data set that was read from `path`."""
    with reading(path):
        header = _described(dataset)
        samples = max(1, whole(dataset, "SamplesPerPixel", 1))
        bytes_per_pixel = samples * max(1, whole(dataset, "BitsAllocated", 8) // 8)
        refusals.refuse_too_large(path, header.rows, header.columns, header.frames, bytes_per_pixel)
    return header


def pixel_spacing_mm(dataset: Dataset, frame: int = 0) -> tuple[float, float] | None:
    """Return the distance between rows and between columns (PS3.3 10.7.1), or None where it is unknown."""
    measures = frame_group(dataset, "PixelMeasuresSequence", frame)
    sources = [] if measures is None else [(measures, "PixelSpacing")]
    keywords = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
    sources += [(dataset, keyword) for keyword in keywords]
    for source, keyword in sources:
        spacing = numbers(source, keyword)
        if len(spacing) == 2 and min(spacing) > 0 and all(map(isfinite, spacing)):
            return spacing[0], spacing[1]
    return _ultrasound_spacing_mm(dataset)


def units_of(dataset: Dataset, frame: int = 0) -> str:
    """Return the unit of the pixels after the modality transformation, "" where none is known."""
    group = frame_group(dataset, "PixelValueTransformationSequence", frame)
    rescaled = text(dataset if group is None else group, "RescaleType") or text(dataset, "Units")
    if rescaled in _KNOWN_UNITS:
        return rescaled
    return "HU" if text(dataset, "Modality") == "CT" else ""


def _described(dataset: Dataset) -> ImageHeader:
    return ImageHeader(
        kind="DICOM",
        modality=code(dataset, "Modality") or "OT",
        photometric=text(dataset, "PhotometricInterpretation"),
        transfer_syntax=transfer_syntax_of(dataset),
        rows=whole(dataset, "Rows", 0),
        columns=whole(dataset, "Columns", 0),
        frames=frames_of(dataset),
        bits_stored=bits_stored_of(dataset),
        pixel_spacing_mm=pixel_spacing_mm(dataset),
        study_uid=text(dataset, "StudyInstanceUID"),
        series_uid=text(dataset, "SeriesInstanceUID"),
        instance_uid=text(dataset, "SOPInstanceUID"),
        patient_id=text(dataset, "PatientID"),
        patient_name=text(dataset, "PatientName"),
        study_order=text(dataset, "StudyDate") + text(dataset, "StudyTime"),
        body_part=code(dataset, "BodyPartExamined"),
        planes=planes_of(dataset, frames_of(dataset)),
        instance_number=whole(dataset, "InstanceNumber", 0),
        slice_location_mm=number(dataset, "SliceLocation"),
        is_mosaic="MOSAIC" in texts(dataset, "ImageType"),
        burned_in_text_likely=_burned_in_text_likely(dataset),
        units=units_of(dataset),
        object_name=object_name(dataset),
        overlays=count_overlays(dataset),
        frame_of_reference_uid=text(dataset, "FrameOfReferenceUID"),
    )


def frames_of(dataset: Dataset) -> int:
    """Return the number of frames; absent, empty and 0 mean one."""
    return max(1, whole(dataset, "NumberOfFrames", 1))


def bits_stored_of(dataset: Dataset) -> int:
    """Return Bits Stored, at most Bits Allocated."""
    allocated = whole(dataset, "BitsAllocated", 16)
    stored = whole(dataset, "BitsStored", allocated)
    return stored if 0 < stored <= allocated else allocated


def _burned_in_text_likely(dataset: Dataset) -> bool:
    if may_show_a_slide_label(dataset):
        return True
    said = text(dataset, "BurnedInAnnotation").upper()
    if said in ("YES", "NO"):
        return said == "YES"
    captured = text(dataset, "SOPClassUID").startswith(_SECONDARY_CAPTURE)
    return captured or text(dataset, "Modality") in _OFTEN_ANNOTATED


def _ultrasound_spacing_mm(dataset: Dataset) -> tuple[float, float] | None:
    """Take the spacing of an ultrasound region in centimetres, if the regions agree (PS3.3 C.8.5.5)."""
    found = set()
    for region in items(dataset, "SequenceOfUltrasoundRegions"):
        units = {element(region, "PhysicalUnitsXDirection"), element(region, "PhysicalUnitsYDirection")}
        x_cm, y_cm = number(region, "PhysicalDeltaX"), number(region, "PhysicalDeltaY")
        if units == {_CENTIMETRES} and x_cm and y_cm and isfinite(x_cm) and isfinite(y_cm):
            found.add((abs(y_cm) * 10.0, abs(x_cm) * 10.0))
    return found.pop() if len(found) == 1 else None
