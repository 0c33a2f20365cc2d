"""What `clipsvd image FILE` prints."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.imaging.reading import read_frame, read_header, stored_parts
from clipsvd_app.imaging.values import Window

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.imaging.values import ImageHeader


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the reader makes of a file; rows, columns, dtype, min, max and sha256 are of the stored array.

    object_name: what a DICOM object that is no image is called, else "". overlays: graphics that may be
    drawn over it. flags: what is irregular about the file as a series
    of its own, left out of it, or said twice and differently.
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


def image_facts(path: Path, frame: int = 0) -> ImageFacts:
    """Read all of a file; the window is that of one frame, counted from 0."""
    header = read_header(path)
    window = read_frame(path, frame).window
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
        window=window,
        object_name=header.object_name,
        overlays=header.overlays,
        flags=_flags(header),
    )


def _flags(header: ImageHeader) -> tuple[str, ...]:
    from clipsvd_app.imaging.series import Member, assemble, note_flags

    if header.kind != "DICOM":
        return tuple(flag.sentence for flag in note_flags(header.notes))
    return tuple(flag.sentence for series in assemble([Member(header)]) for flag in series.flags)
