"""The elements of a DICOM data set that this program looks at, as far as they can be read."""

from __future__ import annotations

import re
from typing import Any, Protocol

from clipsvd_app.imaging.guard import refusals


class Dataset(Protocol):
    """What data sets and items of sequences have in common, with any parser."""

    def get(self, key: Any, /) -> Any:  # noqa: ANN401 - a keyword or a tag, and whatever the file holds
        """Return an element's value, None where it is absent."""


_CODE = re.compile(r"[A-Z0-9_ ]{1,16}")

# All elements that the program uses: others, patient data among them, are not even parsed.
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
    "MultienergyCTAcquisition",
    "PatientID",
    "PatientName",
    "BodyPartExamined",
    "InstanceNumber",
    "SliceLocation",
    "SliceThickness",
    "SpacingBetweenSlices",
    "PatientOrientation",
    "AnatomicalOrientationType",
    "BurnedInAnnotation",
    "FrameOfReferenceUID",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
    "DistanceSourceToPatient",
    "DistanceSourceToDetector",
    "EstimatedRadiographicMagnificationFactor",
    "PixelSpacingCalibrationType",
    "PixelAspectRatio",
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
    "LargestImagePixelValue",
    "SmallestImagePixelValue",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "FloatPixelPaddingValue",
    "FloatPixelPaddingRangeLimit",
    "DoubleFloatPixelPaddingValue",
    "DoubleFloatPixelPaddingRangeLimit",
    "WindowCenter",
    "WindowWidth",
    "WindowCenterWidthExplanation",
    "VOILUTFunction",
    "VOILUTSequence",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "PixelIntensityRelationship",
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


# A number as people and programs write it: with a decimal comma, blanks, or the unit that is implied.
_PLAIN_NUMBER = re.compile(
    r"[+-]?(\d{1,30}([.,]\d{0,30})?|[.,]\d{1,30}|\d{1,3}(,\d{3})+\.\d{1,30}|\d{1,3}(\.\d{3})+,\d{1,30})(e[+-]?\d{1,3})?"
)
_UNIT = re.compile(r" *(hu|mm|h\.u\.)$")
_STRAY = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{NO-BREAK SPACE}": " "})
_QUOTES = "\"'\0 \t\r\n"


def text(dataset: Dataset, keyword: str) -> str:
    """Return an element as text, "" where it is absent or broken."""
    value = element(dataset, keyword)
    if value is not None and hasattr(value, "append"):
        value = "\\".join(str(part) for part in value)
    return "" if value is None else str(value).strip().strip("\x00")


def code(dataset: Dataset, keyword: str) -> str:
    """Return the first value of a code, in upper case, "" where it is absent or broken."""
    return text(dataset, keyword).split("\\")[0].strip().upper()


def shown_code(dataset: Dataset, keyword: str) -> str:
    """Return a code string (PS3.5 6.2, CS: up to 16 of A-Z, 0-9, blank and underscore), else "".

    Projects store these words and pages show them; free text in their place may hold anything, including a
    patient's name.
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
    """Return an element's values as numbers, () where it is absent or cannot be read without guessing.

    Text is read in the forms in which people and programs write plain numbers, whatever its representation.
    """
    return _numbers(dataset, keyword) or ()


def is_unreadable(dataset: Dataset, keyword: str) -> bool:
    """Say whether an element has a value that is no number."""
    return _numbers(dataset, keyword) is None


def _numbers(dataset: Dataset, keyword: str) -> tuple[float, ...] | None:
    """Return the numbers of an element, () where it is absent or empty, None where they cannot be read."""
    try:
        value = dataset.get(keyword)
        many = _parts(value)
        return tuple(_plain_number(v) for v in many)
    except damage():
        # pydicom cannot convert the value; the raw bytes may still hold a number.
        pass
    try:
        raw = _raw_bytes(dataset, keyword)
        return None if raw is None else tuple(_plain_number(part) for part in _parts(raw))
    except damage():
        return None


def _parts(value: Any) -> list[Any]:  # noqa: ANN401 - whatever the file holds
    """Split a value that may hold several; empty ones at the end are none."""
    if value is None:
        return []
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    many = value.split("\\") if isinstance(value, str) else value
    parts = list(many) if hasattr(many, "__iter__") else [many]
    while parts and (parts[-1] is None or (isinstance(parts[-1], str) and not parts[-1].strip(_QUOTES))):
        parts.pop()
    return parts


def _plain_number(value: Any) -> float:  # noqa: ANN401 - whatever the file holds
    """Return a number; raise ValueError where it cannot be read without guessing."""
    if not isinstance(value, (str, bytes)):
        return float(value)
    written = _parts(value)[0] if isinstance(value, bytes) else value
    written = written.translate(_STRAY).strip(_QUOTES).lower()
    written = _UNIT.sub("", written).replace("- ", "-").replace("+ ", "+")
    if not _PLAIN_NUMBER.fullmatch(written):
        raise ValueError("no plain number")
    decimal = max(written.rfind("."), written.rfind(","))
    digits = [char for at, char in enumerate(written) if char not in ".," or at == decimal]
    return float("".join(digits).replace(",", "."))


def _raw_bytes(dataset: Any, keyword: str) -> bytes | None:  # noqa: ANN401 - whichever parser it is of
    """Return an element's bytes in the file, for a value that its representation cannot parse."""
    source = getattr(dataset, "source", dataset)
    if not hasattr(source, "get_item"):
        return None
    raw = source.get_item(keyword)
    value = None if raw is None else raw.value
    return value if isinstance(value, bytes) and getattr(raw, "VR", "") in _WRITTEN else None


_WRITTEN_VRS = "AE AS CS DA DS DT IS LO LT PN SH ST TM UC UN UR UT"
_WRITTEN = frozenset(_WRITTEN_VRS.split())


def whole(dataset: Dataset, keyword: str, otherwise: int) -> int:
    """Return an element as a whole number, or `otherwise` where it is absent or broken."""
    value = number(dataset, keyword)
    # Beyond 2**53 a float no longer holds every whole number; NaN fails the comparison too.
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
    """Return what pydicom raises on damaged files; some of it derives directly from Exception."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    return (*refusals.DAMAGE, BytesLengthException, InvalidDicomError)
