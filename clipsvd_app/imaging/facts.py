"""The facts that `clipsvd image FILE` prints."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.domain.view import Window
from clipsvd_app.imaging.reading import read_frame, read_header, stored_parts

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.imaging.values import ImageHeader


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the reader makes of a file; rows, columns, dtype, min, max and sha256 are of the stored array.

    object_name: what a DICOM object that is no image is called, else "". overlays: graphics that may be
    drawn over it. flags: what is irregular about the file as a series of its own, left out of it, or said
    twice and differently. pixel_spacing_mm: of the frame as a whole, between rows and between columns;
    spacing_plane: where it is true if not in the patient.
    """

    kind: str
    modality: str
    photometric: str
    transfer_syntax: str
    rows: int
    columns: int
    frames: int
    dtype: str
    min: int | float
    max: int | float
    sha256: str
    window: Window
    object_name: str = ""
    overlays: int = 0
    flags: tuple[str, ...] = ()
    window_images: int = 1
    units: str = ""
    pixel_spacing_mm: tuple[float, float] | None = None
    spacing_plane: str = ""


def image_facts(
    path: Path, frame: int = 0, series_window: Window | None = None, window_images: int = 1
) -> ImageFacts:
    """Read all of a file; the window is that of one frame, counted from 0.

    series_window: see `read_frame`. window_images: how many images it was taken from.
    """
    header = read_header(path)
    shown = read_frame(path, frame, series_window)
    header = replace(header, faults=tuple(dict.fromkeys((*header.faults, *shown.faults))))
    digest, lows, highs = hashlib.sha256(), [], []
    shape: tuple[int, ...] = ()
    kind = np.dtype(np.uint8)
    for part in stored_parts(path):
        digest.update(np.ascontiguousarray(part).data)
        lows.append(np.fmin.reduce(part, axis=None).item())
        highs.append(np.fmax.reduce(part, axis=None).item())
        shape, kind = part.shape, part.dtype
    return ImageFacts(
        kind=header.kind,
        modality=header.modality,
        photometric=header.photometric,
        transfer_syntax=header.transfer_syntax,
        rows=shape[1],
        columns=shape[2],
        frames=header.frames,
        dtype=kind.name,
        min=min(lows),
        max=max(highs),
        sha256=digest.hexdigest(),
        window=shown.window,
        window_images=window_images,
        object_name=header.object_name,
        overlays=header.overlays,
        flags=_flags(header),
        units=shown.units,
        pixel_spacing_mm=shown.pixel_spacing_mm,
        spacing_plane=shown.limits.plane,
    )


def _flags(header: ImageHeader) -> tuple[str, ...]:
    from clipsvd_app.imaging.series.assembly import Member, assemble
    from clipsvd_app.imaging.series.notes import note_flags

    if header.kind != "DICOM":
        return tuple(flag.sentence for flag in note_flags(header.notes))
    return tuple(flag.sentence for series in assemble([Member(header)]) for flag in series.flags)
