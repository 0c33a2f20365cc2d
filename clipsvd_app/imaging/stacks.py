"""A series as one block of voxels, as far as its slices fit together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.reading import read_frame, read_header
from clipsvd_app.imaging.values import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from clipsvd_app.imaging.values import ImageHeader

Array = NDArray[Any]
LARGEST_STACK_BYTES = 2 * 1024**3
LEAST_SLICES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Slices in their order along the normal of their plane.

    voxels: (slices, rows, columns) float32 after the modality transformation.
    positions_mm: rising places along the normal, None where the files do not say or two share one.
    orientation: the six cosines of Image Orientation (Patient), PS3.3 C.7.6.2.1.1.
    order: which of the given slices each one is.
    """

    voxels: Array
    positions_mm: Array | None
    orientation: tuple[float, ...] | None
    order: tuple[int, ...]
    first: Frame


def read_stack(slices: Sequence[tuple[Path, int]], report: Callable[[int, int], None]) -> Stack:
    """Read (file, frame) pairs into one block; refuses colour, mixed sizes and too few or too many slices."""
    if len(slices) < LEAST_SLICES:
        raise _refused("has too few slices for three planes", "Choose a series of at least three slices.")
    header = read_header(slices[0][0])
    if len(slices) * header.rows * header.columns * 4 > LARGEST_STACK_BYTES:
        raise _refused("is too large for three planes", "Look at it slice by slice.")
    voxels = np.empty((len(slices), header.rows, header.columns), dtype=np.float32)
    first = read_frame(*slices[0])
    for number, (path, frame) in enumerate(slices):
        report(number, len(slices))
        pixels = (first if number == 0 else read_frame(path, frame)).pixels
        if pixels.shape != voxels.shape[1:]:
            raise _refused("mixes sizes or holds colour", "Three planes need grey slices of one size.")
        voxels[number] = pixels
    positions, orientation = _geometry(slices, header)
    if positions is None:
        return Stack(voxels, None, orientation, tuple(range(len(slices))), first)
    order = np.argsort(positions, kind="stable")
    if np.any(np.diff(order) != 1):
        voxels = voxels[order]
    return Stack(voxels, positions[order], orientation, tuple(int(n) for n in order), first)


def _geometry(
    slices: Sequence[tuple[Path, int]], header: ImageHeader
) -> tuple[Array | None, tuple[float, ...] | None]:
    """Return where the slices lie and how they are turned, None for what is not known of all."""
    path = slices[0][0]
    one_file = len({path for path, _frame in slices}) == 1
    frames = [frame for _path, frame in slices]
    if header.kind == "volume" and one_file:
        gap = _volume_gap_mm(path)
        return None if gap is None else gap * np.array(frames), None
    if header.kind != "DICOM":
        return None, None
    orientation = _orientation(path)
    if one_file:
        return _usable(_positions_in_file(path, frames, orientation)), orientation
    return _usable([read_header(path).position_along_normal_mm for path, _frame in slices]), orientation


def _usable(places: Sequence[float | None]) -> Array | None:
    found = np.array([np.nan if place is None else place for place in places])
    return None if np.isnan(found).any() or len(np.unique(found)) < len(found) else found


def _positions_in_file(
    path: Path, frames: Sequence[int], orientation: tuple[float, ...] | None
) -> list[float | None]:
    """Project the position of each frame of an enhanced object on the normal (PS3.3 C.7.6.16.2.3)."""
    from clipsvd_app.imaging.dicom_dataset import read_dataset
    from clipsvd_app.imaging.dicom_elements import frame_group, numbers

    if orientation is None:
        return [None] * len(frames)
    dataset, normal = read_dataset(path), np.cross(orientation[:3], orientation[3:])
    places: list[float | None] = []
    for frame in frames:
        group = frame_group(dataset, "PlanePositionSequence", frame)
        position = () if group is None else numbers(group, "ImagePositionPatient")
        places.append(float(np.dot(normal, position)) if len(position) == 3 else None)
    return places


def _orientation(path: Path) -> tuple[float, ...] | None:
    from clipsvd_app.imaging.dicom_dataset import read_dataset
    from clipsvd_app.imaging.dicom_elements import frame_group, numbers

    dataset = read_dataset(path)
    group = frame_group(dataset, "PlaneOrientationSequence", 0)
    cosines = numbers(dataset if group is None else group, "ImageOrientationPatient")
    if len(cosines) != 6 or not np.isfinite(cosines).all():
        return None
    lengths = np.linalg.norm(cosines[:3]), np.linalg.norm(cosines[3:])
    return cosines if np.allclose(lengths, 1.0, atol=0.01) else None


def _volume_gap_mm(path: Path) -> float | None:
    from clipsvd_app.imaging.decode_worker import DecodeError, shared_pool
    from clipsvd_app.imaging.volumes import describe_volume

    try:
        spacing = shared_pool().run(describe_volume, str(path)).spacing_mm
    except DecodeError:
        return None
    return spacing[2] if len(spacing) == 3 and spacing[2] > 0 else None


def _refused(what: str, remedy: str) -> UserError:
    return UserError(f"This series {what}.", remedy=remedy, code="no_volume")
