"""Stored pixel values of DICOM frames; compressed ones are decoded inside a worker process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.errors import UserError
from clipsvd_app.imaging import refusals
from clipsvd_app.imaging.decode_worker import DecodeError, LastFile, bounded, shared_pool
from clipsvd_app.imaging.dicom_dataset import (
    DEFLATED,
    EXPLICIT_BIG,
    read_whole_dataset,
    reading,
    transfer_syntax_of,
)
from clipsvd_app.imaging.dicom_elements import element, text, whole
from clipsvd_app.imaging.dicom_header import bits_stored_of
from clipsvd_app.imaging.dicom_native import native_layout
from clipsvd_app.imaging.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.imaging.dicom_elements import Dataset
    from clipsvd_app.imaging.values import Array

_JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"


def stored_frames(path: Path, dataset: Dataset, frames: Sequence[int]) -> tuple[Array, str]:
    """Return (len(frames), rows, columns[, 3]) stored values, and the colour space they are in.

    The codec's own colour transform is undone, subsampled chroma is expanded, bits above Bits Stored are
    sign- or zero-extended, the byte order is little-endian; nothing else is converted.
    """
    with quiet:
        syntax = transfer_syntax_of(dataset)
        _refuse_unknown_syntax(path, syntax)
        _refuse_deep_colour(path, dataset)
        decode = _compressed if _is_encapsulated(syntax) else _native
        pixels, photometric = decode(path, dataset, frames)
        return settled(pixels, dataset), photometric


def allocated_frame(path: Path, dataset: Dataset, frame: int) -> Array | None:
    """Return (rows, columns) of a plain grey frame with all allocated bits, None of any other."""
    syntax, bits = transfer_syntax_of(dataset), whole(dataset, "BitsAllocated", 0)
    if whole(dataset, "SamplesPerPixel", 1) != 1 or bits not in (8, 16, 32) or _is_encapsulated(syntax):
        return None
    rows, columns = whole(dataset, "Rows", 0), whole(dataset, "Columns", 0)
    content = element(read_whole_dataset(path), "PixelData")
    start = frame * rows * columns * bits // 8
    if not isinstance(content, bytes) or len(content) < start + rows * columns * bits // 8:
        return None
    kind = np.dtype(f"{'>' if syntax == EXPLICIT_BIG else '<'}u{bits // 8}")
    return np.frombuffer(content, kind, rows * columns, start).reshape(rows, columns)


def _compressed(path: Path, dataset: Dataset, frames: Sequence[int]) -> tuple[Array, str]:
    samples = whole(dataset, "Rows", 0) * whole(dataset, "Columns", 0) * whole(dataset, "SamplesPerPixel", 1)
    try:
        return shared_pool().run_on_file(path, decode_compressed, tuple(frames), len(frames) * samples / 1e6)
    except DecodeError as error:
        cut_off = str(error) == EOFError.__name__
        raise (refusals.damaged(path) if cut_off else refusals.undecodable(path)) from error


def decode_compressed(path: str, frames: tuple[int, ...], megapixels: float) -> tuple[Array, str]:
    """Decode frames of encapsulated pixel data; called in a worker process only.

    megapixels: how much the header says they are, by which the time is limited.
    """
    import pydicom.pixels  # noqa: F401 - its plugins load now, so that only decoding counts

    _LAST.make_room(path)
    with bounded(megapixels):
        dataset = _LAST.of(path)
        if "PixelData" not in dataset:  # the file ends before they do, and pydicom leaves them out
            raise EOFError
        decoded = [_decode_one(dataset, frame) for frame in frames]
        return np.stack([pixels for pixels, _ in decoded]), decoded[0][1]


_LAST = LastFile(lambda path: read_whole_dataset(Path(path)))


def _decode_one(dataset: Dataset, frame: int) -> tuple[Array, str]:
    from pydicom.pixels import get_decoder
    from pydicom.pixels.utils import as_pixel_options

    if _is_deep_jpeg(dataset):
        from clipsvd_app.imaging.jpeg_extended import decode_12_bit

        return decode_12_bit(dataset, frame), text(dataset, "PhotometricInterpretation")
    decoder = get_decoder(transfer_syntax_of(dataset))
    options = as_pixel_options(dataset, allow_excess_frames=False)
    pixels, meta = decoder.as_array(dataset, index=frame, raw=True, **options)
    return pixels, str(meta["photometric_interpretation"])


def _is_deep_jpeg(dataset: Dataset) -> bool:
    """Say whether pixels are JPEG of 12 bits."""
    return transfer_syntax_of(dataset) == _JPEG_EXTENDED and whole(dataset, "BitsStored", 8) > 8


def _native(path: Path, dataset: Dataset, frames: Sequence[int]) -> tuple[Array, str]:
    """Read frames of plain pixel data, and of a file on disk no others."""
    layout = native_layout(dataset)
    if layout is not None:
        with reading(path), path.open("rb", buffering=0) as file:
            pixels = np.stack([layout.read(file, frame) for frame in frames])
        return pixels, text(dataset, "PhotometricInterpretation")
    syntax = transfer_syntax_of(dataset)
    with reading(path):
        from pydicom.pixels import iter_pixels

        # A deflated file has to be inflated from its start; pydicom does that for whole data sets only.
        source = read_whole_dataset(path) if syntax == DEFLATED else path
        options = {} if syntax == DEFLATED else {"transfer_syntax_uid": syntax}
        found = iter_pixels(source, indices=frames, raw=True, allow_excess_frames=False, **options)
        pixels = np.stack(list(found))
    return pixels, text(dataset, "PhotometricInterpretation").replace("_422", "")


def settled(pixels: Array, dataset: Dataset) -> Array:
    """Extend whole numbers from Bits Stored to their type, and order their bytes little-endian.

    The bits of native pixels end at High Bit (PS3.5 8.1.1, where older editions let it be any).
    """
    pixels = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<"))
    width, stored = 8 * pixels.dtype.itemsize, bits_stored_of(dataset)
    spare = width - stored
    if pixels.dtype.kind not in "iu" or spare <= 0 or whole(dataset, "BitsAllocated", 8) == 1:
        return pixels
    high = whole(dataset, "HighBit", stored - 1)
    native = not _is_encapsulated(transfer_syntax_of(dataset))
    above = width - 1 - high if native and stored <= high + 1 <= width else spare
    return (pixels << above) >> spare


def _is_encapsulated(syntax: str) -> bool:
    from pydicom.uid import UID

    return bool(UID(syntax).is_encapsulated)


def _refuse_deep_colour(path: Path, dataset: Dataset) -> None:
    """Refuse colour JPEG of 12 bits, of which gdcm, alone in decoding it, makes other colours."""
    if _is_deep_jpeg(dataset) and whole(dataset, "SamplesPerPixel", 1) != 1:
        raise UserError(
            f"{path.name} is a colour JPEG of 12 bits, whose colours cannot be decoded faithfully here.",
            remedy="Export it again, uncompressed or as lossless JPEG.",
            code="unsupported_compression",
        )


def _refuse_unknown_syntax(path: Path, syntax: str) -> None:
    from pydicom.pixels import get_decoder
    from pydicom.uid import UID

    try:
        available = bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        available = False
    if not available:
        name = UID(syntax).name if UID(syntax).is_transfer_syntax else "an unknown transfer syntax"
        raise UserError(
            f"{path.name} is compressed as {name}, which cannot be decoded here.",
            remedy="Export it again, uncompressed or as lossless JPEG.",
            code="unsupported_compression",
        )
