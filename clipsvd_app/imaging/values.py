"""The values that pass between reading, displaying and training on images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from clipsvd_app.domain.view import Percentiles, Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    Array: TypeAlias = npt.NDArray[Any]
    Bytes: TypeAlias = npt.NDArray[np.uint8]

Vector: TypeAlias = tuple[float, float, float]


Presets: TypeAlias = tuple[tuple[str, Window | Percentiles], ...]


@dataclass(frozen=True, slots=True)
class Plane:
    """Where a frame lies in the patient (DICOM PS3.3 C.7.6.2.1.1), in millimetres.

    position_mm: the centre of its first pixel. row, column: unit vectors along a row and down a column.
    """

    position_mm: Vector
    row: Vector
    column: Vector

    @property
    def along_normal_mm(self) -> float:
        """The position along the normal of the plane, by which slices are sorted."""
        (a, b, c), (d, e, f), (x, y, z) = self.row, self.column, self.position_mm
        return (b * f - c * e) * x + (c * d - a * f) * y + (a * e - b * d) * z


@dataclass(frozen=True, slots=True)
class VoiLut:
    """A value-of-interest lookup table (DICOM PS3.3 C.11.2.1.1): display greys of consecutive inputs."""

    first: int
    greys: Bytes  # (entries,) already scaled to 0-255


FaultCode: TypeAlias = Literal[
    "header_contradicted",
    "size_exchanged",
    "missing_value",
    "frames_miscounted",
    "cut_off",
    "unreadable_value",
    "colours_left_out",
    "values_exceed_bits",
    "narrow_window",
]


@dataclass(frozen=True, slots=True)
class HeaderFault:
    """A wrong or unreadable value of a DICOM header; the sentences are made with the flags.

    about: the keyword of an element; of miscounted frames the numbers said and found.
    """

    code: FaultCode
    about: str = ""


Spacing: TypeAlias = tuple[float, float] | None
SpacingPlane: TypeAlias = Literal["", "at the detector", "on the film"]


@dataclass(frozen=True, slots=True)
class ScaledRegion:
    """A part of an image with a calibration of its own (an ultrasound region, DICOM PS3.3 C.8.5.5).

    left, top, right, bottom: in pixels, the last two just beyond it. spacing_mm: between rows and between
    columns, None where it shows something other than lengths.
    """

    left: float
    top: float
    right: float
    bottom: float
    spacing_mm: Spacing

    def holds(self, column: float, row: float) -> bool:
        """Whether a point is in it."""
        return self.left <= column <= self.right and self.top <= row <= self.bottom


@dataclass(frozen=True, slots=True)
class ScaleLimits:
    """Where and in what plane the pixel spacing of an image is true.

    plane: where lengths are true if not in the patient. regions: parts with scales of their own; outside of
    them nothing is measured. aspect: how much farther apart rows are than columns, where no spacing says it.
    """

    plane: SpacingPlane = ""
    regions: tuple[ScaledRegion, ...] = ()
    aspect: float = 1.0

    def spacing_at(self, points: Sequence[tuple[float, float]], spacing_mm: Spacing) -> Spacing:
        """Return the spacing that holds at all of some (column, row) points, None where none does.

        spacing_mm: that of the whole picture. With regions the points must lie in one together, and regions
        that lie over one another must agree.
        """
        if not self.regions:
            return spacing_mm
        around = [region for region in self.regions if all(region.holds(*point) for point in points)]
        scales = {region.spacing_mm for region in around}
        return scales.pop() if len(scales) == 1 else None


UNLIMITED: Final = ScaleLimits()

Edges: TypeAlias = tuple[str, str, str, str]
"""The patient's sides at left, top, right and bottom of an image, each "" where it is not known."""


@dataclass(frozen=True, slots=True)
class FramePlace:
    """Where a frame lies in the patient, as far as its file says so. Lengths in millimetres.

    along_mm: along the normal of the plane. spacing_mm: between slices, as the file states it.
    """

    edges: Edges | None = None
    along_mm: float | None = None
    thickness_mm: float | None = None
    spacing_mm: float | None = None


