"""Stored pixel values of DICOM frames; compressed ones are decoded inside a worker process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.dicom.dataset import reading
from clipsvd_app.imaging.dicom.elements import text, whole
from clipsvd_app.imaging.dicom.pixel_data.encapsulated import Stretch
from clipsvd_app.imaging.dicom.pixel_data.native import bits_stored_of, native_layout
from clipsvd_app.imaging.dicom.pixel_data.overlays import count_high_overlays
from clipsvd_app.imaging.dicom.true_image import JPEG_EXTENDED, joined
from clipsvd_app.imaging.guard import refusals
from clipsvd_app.imaging.guard.decode_worker import DecodeError, bounded, shared_pool
from clipsvd_app.imaging.guard.quiet import quiet
from clipsvd_app.imaging.opened import opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.imaging.dicom.true_image import TrueDataset
    from clipsvd_app.imaging.values import Array

_TRANSFORMED = {"YBR_ICT": "RGB", "YBR_RCT": "RGB"}


@dataclass(frozen=True, slots=True)
class EncodedFrames:
    """Compressed frames by the positions of their fragments in the file, and the decoder's options."""

    syntax: str
    frames: tuple[tuple[Stretch, ...], ...]
    options: dict[str, Any]


def stored_frames(path: Path, dataset: TrueDataset, frames: Sequence[int]) -> tuple[Array, str]:
    """Return (len(frames), rows, columns[, 3]) stored values, and the colour space they are in.

    The codec's own colour transform is undone, subsampled chroma is expanded, bits above Bits Stored are
    sign- or zero-extended, the byte order is little-endian; nothing else is converted.
    """
    with quiet:
        pixels = raw_frames(path, dataset, frames)
        return settled(pixels, dataset), photometric_of(dataset)


def raw_frames(path: Path, dataset: TrueDataset, frames: Sequence[int]) -> Array:
    """Return what `stored_frames` does with all allocated bits."""
    _refuse_unknown_syntax(path, dataset)
    _refuse_deep_colour(path, dataset)
    if whole(dataset, "SamplesPerPixel", 1) not in (1, 3):
        raise _unsupported_pixels(path)
    if dataset.place is not None and dataset.place.length is None:
        return _compressed(path, dataset, frames)
    return _native(path, dataset, frames)


def photometric_of(dataset: TrueDataset) -> str:
    """Return the colour space of decoded pixels."""
    photometric = text(dataset, "PhotometricInterpretation")
    return _TRANSFORMED.get(photometric, photometric)


def allocated_frame(path: Path, dataset: TrueDataset, frame: int) -> Array | None:
    """Return (rows, columns) of a plain grey frame with all allocated bits, None of any other."""
    layout = native_layout(dataset)
    if layout is None or len(layout.shape) != 2 or layout.bit_stride or layout.dtype.kind not in "iu":
        return None
    with reading(path):
        pixels = _native(path, dataset, (frame,))[0]
    return np.asarray(pixels.view(f"u{pixels.dtype.itemsize}"))


def _compressed(path: Path, dataset: TrueDataset, frames: Sequence[int]) -> Array:
    samples = whole(dataset, "Rows", 0) * whole(dataset, "Columns", 0) * whole(dataset, "SamplesPerPixel", 1)
    if max(frames) >= len(dataset.frames):
        raise refusals.damaged(path)
    encoded = EncodedFrames(
        dataset.transfer_syntax, tuple(dataset.frames[frame] for frame in frames), _options(dataset)
    )
    try:
        return shared_pool().run_on_file(path, decode_compressed, encoded, len(frames) * samples / 1e6)
    except DecodeError as error:
        raise refusals.undecodable(path) from error


def _options(dataset: TrueDataset) -> dict[str, Any]:
    samples, photometric = whole(dataset, "SamplesPerPixel", 1), text(dataset, "PhotometricInterpretation")
    if samples == 1:
        photometric = "PALETTE COLOR" if photometric == "PALETTE COLOR" else "MONOCHROME2"
    elif photometric not in ("YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"):
        photometric = "RGB"
    return {
        "rows": whole(dataset, "Rows", 0),
        "columns": whole(dataset, "Columns", 0),
        # Each frame is decoded by itself, from its own fragments.
        "number_of_frames": 1,
        "samples_per_pixel": samples,
        "photometric_interpretation": photometric,
        # Decoders return colour by pixel; given the header's 1, gdcm returns wrong colours.
        "planar_configuration": 0,
        "bits_allocated": whole(dataset, "BitsAllocated", 8),
        "bits_stored": bits_stored_of(dataset),
        "pixel_representation": whole(dataset, "PixelRepresentation", 0),
        "pixel_keyword": "PixelData",
    }


def decode_compressed(path: str, encoded: EncodedFrames, megapixels: float) -> Array:
    """Decode frames of encapsulated pixel data; called in a worker process only.

    megapixels: how much the header says they are, by which the time is limited.
    """
    import pydicom.pixels  # noqa: F401 - its plugins load now, so that only decoding counts

    with bounded(megapixels), opened(Path(path)) as file:
        streams = [joined(file, stretches) for stretches in encoded.frames]
        return np.stack([_decode_one(stream, encoded) for stream in streams])


