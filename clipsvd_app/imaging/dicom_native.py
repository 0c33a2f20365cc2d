"""Plain pixel data that can be read straight from its place in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from clipsvd_app.imaging.dicom_elements import whole
from clipsvd_app.imaging.dicom_scan import PlainDataset

if TYPE_CHECKING:
    from typing import BinaryIO

    from clipsvd_app.imaging.dicom_elements import Dataset
    from clipsvd_app.imaging.values import Array

_KINDS = {"FloatPixelData": "f", "DoubleFloatPixelData": "f"}
_FLOAT_BITS = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}


@dataclass(frozen=True, slots=True)
class NativeLayout:
    """One-sample frames of whole bytes, one after the other from `start` in the file."""

    start: int
    shape: tuple[int, int]
    dtype: np.dtype[Any]

    def read(self, file: BinaryIO, frame: int = 0) -> Array:
        """Return (rows, columns) as stored."""
        pixels = np.empty(self.shape, self.dtype)
        self.read_into(file, pixels, frame)
        return pixels

    def read_into(self, file: BinaryIO, pixels: Array, frame: int = 0) -> None:
        """Fill a contiguous (rows, columns) array of the layout's own type."""
        file.seek(self.start + frame * pixels.nbytes)
        left = pixels.data.cast("B")
        while left:
            done = file.readinto(left)  # type: ignore[attr-defined]
            if not done:
                raise EOFError
            left = left[done:]


def native_layout(dataset: Dataset) -> NativeLayout | None:
    """Say where a data set's pixels lie, or None where they need a decoder or a conversion of any kind."""
    if not isinstance(dataset, PlainDataset) or dataset.pixels_length is None:
        return None
    bits, kind = whole(dataset, "BitsAllocated", 0), _KINDS.get(dataset.pixels_keyword)
    if whole(dataset, "SamplesPerPixel", 1) != 1 or bits != _FLOAT_BITS.get(dataset.pixels_keyword, bits):
        return None
    if bits not in (8, 16, 32, 64) or (bits == 64 and kind is None):
        return None
    sign = "i" if whole(dataset, "PixelRepresentation", 0) == 1 else "u"
    shape = whole(dataset, "Rows", 0), whole(dataset, "Columns", 0)
    frames = max(1, whole(dataset, "NumberOfFrames", 1))
    if shape[0] * shape[1] * frames * bits // 8 > dataset.pixels_length:
        return None
    return NativeLayout(dataset.pixels_at, shape, np.dtype(f"<{kind or sign}{bits // 8}"))
