"""Reading DICOM data sets of unknown origin, without their pixels and within bounds."""

from __future__ import annotations

import functools
import struct
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.dicom.elements import KEYWORDS, OVERLAY_ELEMENTS, damage, text, whole
from clipsvd_app.imaging.dicom.objects import object_name
from clipsvd_app.imaging.dicom.pixel_data.encapsulated import PixelPlace
from clipsvd_app.imaging.dicom.quick_scan import scan
from clipsvd_app.imaging.dicom.true_image import (
    DEFLATED,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    NATIVE,
    TrueDataset,
    settled_by_pixels,
)
from clipsvd_app.imaging.guard import refusals
from clipsvd_app.imaging.guard.quiet import quiet
from clipsvd_app.imaging.opened import opened
from clipsvd_app.imaging.values import HeaderFault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from pydicom.dataset import FileDataset

# Whatever the file's size: dcmread holds a data set whole, and one of 1 MB can inflate to 2 GB.
MAX_INFLATED_BYTES = 512 * 1024**2
# Pixel data rarely shrink by more than a tenth of this; bombs come close to deflate's limit of 1,032.
MAX_INFLATION = 100
# A small file may be nearly empty images, which shrink by more than MAX_INFLATION and still fit in memory.
ALWAYS_INFLATED_BYTES = 64 * 1024**2
MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
# The group and elements of pixel data, and the length of a value of unknown length (PS3.6, PS3.5 7.1).
_PIXEL_KEYWORDS = {0x0008: "FloatPixelData", 0x0009: "DoubleFloatPixelData", 0x0010: "PixelData"}
_PIXEL_GROUP = 0x7FE0
_PIXEL_VRS = frozenset((b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN"))
_UNDEFINED = 0xFFFFFFFF


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


def read_dataset(path: Path) -> TrueDataset:
    """Return the elements that this program uses, those about pixels corrected by the pixel data.

    Refuses damaged files, objects without pixels (by name), and data that inflate beyond their bound.
    """
    dataset, has_pixels = read_object(path)
    if not has_pixels:
        raise without_pixels(path, dataset)
    return dataset


def read_object(path: Path) -> tuple[TrueDataset, bool]:
    """Return what `read_dataset` does of any object but a DICOMDIR, and whether it holds pixels."""
    with reading(path):
        dataset = _scanned(path) or _read_any(path)
        has_pixels = dataset.place is not None and dataset.place.length != 0
        if has_pixels:
            dataset = settled_by_pixels(path, dataset)
        has_extent = whole(dataset, "Rows", 0) > 0 and whole(dataset, "Columns", 0) > 0
        if has_pixels and not has_extent:
            raise UserError(
                f"{path.name} does not state its rows and columns.",
                remedy="Export it again from its source.",
                code="no_extent",
            )
        return dataset, has_pixels


def _scanned(path: Path) -> TrueDataset | None:
    plain = scan(path, KEYWORDS)
    if plain is None:
        return None
    place = PixelPlace(plain.pixels_keyword, plain.pixels_at, plain.pixels_length)
    return TrueDataset(plain, plain.file_meta.TransferSyntaxUID, place=place)


def _read_any(path: Path) -> TrueDataset:
    """Read with pydicom; the transfer syntax is the one in which it could read the data set."""
    from pydicom import dcmread

    refuse_inflation(path)
    with opened(path) as file:
        dataset = _in_other_order(file, _wanted_tags())
        if dataset is None:
            file.seek(0)
            dataset = dcmread(file, stop_before_pixels=True, force=True, specific_tags=_wanted_tags())
        said = str(dataset.file_meta.get("TransferSyntaxUID", ""))
        is_big = dataset.original_encoding[1] is False
        place, is_implicit = (None, False) if said == DEFLATED else _place_at(file, is_big=is_big)
    syntax = said
    if said in NATIVE - {DEFLATED} or not said:
        syntax = IMPLICIT_LITTLE if is_implicit else EXPLICIT_BIG if is_big else EXPLICIT_LITTLE
    media_class = str(dataset.file_meta.get("MediaStorageSOPClassUID", ""))
    if media_class == MEDIA_DIRECTORY:
        raise UserError(
            f"{path.name} is a DICOMDIR, an index of images.",
            remedy="Add its folder, or add the DICOMDIR to import all listed images.",
            code="dicomdir",
        )
    if (
        not text(dataset, "SOPClassUID")
        and not media_class
        and not text(dataset, "PhotometricInterpretation")
    ):
        _refuse_no_data_set(path)
    if syntax == DEFLATED:
        place = _inflated_place(path)
    faults = (
        (HeaderFault("header_contradicted", "TransferSyntaxUID"),)
        if place and said and said != syntax
        else ()
    )
    return TrueDataset(dataset, syntax, is_big, place, faults=faults)


def read_elements(path: Path) -> tuple[FileDataset, PixelPlace | None]:
    """Return all elements before the pixel data, and where those lie (None if nowhere or deflated)."""
    from pydicom import dcmread

    refuse_inflation(path)
    with opened(path) as file:
        dataset = _in_other_order(file, wanted=None)
        if dataset is None:
            file.seek(0)
            dataset = dcmread(file, stop_before_pixels=True, force=True)
        if str(dataset.file_meta.get("TransferSyntaxUID", "")) == DEFLATED:
            return dataset, None
        return dataset, _place_at(file, is_big=dataset.original_encoding[1] is False)[0]


def _place_at(file: BinaryIO, *, is_big: bool) -> tuple[PixelPlace | None, bool]:
    """Read the head of the pixel data, before which pydicom stopped, and return whether it is implicit.

    Bytes 4 and 5 of an explicit element are its representation. Read as part of a length, its letters would
    make an odd number, which no length of DICOM is.
    """
    head = file.read(8)
    order = ">" if is_big else "<"
    if len(head) < 8 or struct.unpack(f"{order}H", head[:2])[0] != _PIXEL_GROUP:
        return None, False
    vr, is_implicit = head[4:6], head[4:6] not in _PIXEL_VRS
    (length,) = struct.unpack(f"{order}I", head[4:] if is_implicit else file.read(4))
    keyword = _PIXEL_KEYWORDS.get(struct.unpack(f"{order}H", head[2:4])[0])
    if keyword is None:
        return None, is_implicit
    place = PixelPlace(keyword, file.tell(), None if length == _UNDEFINED else length, words=vr != b"OB")
    return place, is_implicit


def _inflated_place(path: Path) -> PixelPlace | None:
    from pydicom import dcmread

    with opened(path) as file:
        dataset = dcmread(file, force=True, specific_tags=[*_PIXEL_KEYWORDS.values()])
    for keyword in _PIXEL_KEYWORDS.values():
        if keyword in dataset:
            content = bytes(dataset[keyword].value)
            return PixelPlace(keyword, 0, len(content), content=content)
    return None


def _in_other_order(file: BinaryIO, wanted: list[str | int] | None) -> FileDataset | None:
    """Read a data set whose byte order is not the stated one, None where the stated one holds.

    wanted: the elements to read, None for all.

    The groups that a data set begins with are below 256, so that one of their two bytes is 0.
    """
    from pydicom.dataset import FileDataset
    from pydicom.filereader import _at_pixel_data, _read_file_meta_info, read_dataset, read_preamble
    from pydicom.tag import Tag

    preamble = read_preamble(file, force=True)
    meta = _read_file_meta_info(file)
    said = str(meta.get("TransferSyntaxUID", ""))
    start = file.tell()
    group = file.read(2)
    is_little = len(group) == 2 and group[1] == 0 < group[0]
    if said not in NATIVE - {DEFLATED} or 0 not in group or is_little == (said != EXPLICIT_BIG):
        return None
    file.seek(start)
    # pydicom needs the character set to decode names.
    tags = None if wanted is None else [Tag(tag) for tag in ("SpecificCharacterSet", *wanted)]
    elements = read_dataset(file, False, is_little, stop_when=_at_pixel_data, specific_tags=tags)
    return FileDataset(file, elements, preamble, meta, is_implicit_VR=False, is_little_endian=is_little)


@functools.cache
def _wanted_tags() -> list[str | int]:
    # The groups 6000, 6002, … 601E: number << 17 adds 2 to the group for each.
    overlays = [0x60000000 + (number << 17) + element for number in range(16) for element in OVERLAY_ELEMENTS]
    return [*KEYWORDS, *overlays]


def refuse_inflation(path: Path) -> None:
    """Refuse a deflated data set that would not fit in memory, before anything inflates it."""
    # The first two steps of dcmread (pydicom 3.0): only they show where it will start to inflate.
    from pydicom.filereader import _read_file_meta_info, read_preamble

    with opened(path) as file:
        read_preamble(file, force=True)
        meta = _read_file_meta_info(file)
        deflated = str(meta.get("TransferSyntaxUID", "")) == DEFLATED
        if not deflated:
            return
        bound = min(MAX_INFLATED_BYTES, max(ALWAYS_INFLATED_BYTES, MAX_INFLATION * path.stat().st_size))
        if _inflated_length(file, bound) > bound:
            raise refusals.too_large(path)


def _inflated_length(file: Any, bound: int) -> int:  # noqa: ANN401 - any binary file
    """Count the bytes of a raw deflate stream, a mebibyte at a time, up to just beyond the bound."""
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


def without_pixels(path: Path, dataset: TrueDataset) -> UserError:
    """Return the refusal of an object that is no image."""
    return UserError(
        f"{path.name} is {object_name(dataset) or 'a DICOM object without an image'} and has no pixels.",
        remedy="Choose the images of the study instead.",
        code="no_pixels",
    )


def _refuse_no_data_set(path: Path) -> None:
    """Refuse bytes that are no data set; return if it is one that only lacks the usual elements."""
    from pydicom import dcmread
    from pydicom.datadict import dictionary_has_tag

    with opened(path) as file:
        tags = dcmread(file, force=True).keys()
    if not tags or not all(tag.is_private or dictionary_has_tag(tag) for tag in tags):
        raise refusals.damaged(path)