def _decode_one(stream: bytes, encoded: EncodedFrames) -> Array:
    from pydicom.encaps import encapsulate
    from pydicom.pixels import get_decoder

    if encoded.syntax == JPEG_EXTENDED and encoded.options["bits_stored"] > 8:
        from clipsvd_app.imaging.dicom.pixel_data.jpeg_extended import decode_12_bit

        return decode_12_bit(stream, encoded.options)
    source = encapsulate([stream], has_bot=False)
    pixels, _meta = get_decoder(encoded.syntax).as_array(source, index=0, raw=True, **encoded.options)
    return np.asarray(pixels)


def _native(path: Path, dataset: TrueDataset, frames: Sequence[int]) -> Array:
    """Read frames of plain pixel data, and of a file on disk no others."""
    layout, place = native_layout(dataset), dataset.place
    if layout is None or place is None:
        raise _unsupported_pixels(path)
    with reading(path), place.open(path) as file:
        return np.stack([layout.read(file, frame) for frame in frames])


def _unsupported_pixels(path: Path) -> UserError:
    return UserError(
        f"{path.name} has a bit depth or number of samples that is not supported.",
        remedy="Export it again with 8 or 16 bits and one or three samples per pixel.",
        code="unsupported_pixels",
    )


def settled(pixels: Array, dataset: TrueDataset) -> Array:
    """Sign- or zero-extend integers from Bits Stored to their type, and order their bytes little-endian.

    The bits of native pixels end at High Bit (PS3.5 8.1.1, where older editions let it be any).
    """
    pixels = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<"))
    above, spare = _shifts(pixels, dataset)
    return pixels if spare <= 0 else (pixels << above) >> spare


def exceeds_bits_stored(raw: Array, dataset: TrueDataset) -> bool:
    """Say whether unused bits hold anything but zeros or a sign.

    Signed values may or may not be sign-extended into unused bits; if some are, all are taken to be.
    """
    above, spare = _shifts(raw, dataset)
    if spare <= 0 or above != spare or not raw.size:
        return False
    stored = 8 * raw.dtype.itemsize - spare
    least, most = int(raw.min()), int(raw.max())
    if raw.dtype.kind == "u":
        return most >> stored != 0
    is_extended = least < 0
    return most >> stored != 0 or (is_extended and (most >> stored - 1 != 0 or least >> stored - 1 != -1))


def first_frame_exceeds_bits(path: Path, dataset: TrueDataset) -> bool:
    """Read a plain grey frame of fewer bits than allocated, and say what `exceeds_bits_stored` does.

    False of all others, of pixels that cannot be read, and where overlays are said to lie in unused bits.
    """
    layout = native_layout(dataset)
    if layout is None or layout.dtype.kind not in "iu" or len(layout.shape) != 2 or layout.bit_stride:
        return False
    if bits_stored_of(dataset) >= 8 * layout.dtype.itemsize or count_high_overlays(dataset):
        return False
    try:
        return exceeds_bits_stored(_native(path, dataset, (0,))[0], dataset)
    except UserError:
        return False


def _shifts(pixels: Array, dataset: TrueDataset) -> tuple[int, int]:
    """Return how far to shift left and then right, so that Bits Stored fill the type."""
    width, stored = 8 * pixels.dtype.itemsize, bits_stored_of(dataset)
    spare = width - stored
    if pixels.dtype.kind not in "iu" or spare <= 0 or whole(dataset, "BitsAllocated", 8) == 1:
        return 0, 0
    high = whole(dataset, "HighBit", stored - 1)
    is_native = dataset.place is not None and dataset.place.length is not None
    return (width - 1 - high if is_native and stored <= high + 1 <= width else spare), spare


def _refuse_deep_colour(path: Path, dataset: TrueDataset) -> None:
    """Refuse colour JPEG of 12 bits, which only gdcm decodes, and to wrong colours."""
    is_deep = dataset.transfer_syntax == JPEG_EXTENDED and bits_stored_of(dataset) > 8
    if is_deep and whole(dataset, "SamplesPerPixel", 1) != 1:
        raise UserError(
            f"{path.name} is a 12-bit colour JPEG, whose colours cannot be decoded correctly.",
            remedy="Export it again, uncompressed or as lossless JPEG.",
            code="unsupported_compression",
        )


def _refuse_unknown_syntax(path: Path, dataset: TrueDataset) -> None:
    from pydicom.pixels import get_decoder
    from pydicom.uid import UID

    uid = UID(dataset.transfer_syntax)
    try:
        available = bool(get_decoder(uid).is_available)
    except NotImplementedError:
        available = False
    if not available:
        name = uid.name if uid.is_transfer_syntax else "an unknown transfer syntax"
        raise UserError(
            f"{path.name} is compressed as {name}, which is not supported.",
            remedy="Export it again, uncompressed or as lossless JPEG.",
            code="unsupported_compression",
        )
