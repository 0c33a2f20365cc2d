"""The header of a DICOM file as the rest of the program sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clipsvd_app.imaging.dicom.dataset import read_dataset, read_object, reading
from clipsvd_app.imaging.dicom.elements import (
    code,
    frame_group,
    items,
    number,
    numbers,
    shown_code,
    text,
    texts,
    whole,
)
from clipsvd_app.imaging.dicom.geometry import is_quadruped, planes_of, scale_of
from clipsvd_app.imaging.dicom.objects import may_show_a_slide_label, object_name
from clipsvd_app.imaging.dicom.pixel_data.frames import first_frame_exceeds_bits
from clipsvd_app.imaging.dicom.pixel_data.native import bits_stored_of
from clipsvd_app.imaging.dicom.pixel_data.overlays import count_overlays
from clipsvd_app.imaging.dicom.stored_values import has_broken_table, is_unusable, units_of
from clipsvd_app.imaging.guard import refusals
from clipsvd_app.imaging.values import HeaderFault, ImageHeader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from clipsvd_app.imaging.dicom.elements import Dataset
    from clipsvd_app.imaging.dicom.true_image import TrueDataset

# Modalities whose devices draw text, often the patient's name, into the pixels; also secondary captures.
_OFTEN_ANNOTATED = frozenset({"US", "IVUS", "ES", "SC", "OT", "GM", "XC"})
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

# Elements that would change the image or its measurements if they were taken for absent.
_MEASURES = (
    "PixelSpacing",
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
    "EstimatedRadiographicMagnificationFactor",
    "PixelAspectRatio",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "WindowCenter",
    "WindowWidth",
    "RescaleSlope",
    "RescaleIntercept",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "NumberOfFrames",
    "InstanceNumber",
    "BitsStored",
)
_GROUPED = {
    "PixelMeasuresSequence": ("PixelSpacing",),
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "FrameVOILUTSequence": ("WindowCenter", "WindowWidth"),
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept"),
}


def read_dicom_header(path: Path) -> ImageHeader:
    """Read the header; refuses damaged files, objects without pixels and images over the limits."""
    return describe(path, read_dataset(path))


def read_dicom_object(path: Path) -> ImageHeader:
    """Read the header of any object, and whether the first frame fits Bits Stored.

    An object without pixels has no frames and always a name.
    """
    return object_header(path, *read_object(path))


def object_header(path: Path, dataset: TrueDataset, has_pixels: bool) -> ImageHeader:
    """Return what `read_dicom_object` does of a data set that was read from `path`."""
    if has_pixels:
        header = describe(path, dataset)
        exceeds = not header.object_name and first_frame_exceeds_bits(path, dataset)
        return replace(
            header, faults=(*header.faults, *([HeaderFault("values_exceed_bits")] if exceeds else []))
        )
    with reading(path):
        bare = _described(dataset)
        return replace(bare, frames=0, planes=(), object_name=bare.object_name or "a DICOM object")


def describe(path: Path, dataset: TrueDataset) -> ImageHeader:
    """Describe a data set that was read from `path`."""
    with reading(path):
        refuse_oversized(path, dataset)
        return _described(dataset)


def refuse_oversized(path: Path, dataset: Dataset) -> None:
    """Refuse an image over the limits."""
    samples = max(1, whole(dataset, "SamplesPerPixel", 1))
    # Missing BitsAllocated counts as a byte, the least that a pixel can take.
    bytes_per_pixel = samples * max(1, whole(dataset, "BitsAllocated", 8) // 8)
    rows, columns = whole(dataset, "Rows", 0), whole(dataset, "Columns", 0)
    refusals.refuse_too_large(path, rows, columns, frames_of(dataset), bytes_per_pixel)


def _described(dataset: TrueDataset) -> ImageHeader:
    return ImageHeader(
        kind="DICOM",
        modality=shown_code(dataset, "Modality") or "OT",
        photometric=text(dataset, "PhotometricInterpretation"),
        transfer_syntax=dataset.transfer_syntax,
        rows=whole(dataset, "Rows", 0),
        columns=whole(dataset, "Columns", 0),
        frames=frames_of(dataset),
        bits_stored=bits_stored_of(dataset),
        pixel_spacing_mm=scale_of(dataset)[0],
        study_uid=text(dataset, "StudyInstanceUID"),
        series_uid=text(dataset, "SeriesInstanceUID"),
        instance_uid=text(dataset, "SOPInstanceUID"),
        patient_id=text(dataset, "PatientID"),
        patient_name=text(dataset, "PatientName"),
        study_order=text(dataset, "StudyDate") + text(dataset, "StudyTime"),
        body_part=shown_code(dataset, "BodyPartExamined"),
        planes=planes_of(dataset, frames_of(dataset)),
        instance_number=whole(dataset, "InstanceNumber", 0),
        slice_location_mm=number(dataset, "SliceLocation"),
        is_mosaic="MOSAIC" in texts(dataset, "ImageType"),
        quadruped=is_quadruped(dataset),
        burned_in_text_likely=_burned_in_text_likely(dataset),
        units=units_of(dataset),
        object_name=object_name(dataset),
        overlays=count_overlays(dataset),
        frame_of_reference_uid=text(dataset, "FrameOfReferenceUID"),
        faults=faults_of(dataset, _all_frames(dataset)),
    )


def frames_of(dataset: Dataset) -> int:
    """Return the number of frames; absent, empty and 0 mean one."""
    return max(1, whole(dataset, "NumberOfFrames", 1))


def _burned_in_text_likely(dataset: Dataset) -> bool:
    if may_show_a_slide_label(dataset):
        return True
    said = text(dataset, "BurnedInAnnotation").upper()
    if said in ("YES", "NO"):
        return said == "YES"
    captured = text(dataset, "SOPClassUID").startswith(_SECONDARY_CAPTURE)
    return captured or code(dataset, "Modality") in _OFTEN_ANNOTATED


def faults_of(dataset: TrueDataset, frames: Iterable[int]) -> tuple[HeaderFault, ...]:
    """Return the faults of the elements by which frames are displayed and measured, each once."""
    groups = (
        (group, keywords)
        for frame in frames
        for sequence, keywords in _GROUPED.items()
        if (group := frame_group(dataset, sequence, frame)) is not None
    )
    found = [*dataset.faults, *_unreadable(dataset, _MEASURES)]
    for group, keywords in groups:
        found += _unreadable(group, keywords)
    if has_broken_table(dataset):
        found.append(HeaderFault("unreadable_value", "ModalityLUTSequence"))
    if text(dataset, "PhotometricInterpretation").startswith("MONOCHROME") and _has_supplement(dataset):
        found.append(HeaderFault("colours_left_out"))
    return tuple(dict.fromkeys(found))


def _unreadable(source: Dataset, keywords: Sequence[str]) -> Iterator[HeaderFault]:
    for keyword in keywords:
        if is_unusable(source, keyword):
            yield HeaderFault("unreadable_value", keyword)
    if _has_narrow_window(source):
        yield HeaderFault("narrow_window")


def _all_frames(dataset: Dataset) -> range:
    """Return the frames that have groups of their own, at least the first."""
    own = len(items(dataset, "PerFrameFunctionalGroupsSequence"))
    return range(max(1, min(own, frames_of(dataset))))


def _has_supplement(dataset: Dataset) -> bool:
    """Say whether values from some point on are colours (Supplemental Palette Color, PS3.3 C.7.6.19)."""
    descriptor = numbers(dataset, "RedPaletteColorLookupTableDescriptor")
    presented = code(dataset, "PixelPresentation")
    return len(descriptor) == 3 and (presented in ("COLOR", "MIXED") or (not presented and descriptor[1] > 0))


def _has_narrow_window(source: Dataset) -> bool:
    linear = code(source, "VOILUTFunction") in ("", "LINEAR")
    return linear and any(0 < width < 1 for width in numbers(source, "WindowWidth"))
