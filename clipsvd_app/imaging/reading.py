"""The entry point for every kind of image: find the kind by content, then call its reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.imaging.display.greys import rgb_of, to_display
from clipsvd_app.imaging.signature import sniff
from clipsvd_app.imaging.values import Frame, ImageHeader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clipsvd_app.domain.view import Crop, Window
    from clipsvd_app.imaging.dicom.pixel_data.overlays import Overlay
    from clipsvd_app.imaging.values import Array, Bytes

# Raise this whenever the same file would give other pixels, greys or windows than before: no thumbnail and no
# feature of the older reading is taken for one of the newer.
PIXELS_VERSION = 4
# Bounds memory; a worker's answer is pickled whole.
_BYTES_AT_ONCE = 64 * 1024**2


def read_header(path: Path) -> ImageHeader:
    """Read the header of an image, without decoding pixels; refuses anything that is no image."""
    kind = sniff(path)
    if kind == "DICOM":
        from clipsvd_app.imaging.dicom.header import read_dicom_header

        return read_dicom_header(path)
    if kind == "volume":
        from clipsvd_app.imaging.formats.volumes import read_volume_header

        return read_volume_header(path)
    from clipsvd_app.imaging.formats.images import read_picture_header

    return read_picture_header(path, kind)


def read_object_header(path: Path) -> ImageHeader:
    """Read a header as `read_header` does, of DICOM objects without pixels too: they have 0 frames."""
    if sniff(path) == "DICOM":
        from clipsvd_app.imaging.dicom.header import read_dicom_object

        return read_dicom_object(path)
    return read_header(path)


@dataclass(frozen=True, slots=True)
class Look:
    """A file that was looked into: its header, and how its first frame is decoded from the same reading.

    gives_window: the header or the kind of image gives the window of that frame. False says nothing of DICOM
    frames, whose pixels may give it.
    """

    header: ImageHeader
    first_frame: Callable[[], Frame]
    gives_window: bool


def look_into(path: Path) -> Look:
    """Read a header as `read_object_header` does; its first frame is decoded from the same reading."""
    kind = sniff(path)
    if kind == "DICOM":
        from clipsvd_app.imaging.dicom.dataset import read_object
        from clipsvd_app.imaging.dicom.header import object_header
        from clipsvd_app.imaging.dicom.pixel_data.pixels import decode_frame, gives_window

        dataset, has_pixels = read_object(path)
        header = object_header(path, dataset, has_pixels)
        return Look(
            header, partial(decode_frame, path, dataset, 0), has_pixels and gives_window(path, dataset, 0)
        )
    if kind == "volume":
        from clipsvd_app.imaging.formats.volumes import read_volume_frame, read_volume_header

        return Look(read_volume_header(path), partial(read_volume_frame, path, 0), False)
    from clipsvd_app.imaging.formats.images import read_picture

    header, frame = read_picture(path, kind)
    return Look(header, lambda: frame, not frame.by_pixels)


def read_overlays(path: Path, frame: int = 0) -> tuple[Overlay, ...]:
    """Return the graphic overlays of a frame, () for what is no DICOM."""
    if sniff(path) != "DICOM":
        return ()
    from clipsvd_app.imaging.dicom.pixel_data.pixels import read_dicom_overlays

    return read_dicom_overlays(path, frame)


def read_frame(path: Path, frame: int = 0, series_window: Window | None = None) -> Frame:
    """Decode one frame, counted from 0, ready to window.

    series_window: stands in for a window that only the frame's own pixels would give.
    """
    found = _decoded(path, frame)
    if series_window is None or not found.by_pixels:
        return found
    return replace(found, window=series_window)


def _decoded(path: Path, frame: int) -> Frame:
    kind = sniff(path)
    if kind == "DICOM":
        from clipsvd_app.imaging.dicom.pixel_data.pixels import read_dicom_frame

        return read_dicom_frame(path, frame)
    if kind == "volume":
        from clipsvd_app.imaging.formats.volumes import read_volume_frame

        return read_volume_frame(path, frame)
    from clipsvd_app.imaging.formats.images import read_picture_frame

    return read_picture_frame(path, kind, frame)


def read_stored(path: Path) -> Array:
    """Return the exact stored array, (frames, rows, columns[, samples]), little-endian, before rescale.

    The codec's own colour transform is undone and bits above Bits Stored are sign- or zero-extended;
    nothing else is converted.
    """
    return np.concatenate(list(stored_parts(path)))


def stored_parts(path: Path) -> Iterator[Array]:
    """Yield the stored array in runs of frames of at most 64 MB or one frame, to bound memory."""
    header = read_header(path)
    frame_bytes = header.rows * header.columns * max(1, header.bits_stored // 8) * 3
    at_once = max(1, _BYTES_AT_ONCE // max(1, frame_bytes))
    for start in range(0, header.frames, at_once):
        yield _stored_run(path, header, range(start, min(header.frames, start + at_once)))


def open_as_rgb(
    path: Path,
    frame: int = 0,
    window: Window | None = None,
    crop: Crop | None = None,
    series_window: Window | None = None,
) -> Bytes:
    """Return (rows, columns, 3) uint8: what the model sees of a frame."""
    return rgb_of(to_display(read_frame(path, frame, series_window), window, crop=crop))


def _stored_run(path: Path, header: ImageHeader, frames: range) -> Array:
    if header.kind == "DICOM":
        from clipsvd_app.imaging.dicom.dataset import read_dataset
        from clipsvd_app.imaging.dicom.pixel_data.frames import stored_frames

        return stored_frames(path, read_dataset(path), frames)[0]
    if header.kind == "volume":
        from clipsvd_app.imaging.formats.volumes import stored_slices

        return stored_slices(path, header, frames)
    from clipsvd_app.imaging.formats.images import stored_pictures

    return stored_pictures(path, header, frames)
