"""Irregularities of a series: a code for programs and a sentence for people. A flag is never a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FlagCode(StrEnum):
    """The kinds of irregularity; the values are part of the command line's JSON."""

    MISSING_SLICES = "missing_slices"
    IRREGULAR_SPACING = "irregular_spacing"
    DUPLICATE_SLICES = "duplicate_slices"
    REPEATED_POSITIONS = "repeated_positions"
    SHIFTED_SLICES = "shifted_slices"
    MIXED_ORIENTATION = "mixed_orientation"
    MIXED_SIZE = "mixed_size"
    MIXED_PIXEL_SPACING = "mixed_pixel_spacing"
    MIXED_PIXELS = "mixed_pixels"
    MISSING_GEOMETRY = "missing_geometry"
    MIXED_FRAMES_OF_REFERENCE = "mixed_frames_of_reference"
    MOSAIC = "mosaic"
    SAME_UID_SAME_CONTENT = "duplicate_uid_same_content"
    SAME_UID_OTHER_CONTENT = "duplicate_uid_different_content"
    UNSUPPORTED_OBJECT = "unsupported_object"
    NO_PIXELS = "no_pixels"
    NO_IMAGES = "no_images"
    HEADER_CONTRADICTED = "header_contradicted"
    SIZE_EXCHANGED = "size_exchanged"
    MISSING_VALUE = "missing_value"
    FRAMES_MISCOUNTED = "frames_miscounted"
    CUT_OFF = "cut_off"
    UNREADABLE_VALUE = "unreadable_value"
    COLOURS_LEFT_OUT = "colours_left_out"
    VALUES_EXCEED_BITS = "values_exceed_bits"
    NARROW_WINDOW = "narrow_window"
    PAGES_LEFT_OUT = "pages_left_out"
    SLIDE_LABEL_LEFT_OUT = "slide_label_left_out"
    PREVIEWS_LEFT_OUT = "previews_left_out"
    FRAMES_MISSING = "frames_missing"
    UNNAMED_DATA = "unnamed_data"
    CHANNELS_LEFT_OUT = "channels_left_out"
    COLOUR_DEPTH = "colour_depth"
    COLOUR_PROFILE = "colour_profile"
    SHEARED_GRID = "sheared_grid"
    PLACES_DISAGREE = "places_disagree"
    NO_VOXEL_SIZE = "no_voxel_size"


BREAKS_VOLUME = frozenset(
    {
        FlagCode.IRREGULAR_SPACING,
        FlagCode.MISSING_SLICES,
        FlagCode.DUPLICATE_SLICES,
        FlagCode.REPEATED_POSITIONS,
        FlagCode.SHIFTED_SLICES,
        FlagCode.MIXED_ORIENTATION,
        FlagCode.MIXED_SIZE,
        FlagCode.MIXED_PIXEL_SPACING,
        FlagCode.MIXED_PIXELS,
        FlagCode.MISSING_GEOMETRY,
        FlagCode.MIXED_FRAMES_OF_REFERENCE,
        FlagCode.MOSAIC,
        FlagCode.NO_IMAGES,
        FlagCode.SHEARED_GRID,
    }
)
"""With one of these the slices are no regular grid, and other planes must not be cut through them."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One irregularity of a series. count: how many slices, gaps or files it concerns."""

    code: FlagCode
    sentence: str
    count: int = 1
