"""All pixels of a series at once, each file's header read one time and its pixels straight into place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from clipsvd_app.errors import UserError
from clipsvd_app.imaging import refusals
from clipsvd_app.imaging.dicom_dataset import read_object, reading, without_pixels
from clipsvd_app.imaging.dicom_decoding import settled, stored_frames
from clipsvd_app.imaging.dicom_elements import items
from clipsvd_app.imaging.dicom_header import describe
from clipsvd_app.imaging.dicom_native import bits_stored_of, native_layout
from clipsvd_app.imaging.dicom_pixels import display_rescale, modality_values
from clipsvd_app.imaging.dicom_truth import TrueDataset
from clipsvd_app.imaging.series.assembly import Series, assemble
from clipsvd_app.imaging.series.listing import members_of
from clipsvd_app.imaging.values import ImageHeader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clipsvd_app.imaging.values import Array

MOST_BYTES = 4 * 1024**3


@dataclass(frozen=True, slots=True)
class LoadedSeries:
    """A series with the values of all its slices, in its order.

    volume: (slices, rows, columns) after the modality transformation; int16 where that is exact, else
    float32. Slices of another size than the first are left out of it: `shown` holds the others' indices
    in `series.slices`. headers: of the files in the order they were given.
    """

    series: Series
    headers: tuple[ImageHeader, ...]
    volume: npt.NDArray[Any]
    shown: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    dataset: TrueDataset
    header: ImageHeader


def load_series(paths: Sequence[Path], report: Callable[[int, int], None] | None = None) -> LoadedSeries:
    """Read the greyscale series that most of the files belong to.

    Refuses damaged files, colour, and more than 4 GiB of pixels.
    report: told (slices done, slices in all); raises Cancelled to stop.
    """
    files = [_opened(path) for path in paths]
    every = assemble(members_of([file.path for file in files], [file.header for file in files]))
    series = max(every, key=lambda found: len(found.slices), default=None)
    if series is None or not series.slices:
        raise UserError("There is no image among these files.", remedy="Choose the images of a series.")
    first = files[series.slices[0].member].header
    shown = tuple(n for n, s in enumerate(series.slices) if _same_size(files[s.member].header, first))
    volume = _allocated(files, series, shown)
    for place, index in enumerate(shown):
        if report is not None:
            report(place, len(shown))
        chosen = series.slices[index]
        _fill(volume[place], files[chosen.member], chosen.frame)
    return LoadedSeries(series, tuple(file.header for file in files), volume, shown)


def _opened(path: Path) -> _File:
    dataset, has_pixels = read_object(path)
    if not has_pixels:
        raise without_pixels(path, dataset)
    return _File(path, dataset, describe(path, dataset))


def _same_size(header: ImageHeader, first: ImageHeader) -> bool:
    return (header.rows, header.columns) == (first.rows, first.columns)


def _allocated(files: Sequence[_File], series: Series, shown: Sequence[int]) -> Array:
    chosen = [files[series.slices[index].member] for index in shown]
    exact = all(_fits_int16(file.dataset) for file in {id(file): file for file in chosen}.values())
    kind = np.dtype(np.int16 if exact else np.float32)
    rows, columns = chosen[0].header.rows, chosen[0].header.columns
    if len(shown) * rows * columns * kind.itemsize > MOST_BYTES:
        raise refusals.too_large(chosen[0].path)
    return np.empty((len(shown), rows, columns), kind)


def _fits_int16(dataset: TrueDataset) -> bool:
    """Say whether every value that Bits Stored allow is a whole number of 16 bits after the rescale."""
    layout = native_layout(dataset)
    if layout is None or layout.dtype.kind not in "iu" or items(dataset, "ModalityLUTSequence"):
        return False
    slope, intercept = display_rescale(dataset, 0)
    if slope != 1 or intercept != int(intercept):
        return False
    bits = bits_stored_of(dataset)
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if layout.dtype.kind == "i" else (0, (1 << bits) - 1)
    return low + intercept >= -(1 << 15) and high + intercept < 1 << 15


def _fill(pixels: Array, file: _File, frame: int) -> None:
    """Write one frame's values into its place in the volume."""
    layout = native_layout(file.dataset)
    if pixels.dtype == np.int16 and layout is not None and layout.is_plain and layout.dtype.itemsize == 2:
        own = pixels.view(layout.dtype)
        place = file.dataset.place
        assert place is not None
        with reading(file.path), place.open(file.path) as opened:
            layout.read_into(opened, own, frame)
        _settle(own, file.dataset)
        intercept = int(display_rescale(file.dataset, frame)[1])
        if intercept:
            np.add(pixels, np.int16(intercept), out=pixels)
        return
    stored, photometric = stored_frames(file.path, file.dataset, (frame,))
    if not photometric.startswith("MONOCHROME") or stored.ndim != 3:
        raise UserError(
            f"{file.path.name} is in colour.", remedy="Look at it image by image.", code="unsupported_colours"
        )
    with reading(file.path):
        pixels[...] = modality_values(file.dataset, stored[0], frame)[0]


def _settle(stored: Array, dataset: TrueDataset) -> None:
    bits = bits_stored_of(dataset)
    if bits < 16:
        stored[...] = settled(stored, dataset)
