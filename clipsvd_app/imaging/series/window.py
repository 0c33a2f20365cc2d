"""One window for all slices of a series whose headers give none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.display.windows import AUTOMATIC, sample, window_of_values
from clipsvd_app.imaging.reading import read_frame, read_header
from clipsvd_app.imaging.signature import sniff

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence
    from pathlib import Path

    from clipsvd_app.domain.view import Window
    from clipsvd_app.imaging.series.placing import FileFrame
    from clipsvd_app.imaging.values import Frame

# Spread evenly, so many represent the series; more take time and change its percentiles little.
MOST_READ = 64
# For one file shown by itself, whose folder may hold thousands of others.
MOST_BESIDE = 5000
# If the first, middle and last slice have windows in their headers, no others are read.
_LOOKED_AT_FIRST = 3
# A million values of 64 slices, enough for percentiles of 0.5.
_VALUES_OF_EACH = 16_384


def series_window(
    slices: Sequence[FileFrame],
    report: Callable[[int, int], None] | None = None,
    given: Container[Path] = (),
) -> Window | None:
    """Return the window that spans the values of a whole series, in the units of its pixels.

    A window taken from each slice by itself makes noise look like signal and a series flicker. Up to 64
    slices are read, spread evenly; those that cannot be read are skipped. None where there is one slice
    only, where headers or the kind of image give windows, and where slices are in different units.
    report: called with (slices read, slices to read); raises Cancelled to stop.
    given: files whose headers or kind are known to give the window; they are not read again for that.
    """
    if len(slices) < 2:
        return None
    pooled: list[np.ndarray] = []
    units: set[str] = set()
    chosen = _spread(len(slices), MOST_READ)
    first = _spread(len(chosen), _LOOKED_AT_FIRST)
    order = [chosen[at] for at in first] + [at for n, at in enumerate(chosen) if n not in first]
    for done, place in enumerate(order):
        if done == len(first) and not pooled:
            return None
        if report is not None:
            report(done, len(order))
        frame = None if slices[place][0] in given else _read(slices[place])
        if frame is not None and frame.by_pixels:
            units.add(frame.units)
            pooled.append(sample(frame.pixels, frame.padding, _VALUES_OF_EACH))
    if not pooled or len(units) != 1:
        return None
    return window_of_values(np.concatenate(pooled), *AUTOMATIC)


def window_beside(path: Path) -> tuple[Window | None, int]:
    """Return the window that a file shares with the rest of its series in the same folder, and their number.

    (None, 1) where the file's header or kind gives a window, or where it is alone.
    """
    header = read_header(path)
    first = _read((path, 0))
    if first is None or not first.by_pixels:
        return None, 1
    files = [path] if header.kind != "DICOM" or not header.series_uid else _of_series(path, header.series_uid)
    slices = [(file, frame) for file in files for frame in range(read_header(file).frames)]
    return series_window(slices), len(slices)


def _of_series(path: Path, series_uid: str) -> list[Path]:
    beside = sorted(file for file in path.parent.iterdir() if file.is_file())[:MOST_BESIDE]
    return [file for file in beside if file == path or _series_uid(file) == series_uid]


def _series_uid(path: Path) -> str:
    try:
        return read_header(path).series_uid if sniff(path) == "DICOM" else ""
    except UserError:
        return ""


def _read(place: FileFrame) -> Frame | None:
    try:
        return read_frame(*place)
    except UserError:
        return None


def _spread(count: int, most: int) -> list[int]:
    """Return up to ``most`` places of ``count``, the first and the last among them."""
    return sorted(set(np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist()))
