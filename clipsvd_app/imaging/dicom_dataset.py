"""Reading DICOM data sets of unknown origin, without their pixels and within bounds."""

from __future__ import annotations

import functools
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from clipsvd_app.errors import UserError
from clipsvd_app.imaging import refusals
from clipsvd_app.imaging.dicom_elements import KEYWORDS, OVERLAY_ELEMENTS, damage, text, whole
from clipsvd_app.imaging.dicom_objects import object_name
from clipsvd_app.imaging.dicom_scan import scan
from clipsvd_app.imaging.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clipsvd_app.imaging.dicom_elements import Dataset

MAX_INFLATED_BYTES = 512 * 1024**2
# Data of pixels shrinks seldom by more than a tenth of this; bombs come near deflate's own 1,032.
MAX_INFLATION = 100
ALWAYS_INFLATED_BYTES = 64 * 1024**2
DEFLATED = "1.2.840.10008.1.2.1.99"
IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"


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

    Refuses damaged files, objects without pixels (by name), and data that inflate beyond their bound.
    """
    dataset, has_pixels = read_object(path)
    if not has_pixels:
        raise without_pixels(path, dataset)
    return dataset


def read_object(path: Path) -> tuple[Dataset, bool]:
    """Return what `read_dataset` does of any object but a DICOMDIR, and whether it holds pixels."""
    with reading(path):
        dataset = scan(path, KEYWORDS)
        if dataset is not None:
            pixels = dataset.pixels_length != 0
        else:
            dataset, pixels = _read_any(path)
        has_extent = whole(dataset, "Rows", 0) > 0 and whole(dataset, "Columns", 0) > 0
        if pixels and not has_extent and transfer_syntax_of(dataset) != DEFLATED:
            raise UserError(
                f"{path.name} holds pixels but does not say how many rows and columns they have.",
                remedy="Export it again from its source.",
                code="no_extent",
            )
        return dataset, pixels and has_extent


def _read_any(path: Path) -> tuple[Dataset, bool]:
    """Read with pydicom; also say whether pixel data follow, which a deflated file leaves open."""
    from pydicom import dcmread

    refuse_inflation(path)
    with path.open("rb") as file:
        dataset = dcmread(file, stop_before_pixels=True, force=True, specific_tags=_wanted_tags())
        _settle_transfer_syntax(dataset)
        has_more = transfer_syntax_of(dataset) == DEFLATED or bool(file.read(4))
    media_class = str(dataset.file_meta.get("MediaStorageSOPClassUID", ""))
    if media_class == MEDIA_DIRECTORY:
        raise UserError(
            f"{path.name} is a DICOMDIR, an index of images.",
            remedy="Add the folder it lies in, or add it by itself to import all it lists.",
            code="dicomdir",
        )
    if (
        not text(dataset, "SOPClassUID")
        and not media_class
        and not text(dataset, "PhotometricInterpretation")
    ):
        _refuse_no_data_set(path)
    return dataset, has_more


@functools.cache
def _wanted_tags() -> list[str | int]:
    overlays = [0x60000000 + (number << 17) + element for number in range(16) for element in OVERLAY_ELEMENTS]
    return [*KEYWORDS, *overlays]


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
        if not deflated:
            return
        bound = min(MAX_INFLATED_BYTES, max(ALWAYS_INFLATED_BYTES, MAX_INFLATION * path.stat().st_size))
        if _inflated_length(file, bound) > bound:
            raise refusals.too_large(path)


def _inflated_length(file: Any, bound: int) -> int:  # noqa: ANN401 - any binary file
    """Count the bytes a raw deflate stream gives, a mebibyte at a time, up to just beyond the bound."""
    chunk = 1024**2
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    length, pending = 0, b""
    while length <= bound and not inflater.eof:
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


def without_pixels(path: Path, dataset: Dataset) -> UserError:
    """Return the refusal of an object that is no image."""
    return UserError(
        f"{path.name} is {object_name(dataset) or 'a DICOM object without an image'} and holds no pixels.",
        remedy="Choose the images of the study instead.",
        code="no_pixels",
    )


def _refuse_no_data_set(path: Path) -> None:
    """Tell a data set that only says too little about itself from bytes that make no sense."""
    from pydicom import dcmread
    from pydicom.datadict import dictionary_has_tag

    tags = dcmread(path, force=True).keys()
    if not tags or not all(tag.is_private or dictionary_has_tag(tag) for tag in tags):
        raise refusals.damaged(path)
