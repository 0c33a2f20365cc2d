"""Reading DICOM data sets of unknown origin, without their pixels and within bounds."""

from __future__ import annotations

import threading
import warnings
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from clipsvd_app.errors import UserError
from clipsvd_app.imaging import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydicom import Dataset as PydicomDataset

    Dataset: TypeAlias = PydicomDataset

MAX_INFLATED_BYTES = 512 * 1024**2
DEFLATED = "1.2.840.10008.1.2.1.99"
IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"

# Everything the program ever looks at: other elements, patient data among them, are not even parsed.
KEYWORDS = (
    "SOPClassUID",
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
    "BurnedInAnnotation",
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
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
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

_OBJECTS = {
    "SR": "a structured report",
    "SEG": "a segmentation",
    "RTSTRUCT": "a set of radiotherapy contours",
    "RTPLAN": "a radiotherapy plan",
    "RTRECORD": "a radiotherapy record",
    "PR": "a presentation state",
    "KO": "a key object selection",
    "REG": "a registration",
    "FID": "a set of fiducials",
    "ECG": "a waveform",
    "HD": "a waveform",
    "EPS": "a waveform",
    "DOC": "a document",
    "M3D": "a 3D model",
}


class _Quiet:
    """Silence the reader's warnings, which quote patient data, in any number of threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._filters = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._depth == 0:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.simplefilter("ignore")
            self._depth += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                self._filters.__exit__(None, None, None)


quiet = _Quiet()


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Read quietly, and refuse what is damaged in one sentence."""
    with quiet, refusals.refusing(path):
        try:
            yield
        except _damage() as error:
            if isinstance(error, OSError):
                raise
            raise refusals.damaged(path) from error


def _damage() -> tuple[type[Exception], ...]:
    """Return what pydicom raises on damaged files; some of it derives from nothing but Exception."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    return (*refusals.DAMAGE, BytesLengthException, InvalidDicomError)


def read_dataset(path: Path) -> Dataset:
    """Return the elements this program looks at, with the transfer syntax in ``file_meta``.

    Refuses damaged files, objects without pixels (by name), and data that inflate beyond 512 MiB.
    """
    with reading(path):
        from pydicom import dcmread

        refuse_inflation(path)
        with path.open("rb") as file:
            dataset = dcmread(file, stop_before_pixels=True, force=True, specific_tags=list(KEYWORDS))
            _settle_transfer_syntax(dataset)
            has_more = transfer_syntax_of(dataset) == DEFLATED or bool(file.read(4))
        _refuse_without_pixels(path, dataset, has_more)
    return dataset


def read_whole_dataset(path: Path) -> Dataset:
    """Return a data set with its (still encoded) pixel data; refuses what `read_dataset` refuses."""
    with reading(path):
        from pydicom import dcmread

        refuse_inflation(path)
        dataset = dcmread(path, force=True)
        _settle_transfer_syntax(dataset)
    return dataset


def transfer_syntax_of(dataset: Dataset) -> str:
    """Return the transfer syntax UID."""
    return str(dataset.file_meta.TransferSyntaxUID)


def text(dataset: Dataset, keyword: str) -> str:
    """Return an element as text, "" where it is absent or broken."""
    value = element(dataset, keyword)
    return "" if value is None else str(value).strip().strip("\x00")


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
    except _damage():
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


def refuse_inflation(path: Path) -> None:
    """Refuse a deflated data set that would not fit in memory, before anything inflates it."""
    from pydicom.filereader import read_file_meta_info

    with path.open("rb") as file:
        if file.read(132)[128:] != b"DICM":
            return
    meta = read_file_meta_info(path)
    if str(meta.get("TransferSyntaxUID", "")) != DEFLATED:
        return
    with path.open("rb") as file:
        file.seek(132 + 12 + int(meta.get("FileMetaInformationGroupLength", 0)))
        if _inflated_length(file) > MAX_INFLATED_BYTES:
            raise refusals.too_large(path)


def _inflated_length(file: Any) -> int:  # noqa: ANN401 - any binary file
    """Count the bytes a raw deflate stream gives, a mebibyte at a time, up to just beyond the limit."""
    chunk = 1024**2
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    length, pending = 0, b""
    while length <= MAX_INFLATED_BYTES and not inflater.eof:
        pending = pending or file.read(chunk)
        if not pending:
            break
        length += len(inflater.decompress(pending, chunk))
        pending = inflater.unconsumed_tail
    return length


def _settle_transfer_syntax(dataset: Dataset) -> None:
    """Give files without a File Meta Information group the syntax that they were read in."""
    meta = dataset.file_meta
    if "TransferSyntaxUID" in meta and str(meta.TransferSyntaxUID):
        return
    implicit, little = dataset.original_encoding
    explicit = EXPLICIT_LITTLE if little else EXPLICIT_BIG
    meta.TransferSyntaxUID = IMPLICIT_LITTLE if implicit else explicit


def _refuse_without_pixels(path: Path, dataset: Dataset, has_more: bool) -> None:
    if str(dataset.file_meta.get("MediaStorageSOPClassUID", "")) == MEDIA_DIRECTORY:
        raise UserError(
            f"{path.name} is a DICOMDIR, an index of images.",
            remedy="Add the folder it lies in, or add it by itself to import all it lists.",
            code="dicomdir",
        )
    if has_more and whole(dataset, "Rows", 0) > 0 and whole(dataset, "Columns", 0) > 0:
        return
    what = _OBJECTS.get(text(dataset, "Modality"), "a DICOM object without an image")
    if what == "a DICOM object without an image" and not text(dataset, "SOPClassUID"):
        raise refusals.damaged(path)
    raise UserError(
        f"{path.name} is {what} and holds no pixels.",
        remedy="Choose the images of the study instead.",
        code="no_pixels",
    )