NOWHERE: Final = FramePlace()


NoteCode: TypeAlias = Literal[
    "pages_left_out",
    "slide_label_left_out",
    "previews_left_out",
    "frames_missing",
    "unnamed_data",
    "channels_left_out",
    "colour_depth",
    "colour_profile",
    "sheared_grid",
    "places_disagree",
    "no_voxel_size",
]


@dataclass(frozen=True, slots=True)
class FileNote:
    """Something left out of a file or contradictory in it; the sentences are made with the flags.

    count: pages, pictures or channels, or 1 where the file as a whole is meant.
    """

    code: NoteCode
    count: int = 1


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """The header of an image, read without decoding pixels.

    kind: DICOM, volume, or one of `sniffing.PICTURES`. modality: the DICOM code, "OT" or "" elsewhere.
    transfer_syntax: a UID, or the name of a picture's codec. The UIDs are for grouping; patient_id,
    patient_name and study_order (date and time) may be shown and sorted by, and are never stored.
    pixel_spacing_mm: between rows, between columns. units: "HU", "US" and the like.
    object_name: what a DICOM object that is no image is called ("a segmentation"), "" for images;
    frames is 0 when it holds no pixels. planes: one for each frame, or none where the file does not say.
    overlays: how many graphic overlays the file carries. frame_of_reference_uid: what planes are said in.
    slice_location_mm: Slice Location (PS3.3 C.7.6.2.1.2), where a file says it. is_mosaic: each frame shows
    several slices side by side, as Siemens writes functional MR. quadruped: the axes are an animal's.
    faults: where the header contradicts the pixel data or cannot be read.
    notes: what is left out of the file, or said twice and differently.
    """

    kind: str
    modality: str
    photometric: str
    transfer_syntax: str
    rows: int
    columns: int
    frames: int
    bits_stored: int
    pixel_spacing_mm: tuple[float, float] | None = None
    study_uid: str = ""
    series_uid: str = ""
    instance_uid: str = ""
    patient_id: str = ""
    patient_name: str = ""
    study_order: str = ""
    body_part: str = ""
    planes: tuple[Plane | None, ...] = ()
    instance_number: int = 0
    burned_in_text_likely: bool = False
    units: str = ""
    object_name: str = ""
    overlays: int = 0
    frame_of_reference_uid: str = ""
    slice_location_mm: float | None = None
    is_mosaic: bool = False
    quadruped: bool = False
    faults: tuple[HeaderFault, ...] = ()
    notes: tuple[FileNote, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded frame, ready to window.

    pixels: (rows, columns) float32 after the modality transformation, or (rows, columns, 3) uint8 RGB.
    tables: the header's own tables, each under the window that stands for it and is its handle: a frame shown
    in that window is shown through the table. presets: other windows by name.
    by_pixels: only this frame's own pixels gave the window, so that a series shows another in its place (see
    `series_window`).
    faults: what is wrong with the header, as far as this frame and its pixels show it.
    limits: where the pixel spacing is true.
    """

    pixels: Array
    window: Window
    presets: Presets
    inverted: bool
    padding: float | None
    pixel_spacing_mm: tuple[float, float] | None
    units: str
    tables: tuple[tuple[Window, VoiLut], ...] = ()
    by_pixels: bool = False
    faults: tuple[HeaderFault, ...] = ()
    limits: ScaleLimits = UNLIMITED
    place: FramePlace = NOWHERE

    def table_of(self, window: Window | None) -> VoiLut | None:
        """Return the table of a window; None means the frame's own window."""
        return dict(self.tables).get(self.window if window is None else window)


def notes_of(counts: Mapping[NoteCode, int]) -> tuple[FileNote, ...]:
    """Return a note for each count above zero."""
    return tuple(FileNote(code, count) for code, count in counts.items() if count > 0)
