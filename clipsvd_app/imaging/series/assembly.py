"""From files in any order to series in the order of the body, each with its flags."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipsvd_app.imaging.series import checks
from clipsvd_app.imaging.series.flags import BREAKS_VOLUME, Flag
from clipsvd_app.imaging.series.geometry import (
    Gaps,
    along_normal_mm,
    gaps,
    orientation_groups,
    same_place_mm,
)
from clipsvd_app.imaging.series.notes import note_flags
from clipsvd_app.imaging.values import ImageHeader, Plane

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = NDArray[Any]
_ROUNDING = 0.1
"""Positions closer than this share of the tolerance of one place differ only by rounding."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file as a series takes it. content: anything equal for equal files, "" where it is unknown."""

    header: ImageHeader
    content: str = ""


@dataclass(frozen=True, slots=True)
class Slice:
    """One frame in its place. member: the index among the members that were given; frame: from 0.

    along_mm: the position along the normal of its orientation, None where geometry is missing.
    orientation: which of the series' orientations it lies in, from 0, the most frequent.
    rank: what orders it among slices without geometry: their instance number or Slice Location.
    """

    member: int
    frame: int
    plane: Plane | None
    along_mm: float | None
    orientation: int = 0
    rank: float = 0.0


@dataclass(frozen=True, slots=True)
class Series:
    """Slices in order, orientation by orientation (most frequent first), those without geometry last.

    spacing_mm: the usual distance between slices of the first orientation.
    """

    series_uid: str
    modality: str
    slices: tuple[Slice, ...]
    flags: tuple[Flag, ...]
    spacing_mm: float | None

    @property
    def is_volume(self) -> bool:
        """Whether the slices are a regular grid that other planes may be cut through."""
        return len(self.slices) > 1 and not any(flag.code in BREAKS_VOLUME for flag in self.flags)


def assemble(members: Sequence[Member]) -> tuple[Series, ...]:
    """Sort members into series by their UID, in order of first appearance.

    Members without a UID are each a series of their own. Nothing is refused and no image is dropped,
    except copies: of files with one SOP instance UID and one content only the first is kept.
    """
    by_uid: dict[str, list[int]] = defaultdict(list)
    for index, member in enumerate(members):
        by_uid[member.header.series_uid or f"#{index}"].append(index)
    return tuple(_assembled(members, indices) for indices in by_uid.values())


def _assembled(members: Sequence[Member], indices: Sequence[int]) -> Series:
    flags = list(checks.objects([members[index].header for index in indices]))
    images = [index for index in indices if not members[index].header.object_name]
    kept, copies, conflicts = _without_copies(members, images)
    flags += checks.duplicate_uids(copies, conflicts)
    frames = [found for index in kept for found in _slices(members[index].header, index)]
    headers = [members[index].header for index in kept]
    slices, stacks = _placed_in_order(members, frames, same_place_mm(h.pixel_spacing_mm for h in headers))
    rest, ordered_by = _rest_in_order(members, frames)
    slices += rest
    flags += checks.faults([header.faults for header in headers])
    flags += note_flags(note for header in headers for note in header.notes)
    flags += checks.consistency(headers)
    flags += checks.geometry(headers, stacks, len(rest), ordered_by)
    first = members[indices[0]].header
    spacing = stacks[0].spacing_mm if stacks else None
    modality = headers[0].modality if headers else first.modality
    return Series(first.series_uid, modality, tuple(slices), tuple(flags), spacing)


def _without_copies(members: Sequence[Member], indices: Sequence[int]) -> tuple[list[int], int, int]:
    """Return the members to keep, how many copies were left out, and how many instances share a UID."""
    kept: list[int] = []
    contents: dict[str, set[str]] = defaultdict(set)
    copies = conflicts = 0
    for index in indices:
        uid, content = members[index].header.instance_uid, members[index].content
        if uid and content and content in contents[uid]:
            copies += 1
            continue
        conflicts += bool(uid and contents[uid])
        contents[uid].add(content or f"#{index}")
        kept.append(index)
    return kept, copies, conflicts


def _slices(header: ImageHeader, index: int) -> list[Slice]:
    planes = header.planes if len(header.planes) == header.frames else (None,) * header.frames
    return [Slice(index, frame, plane, None) for frame, plane in enumerate(planes)]


def _placed_in_order(
    members: Sequence[Member], frames: Sequence[Slice], same_place: float
) -> tuple[list[Slice], list[Gaps]]:
    """Order frames that say their place along their normals; return the gaps of each orientation too."""
    placed = [found for found in frames if found.plane is not None]
    ordered: list[Slice] = []
    stacks: list[Gaps] = []
    groups = orientation_groups([found.plane for found in placed if found.plane is not None])
    for group in range(int(groups.max(initial=-1)) + 1):
        stack = _along(
            [placed[index] for index in np.flatnonzero(groups == group)], members, group, same_place
        )
        planes = [found.plane for found in stack if found.plane is not None]
        along = np.asarray([found.along_mm for found in stack], dtype=np.float64)
        stacks.append(gaps(planes, along, same_place))
        ordered += stack
    return ordered, stacks


def _rest_in_order(members: Sequence[Member], frames: Sequence[Slice]) -> tuple[list[Slice], str]:
    """Order frames without a position by what distinguishes their files, named as in `checks.ORDERED_BY`.

    The instance number comes first; where it is one for all files, as some exports leave it, Slice Location.
    """
    rest = [found for found in frames if found.plane is None]
    headers = {found.member: members[found.member].header for found in rest}
    numbers = {member: float(header.instance_number) for member, header in headers.items()}
    locations = {
        member: header.slice_location_mm
        for member, header in headers.items()
        if header.slice_location_mm is not None
    }
    if len(set(numbers.values())) > 1:
        ranks, ordered_by = numbers, "instance_number"
    elif len(locations) == len(headers) and len(set(locations.values())) > 1:
        ranks, ordered_by = locations, "slice_location"
    else:
        ranks, ordered_by = dict.fromkeys(headers, 0.0), "file"
    rest = [replace(found, rank=ranks[found.member]) for found in rest]
    return sorted(rest, key=lambda found: (found.rank, found.member, found.frame)), ordered_by


def _places(along: Array, rounding_mm: float) -> Array:
    """Return the number of each slice's place; those closer than rounding share one.

    Counted by gaps, because rounding to a grid would let the last digit decide at the grid's edges.
    """
    ascending = np.argsort(along, kind="stable")
    places = np.zeros(len(along), dtype=np.int64)
    places[ascending[1:]] = np.cumsum(np.diff(along[ascending]) > rounding_mm)
    return places


def _along(stack: Sequence[Slice], members: Sequence[Member], group: int, same_place: float) -> list[Slice]:
    along = along_normal_mm([found.plane for found in stack if found.plane is not None])
    numbers = [members[found.member].header.instance_number for found in stack]
    places = _places(along, _ROUNDING * same_place).tolist()
    order = sorted(
        range(len(stack)), key=lambda n: (places[n], numbers[n], along[n], stack[n].member, stack[n].frame)
    )
    return [replace(stack[n], along_mm=float(along[n]), orientation=group) for n in order]
