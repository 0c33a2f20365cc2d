"""Sentences for what is left out of files, or said in them twice and differently, summed over files."""

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
        "picture of a slide's label or glass, which may show a name, is left out.",
        "pictures of slides' labels or glass, which may show names, are left out.",
    ),
    "previews_left_out": (
        "further picture in the file, such as a preview or a depth map, is left out.",
        "further pictures in the files, such as previews or depth maps, are left out.",
    ),
    "frames_missing": (
        "image that the header states is not in the file.",
        "images that the header states are not in the file.",
    ),
    "unnamed_data": (
        "further image's worth of data, which the header does not mention, is left out.",
        "further images' worth of data, which the header does not mention, is left out.",
    ),
    "channels_left_out": (
        "channel besides grey or colour is left out.",
        "channels besides grey or colour are left out.",
    ),
    "colour_depth": (
        "file holds more than 8 bits a colour; the upper 8 are shown.",
        "files hold more than 8 bits a colour; the upper 8 are shown.",
    ),
    "colour_profile": (
        "file holds CMYK or Lab colours, shown as RGB without its colour profile.",
        "files hold CMYK or Lab colours, shown as RGB without their colour profiles.",
    ),
    "sheared_grid": (
        "volume has a sheared grid: its slices are shown, and where they lie is left out.",
        "volumes have sheared grids: their slices are shown, and where they lie is left out.",
    ),
    "places_disagree": (
        "volume states its place or voxel size twice and differently; its affine is used where it is sound.",
        "volumes state their places or voxel sizes twice and differently; affines are used where sound.",
    ),
    "no_voxel_size": (
        "volume states no valid voxel size; lengths are in pixels.",
        "volumes state no valid voxel size; lengths are in pixels.",
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
