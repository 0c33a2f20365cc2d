"""Reading DICOM data sets of unknown origin, without their pixels and within bounds."""

from __future__ import annotations

import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from clipsvd_app.errors import UserError
from clipsvd_app.imaging import refusals
from clipsvd_app.imaging.dicom_elements import KEYWORDS, damage, text, whole
from clipsvd_app.imaging.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clipsvd_app.imaging.dicom_elements import Dataset

MAX_INFLATED_BYTES = 512 * 1024**2
DEFLATED = "1.2.840.10008.1.2.1.99"
IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"

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


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Read quietly, and refuse what is damaged in one sentence."""
    with quiet, refusals.refusing(path):
        try:
            yield
        except damage() as error:
            if isinstance(error, OSError):
                raise
            raise refusals.damaged(path) from error


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


def refuse_inflation(path: Path) -> None:
    """Refuse a deflated data set that would not fit in memory, before anything inflates it."""
    # dcmread's own two steps: only they say for certain where it will start to inflate.
    from pydicom.filereader import _read_file_meta_info, read_preamble

    with path.open("rb") as file:
        read_preamble(file, force=True)
        meta = _read_file_meta_info(file)
        deflated = str(meta.get("TransferSyntaxUID", "")) == DEFLATED
        if deflated and _inflated_length(file) > MAX_INFLATED_BYTES:
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
