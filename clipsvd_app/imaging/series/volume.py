"""A series as one block of voxels, if its slices form a regular grid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.reading import read_frame, read_header
from clipsvd_app.imaging.series.flags import BREAKS_VOLUME
from clipsvd_app.imaging.series.geometry import along_normal_mm
from clipsvd_app.imaging.series.placing import place_slices
from clipsvd_app.imaging.values import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from clipsvd_app.domain.view import Window
    from clipsvd_app.imaging.series.placing import FileFrame
    from clipsvd_app.imaging.values import ImageHeader

Array = NDArray[Any]
# As float32: 2,000 slices of 512 x 512. It is held in memory whole.
LARGEST_STACK_BYTES = 2 * 1024**3
# Two slices make no sagittal or coronal image worth looking at.
LEAST_SLICES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Slices in their order along the normal of their plane.

    voxels: (slices, rows, columns) float32 after the modality transformation.
    positions_mm: rising places along the normal from the first one, None for pictures, which do not say.
    orientation: the six cosines of Image Orientation (Patient), PS3.3 C.7.6.2.1.1.
    order: which of the given slices each one is.
    """

    voxels: Array
    positions_mm: Array | None
    orientation: tuple[float, ...] | None
    order: tuple[int, ...]
    first: Frame


def read_stack(
    slices: Sequence[FileFrame], report: Callable[[int, int], None], series_window: Window | None = None
) -> Stack:
    """Read (file, frame) pairs into one block. series_window: see `read_frame`.

    Refuses colour, mixed sizes, too few or too many slices, and whatever is no regular grid in the patient:
    a plane cut through it would show what is not there.
    """
    if len(slices) < LEAST_SLICES:
        raise _refused(
            "This series has too few slices for multiplanar reconstruction",
            "Choose a series of at least three slices.",
        )
    headers = {path: read_header(path) for path in dict.fromkeys(path for path, _frame in slices)}
    first = headers[slices[0][0]]
    if len(slices) * first.rows * first.columns * 4 > LARGEST_STACK_BYTES:
        raise _refused("This series is too large for multiplanar reconstruction")
    order, positions, orientation = _geometry(slices, headers)
    voxels = np.empty((len(slices), first.rows, first.columns), dtype=np.float32)
    for number, place in enumerate(order):
        report(number, len(slices))
        frame = read_frame(*slices[place])
        if frame.pixels.shape != voxels.shape[1:]:
            raise _refused(
                "This series has slices of different sizes or in colour; multiplanar reconstruction"
                " needs grey-scale slices of one size"
            )
        voxels[number] = frame.pixels
    return Stack(voxels, positions, orientation, order, read_frame(*slices[0], series_window))


def _geometry(
    slices: Sequence[FileFrame], headers: Mapping[Path, ImageHeader]
) -> tuple[tuple[int, ...], Array | None, tuple[float, ...] | None]:
    """Return the order of the slices, where they lie and how they are turned, None for what is not known."""
    first, as_given = headers[slices[0][0]], tuple(range(len(slices)))
    if first.kind == "DICOM":
        return _in_patient(slices, headers)
    if first.kind != "volume" or len(headers) != 1:
        return as_given, None, None
    if any(note.code in BREAKS_VOLUME for note in first.notes):
        raise _refused("The grid of this volume is sheared, so reconstructed planes would be distorted")
    gap_mm = _volume_gap_mm(slices[0][0])
    planes = [first.planes[frame] for _path, frame in slices if frame < len(first.planes)]
    known = [plane for plane in planes if plane is not None]
    if len(known) != len(slices):
        frames = np.array([frame for _path, frame in slices])
        return as_given, None if gap_mm is None else gap_mm * frames, None
    along = along_normal_mm(known)
    order = np.argsort(along, kind="stable")
    return tuple(order.tolist()), along[order] - along[order[0]], (*known[0].row, *known[0].column)


def _in_patient(
    slices: Sequence[FileFrame], headers: Mapping[Path, ImageHeader]
) -> tuple[tuple[int, ...], Array, tuple[float, ...] | None]:
    """Return a stack's geometry; the axes of an animal turn no plane as that of a person is hung."""
    placed = place_slices(slices, headers)
    broken = [flag for flag in placed.series.flags if flag.code in BREAKS_VOLUME]
    if broken:
        raise _refused(f"Reconstructed planes would be distorted: {_lower(broken[0].sentence)}")
    planes = [found.plane for found in placed.series.slices if found.plane is not None]
    if len(planes) != len(slices):
        raise _refused("The slices of this series have no positions, so planes cannot be reconstructed")
    along = np.array([found.along_mm for found in placed.series.slices], dtype=np.float64)
    turned = None if headers[slices[0][0]].quadruped else (*planes[0].row, *planes[0].column)
    return placed.order, along - along[0], turned


def _volume_gap_mm(path: Path) -> float | None:
    from clipsvd_app.imaging.formats.volumes import volume_geometry

    grid = volume_geometry(path)
    if math.prod(grid.size[3:]) > 1:
        raise _refused("This file contains several volumes")
    return float(grid.spacing_mm[2]) if len(grid.spacing_mm) > 2 else None


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def _refused(what: str, remedy: str = "View it slice by slice.") -> UserError:
    return UserError(f"{what}.", remedy=remedy, code="no_volume")
