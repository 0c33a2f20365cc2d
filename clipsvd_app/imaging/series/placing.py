"""The position of given slices in the patient, from the series that they form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.imaging.series.assembly import Member, Series, assemble
from clipsvd_app.imaging.series.geometry import PARALLEL
from clipsvd_app.imaging.values import Vector

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clipsvd_app.imaging.values import ImageHeader

FileFrame = tuple[Path, int]


@dataclass(frozen=True, slots=True)
class Placed:
    """Slices as a series. order: for each slice of the series, which of the given ones it is."""

    series: Series
    order: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """Where each slice of a stack lies along its normal; stacks of one frame of reference can be compared.

    frame_of_reference: a UID, for comparing only; it is never stored.
    """

    frame_of_reference: str
    normal: Vector
    along_mm: tuple[float, ...]

    def nearest(self, other: Axis, index: int) -> int | None:
        """Return the slice that lies nearest to one of another stack; None where no place is shared."""
        cosine = float(np.dot(self.normal, other.normal))
        if self.frame_of_reference != other.frame_of_reference or abs(cosine) < PARALLEL:
            return None
        wanted = np.copysign(1.0, cosine) * other.along_mm[index]
        return int(np.argmin(np.abs(np.asarray(self.along_mm) - wanted)))


def place_slices(slices: Sequence[FileFrame], headers: Mapping[Path, ImageHeader]) -> Placed:
    """Put (file, frame) pairs in the order of the body; headers: of each file."""
    frames: dict[Path, list[int]] = {}
    for path, frame in slices:
        frames.setdefault(path, []).append(frame)
    files = list(frames)
    (series,) = assemble([_member(headers[path], frames[path]) for path in files])
    given = {pair: number for number, pair in enumerate(slices)}
    order = (given[files[s.member], frames[files[s.member]][s.frame]] for s in series.slices)
    return Placed(series, tuple(order))


def axis_of(slices: Sequence[FileFrame], headers: Mapping[Path, ImageHeader]) -> Axis | None:
    """Return where slices lie, in the order given; None unless all say so and lie parallel."""
    spaces = {headers[path].frame_of_reference_uid for path, _frame in slices}
    if len(spaces) != 1 or "" in spaces or any(headers[path].object_name for path, _frame in slices):
        return None
    placed = place_slices(slices, headers)
    along = {number: s.along_mm for number, s in zip(placed.order, placed.series.slices, strict=True)}
    places = tuple(place for number in range(len(slices)) if (place := along.get(number)) is not None)
    first = placed.series.slices[0].plane if placed.series.slices else None
    turned = any(found.orientation for found in placed.series.slices)
    if first is None or turned or len(places) != len(slices):
        return None
    x, y, z = (float(part) for part in np.cross(first.row, first.column))
    return Axis(spaces.pop(), (x, y, z), places)


def _member(header: ImageHeader, frames: Sequence[int]) -> Member:
    """Return a file with only the wanted frames, as a member of one series."""
    known = len(header.planes) == header.frames
    planes = tuple(header.planes[frame] for frame in frames) if known else ()
    return Member(replace(header, series_uid="given", frames=len(frames), planes=planes))
