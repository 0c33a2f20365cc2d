"""The elements of a DICOM data set that this program looks at, as far as they can be read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

from clipsvd_app.imaging import refusals

if TYPE_CHECKING:
    from pydicom import Dataset as PydicomDataset

    Dataset: TypeAlias = PydicomDataset

_CODE = re.compile(r"[A-Z0-9_ ]{1,16}")

# Everything the program ever looks at: other elements, patient data among them, are not even parsed.
KEYWORDS = (
    "SOPClassUID",
    "ImageType",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "StudyDate",
    "StudyTime",
    "AcquisitionDateTime",
    "Modality",
    "PatientID",
    "PatientName",
    "BodyPartExamined",
    "InstanceNumber",
    "SliceLocation",
    "BurnedInAnnotation",
    "FrameOfReferenceUID",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
    "SequenceOfUltrasoundRegions",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "Units",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "TotalPixelMatrixColumns",
    "TotalPixelMatrixRows",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "FloatPixelPaddingValue",
    "FloatPixelPaddingRangeLimit",
    "DoubleFloatPixelPaddingValue",
    "DoubleFloatPixelPaddingRangeLimit",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "VOILUTSequence",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "ModalityLUTSequence",
    "PixelPresentation",
    "RedPaletteColorLookupTableDescriptor",
    "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
)

# Of a group 60xx, in which overlays lie: rows, columns, origin, frames, description, type, label, data.
OVERLAY_ELEMENTS = (0x0010, 0x0011, 0x0015, 0x0022, 0x0040, 0x0050, 0x0051, 0x0100, 0x0102, 0x1500, 0x3000)


def text(dataset: Dataset, keyword: str) -> str:
    """Return an element as text, "" where it is absent or broken."""
    value = element(dataset, keyword)
    return "" if value is None else str(value).strip().strip("\x00")


def code(dataset: Dataset, keyword: str) -> str:
    """Return a code string (PS3.5 6.2, CS: up to 16 of A-Z, 0-9, blank and underscore), else "".

    These are the words of a file that a project keeps and pages show: free text in their place may hold
    anything, a patient's name among it.
    """
    value = text(dataset, keyword)
    return value if _CODE.fullmatch(value) else ""


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Return an element's values as text, () where it is absent or broken."""
    value = element(dataset, keyword)
    many = value.split("\\") if isinstance(value, str) else value
    return () if not many or isinstance(many, (bytes, int, float)) else tuple(str(v).strip() for v in many)


def number(dataset: Dataset, keyword: str) -> float | None:
    """Return an element's first value as a number, None where it is absent or broken."""
    values = numbers(dataset, keyword)
    return values[0] if values else None


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """Return an element's values as numbers, () where it is absent or broken."""
    value = element(dataset, keyword)
    if value is None or value == "":
        return ()
    many = value if isinstance(value, (list, tuple)) or hasattr(value, "append") else [value]
    try:
        return tuple(float(v) for v in many)
    except (ValueError, TypeError, OverflowError):
        return ()


def whole(dataset: Dataset, keyword: str, otherwise: int) -> int:
    """Return an element as a whole number, or `otherwise` where it is absent or broken."""
    value = number(dataset, keyword)
    if value is None or not abs(value) < 2**53:
        return otherwise
    return int(value)


def element(dataset: Dataset, keyword: str) -> Any:  # noqa: ANN401 - whatever the file holds
    """Return an element's value, None where it is absent or its bytes cannot be read."""
    try:
        return dataset.get(keyword)
    except damage():
        return None


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a sequence, [] where it is absent or broken."""
    value = element(dataset, keyword)
    return list(value) if value is not None and hasattr(value, "append") else []


def frame_group(dataset: Dataset, sequence: str, frame: int) -> Dataset | None:
    """Return a functional group of an enhanced object: the frame's own, else the shared (PS3.3 C.7.6.16)."""
    per_frame = items(dataset, "PerFrameFunctionalGroupsSequence")
    own = per_frame[frame : frame + 1]
    for group in (*own, *items(dataset, "SharedFunctionalGroupsSequence")[:1]):
        found = items(group, sequence)
        if found:
            return found[0]
    return None


def damage() -> tuple[type[Exception], ...]:
    """Return what pydicom raises on damaged files; some of it derives from nothing but Exception."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    return (*refusals.DAMAGE, BytesLengthException, InvalidDicomError)
