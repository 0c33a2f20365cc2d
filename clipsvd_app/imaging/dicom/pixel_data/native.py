"""Uncompressed pixel data, read directly from its place in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from clipsvd_app.imaging.dicom.elements import text, whole

if TYPE_CHECKING:
    from typing import BinaryIO

    from clipsvd_app.imaging.dicom.elements import Dataset
    from clipsvd_app.imaging.dicom.true_image import TrueDataset
    from clipsvd_app.imaging.values import Array

_FLOAT_BITS = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}


@dataclass(frozen=True, slots=True)
class NativeLayout:
    """Frames of plain values, one after the other from `start`.

    shape: (rows, columns[, samples]). dtype: as in the file. by_plane: all values of one sample, then the
    next. halved: chroma of every second column (YBR_FULL_422, PS3.3 C.7.6.3.1.2). bit_stride: bits from frame
    to frame of single-bit pixels, else 0. swapped: bytes of OW in big-endian words.
    """

    start: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    by_plane: bool = False
    halved: bool = False
    bit_stride: int = 0
    swapped: bool = False

    def read(self, file: BinaryIO, frame: int = 0) -> Array:
        """Return (rows, columns[, samples]) as stored, in the file's byte order."""
        if self.bit_stride:
            return self._bits(file, frame)
        count = int(np.prod(self.shape))
        # YBR_FULL_422 stores two samples a pixel: each pair of pixels shares its chroma.
        pixels = np.empty(count // 3 * 2 if self.halved else count, self.dtype)
        if self.swapped:
            return self._formed(self._words(file, frame * pixels.nbytes, pixels.nbytes).view(self.dtype))
        self.read_into(file, pixels, frame)
        return self._formed(pixels)

    def read_into(self, file: BinaryIO, pixels: Array, frame: int = 0) -> None:
        """Fill a contiguous array of the layout's own type and size."""
        file.seek(self.start + frame * pixels.nbytes)
        left = pixels.reshape(-1).data.cast("B")
        while left:
            done = file.readinto(left)  # type: ignore[attr-defined]
            if not done:
                raise EOFError
            left = left[done:]

    def _formed(self, values: Array) -> Array:
        if self.halved:
            return _chroma_repeated(values, self.shape)
        if self.by_plane:
            rows, columns, samples = self.shape
            return np.ascontiguousarray(values.reshape(samples, rows, columns).transpose(1, 2, 0))
        return values.reshape(self.shape)

    def _bits(self, file: BinaryIO, frame: int) -> Array:
        """Unpack single bits, the lowest of each byte first (PS3.5 8.1.1)."""
        first, count = frame * self.bit_stride, int(np.prod(self.shape))
        length = -(-(first + count) // 8) - first // 8
        if self.swapped:
            packed = self._words(file, first // 8, length)
        else:
            packed = np.empty(length, np.uint8)
            NativeLayout(self.start + first // 8, (length,), packed.dtype).read_into(file, packed)
        bits = np.unpackbits(packed, bitorder="little")
        return bits[first % 8 : first % 8 + count].reshape(self.shape)

    def _words(self, file: BinaryIO, offset: int, length: int) -> Array:
        """Return bytes that lie in big-endian words, the lower byte of each word first."""
        before, after = offset % 2, (offset + length) % 2
        words = np.empty((length + before + after) // 2, ">u2")
        NativeLayout(self.start + offset - before, words.shape, words.dtype).read_into(file, words)
        return words.astype("<u2").view(np.uint8)[before : before + length]


def native_layout(dataset: TrueDataset) -> NativeLayout | None:
    """Say how a data set's pixels lie, None where they are compressed or of a depth that none has."""
    place = dataset.place
    if place is None or place.length is None:
        return None
    bits, samples = whole(dataset, "BitsAllocated", 0), whole(dataset, "SamplesPerPixel", 1)
    float_bits = _FLOAT_BITS.get(place.keyword)
    bits = float_bits or bits
    if bits not in (1, 8, 16, 32, 64) or samples not in (1, 3):
        return None
    size = whole(dataset, "Rows", 0), whole(dataset, "Columns", 0)
    sign = "f" if float_bits else "i" if whole(dataset, "PixelRepresentation", 0) == 1 and bits > 1 else "u"
    order = ">" if dataset.is_big_endian else "<"
    return NativeLayout(
        place.start,
        size if samples == 1 else (*size, samples),
        np.dtype(f"{order}{sign}{max(1, bits // 8)}"),
        by_plane=samples > 1 and whole(dataset, "PlanarConfiguration", 0) == 1,
        halved=samples == 3 and text(dataset, "PhotometricInterpretation").endswith("_422"),
        bit_stride=0
        if bits > 1
        else bit_stride(size[0] * size[1], whole(dataset, "NumberOfFrames", 1), place.length),
        swapped=dataset.is_big_endian and place.words and bits <= 8,
    )


def bits_stored_of(dataset: Dataset) -> int:
    """Return Bits Stored, at most Bits Allocated."""
    allocated = whole(dataset, "BitsAllocated", 16)
    stored = whole(dataset, "BitsStored", allocated)
    return stored if 0 < stored <= allocated else allocated


def bit_stride(pixels: int, frames: int, length: int) -> int:
    """Return the bits from one single-bit frame to the next: without gaps, unless the length shows gaps."""
    # In bytes: a frame that is padded to whole bytes, and all frames without gaps, padded to an even length.
    padded, tight = -(-pixels // 8), -(-frames * pixels // 16) * 2
    return 8 * padded if length > tight and length >= frames * padded else pixels


def _chroma_repeated(values: Array, shape: tuple[int, ...]) -> Array:
    """Expand Y Y Cb Cr of two pixels to Y Cb Cr of each."""
    rows, columns, _ = shape
    pairs = values.reshape(rows, columns // 2, 4)
    full = np.empty(shape, values.dtype)
    full[:, 0::2, 0], full[:, 1::2, 0] = pairs[..., 0], pairs[..., 1]
    for sample in (1, 2):
        full[:, 0::2, sample] = full[:, 1::2, sample] = pairs[..., sample + 1]
    return full
