"""Sentences on what is left out of files or contradictory in them, summed over files."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.imaging.series.flags import Flag, FlagCode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clipsvd_app.imaging.values import FileNote, NoteCode

# Singular and plural, with the number before them.
_COUNTED: dict[NoteCode, tuple[str, str]] = {
    "pages_left_out": (
        "further page of another size or kind, such as a level of a pyramid, is left out.",
        "further pages of another size or kind, such as levels of a pyramid, are left out.",
    ),
    "slide_label_left_out": (
        "slide label or glass image, which may show a name, is left out.",
        "slide label or glass images, which may show names, are left out.",
    ),
    "previews_left_out": (
        "further image in the file, such as a preview or depth map, is left out.",
        "further images in the files, such as previews or depth maps, are left out.",
    ),
    "frames_missing": (
        "image that the header states is not in the file.",
        "images that the header states are not in the file.",
    ),
    "unnamed_data": (
        "further image not mentioned in the header is left out.",
        "further images not mentioned in the header are left out.",
    ),
    "channels_left_out": (
        "channel besides grey or colour is left out.",
        "channels besides grey or colour are left out.",
    ),
    "colour_depth": (
        "file has more than 8 bits per colour; the upper 8 are displayed.",
        "files have more than 8 bits per colour; the upper 8 are displayed.",
    ),
    "colour_profile": (
        "file has CMYK or Lab colours, displayed as RGB without its colour profile.",
        "files have CMYK or Lab colours, displayed as RGB without their colour profiles.",
    ),
    "sheared_grid": (
        "volume has a sheared grid; slices are displayed without positions.",
        "volumes have sheared grids; slices are displayed without positions.",
    ),
    "places_disagree": (
        "volume contradicts itself on position or voxel size; its affine is used if valid.",
        "volumes contradict themselves on position or voxel size; their affines are used if valid.",
    ),
    "no_voxel_size": (
        "volume has no valid voxel size; lengths are in pixels.",
        "volumes have no valid voxel size; lengths are in pixels.",
    ),
}


def note_flags(notes: Iterable[FileNote]) -> tuple[Flag, ...]:
    """Return one flag for each code among the notes of any files, their counts summed."""
    counts: Counter[NoteCode] = Counter()
    for note in notes:
        counts[note.code] += note.count
    return tuple(
        Flag(FlagCode(code), counted(count, *_COUNTED[code]), count) for code, count in counts.items()
    )
