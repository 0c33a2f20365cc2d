"""NIfTI, NRRD and MetaImage volumes, inside a worker process; the latter two through SimpleITK."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.dicom.geometry import plane_of
from clipsvd_app.imaging.display.sides import edges_along
from clipsvd_app.imaging.display.windows import IDENTITY_8_BIT, default_window, volume_presets
from clipsvd_app.imaging.formats.described import on_black
from clipsvd_app.imaging.formats.nifti import describe_nifti, nifti_slices
from clipsvd_app.imaging.formats.volume_headers import (
    TextHeader,
    read_text_header,
    refuse_data_files,
    refuse_encoding,
    refuse_sizes,
)
from clipsvd_app.imaging.formats.voxel_grid import Geometry, are_square
from clipsvd_app.imaging.guard import refusals
from clipsvd_app.imaging.guard.decode_worker import DecodeError, LastFile, bounded, shared_pool
from clipsvd_app.imaging.signature import read_head, volume_format
from clipsvd_app.imaging.values import Frame, FramePlace, ImageHeader, notes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.imaging.values import Array, Plane


_READERS = {"NRRD": "NrrdImageIO", "MetaImage": "MetaImageIO"}
MOST_BYTES = 768 * 1024**2
"""A worker holds a volume whole, and twice while it is read: 1,536 slices of 512 x 512 x 16 bits."""


def read_volume_header(path: Path) -> ImageHeader:
    """Read the header of a volume, whose frames are the slices along its last axis."""
    return _header_of(path, volume_geometry(path))


def _header_of(path: Path, grid: Geometry) -> ImageHeader:
    columns, rows, *rest = grid.size
    frames = math.prod(rest)
    voxel_bytes = grid.samples * grid.sample_bytes
    refusals.refuse_too_large(path, rows, columns, frames, voxel_bytes)
    if rows * columns * frames * voxel_bytes > MOST_BYTES:
        raise _too_large(path)
    if grid.samples > 1 and (grid.samples not in (3, 4) or grid.sample_bytes != 1):
        raise _no_picture(path, grid.samples)
    return ImageHeader(
        kind="volume",
        modality="OT",
        photometric="RGB" if grid.samples > 1 else "MONOCHROME2",
        transfer_syntax=volume_format(read_head(path)),
        rows=rows,
        columns=columns,
        frames=frames,
        bits_stored=8 * grid.sample_bytes,
        pixel_spacing_mm=(grid.spacing_mm[1], grid.spacing_mm[0]) if grid.spacing_mm else None,
        planes=_planes(grid, frames),
        notes=grid.notes,
    )


def _planes(grid: Geometry, frames: int) -> tuple[Plane | None, ...]:
    """Return where each slice lies in the patient, () where the file does not say."""
    if len(grid.axes) < 3 or len(grid.spacing_mm) < 3:
        return ()
    row, column, through = grid.axes[:3]
    step_mm, depth = grid.spacing_mm[2], grid.size[2] if len(grid.size) > 2 else 1
    places = [
        [start + (frame % depth) * step_mm * way for start, way in zip(grid.origin_mm, through, strict=False)]
        for frame in range(frames)
    ]
    return tuple(plane_of(place, (*row, *column)) for place in places)


def read_volume_frame(path: Path, frame: int) -> Frame:
    """Decode one slice, rescaled as its header says, transparency laid over black."""
    grid = volume_geometry(path)
    header = _header_of(path, grid)
    refusals.check_frame(path, frame, header.frames)
    pixels = stored_slices(path, header, (frame,))[0]
    if pixels.ndim == 3:
        colours = pixels if pixels.shape[2] == 3 else on_black(pixels[:, :, :3], pixels[:, :, 3])
        return Frame(
            colours,
            IDENTITY_8_BIT,
            (),
            False,
            None,
            header.pixel_spacing_mm,
            "",
            place=_place(grid, header, frame),
        )
    slope, intercept = grid.rescale
    plain = (slope, intercept) == (1.0, 0.0)
    values = (pixels if plain else pixels * np.float64(slope) + intercept).astype(np.float32)
    window, by_pixels = default_window(values, "", header.bits_stored if plain else None)
    return Frame(
        values,
        window,
        volume_presets(window),
        False,
        None,
        header.pixel_spacing_mm,
        "",
        by_pixels=by_pixels,
        place=_place(grid, header, frame),
    )


def _place(grid: Geometry, header: ImageHeader, frame: int) -> FramePlace:
    plane = header.planes[frame] if frame < len(header.planes) else None
    turned = plane_of((0.0, 0.0, 0.0), (*grid.axes[0], *grid.axes[1])) if len(grid.axes) > 2 else None
    return FramePlace(
        edges=None if turned is None else edges_along(turned.row, turned.column),
        along_mm=None if plane is None else plane.along_normal_mm,
        spacing_mm=grid.spacing_mm[2] if len(grid.spacing_mm) > 2 and header.frames > 1 else None,
    )


def stored_slices(path: Path, header: ImageHeader, frames: Sequence[int]) -> Array:
    """Return (len(frames), rows, columns[, samples]) as stored, little-endian."""
    megavoxels = header.rows * header.columns * header.frames / 1e6
    slices: Array = _worked(path, decode_slices, tuple(frames), megavoxels)
    return slices


def decode_slices(path: str, frames: tuple[int, ...], megavoxels: float) -> Array:
    """Decode slices; called in a worker process only. megavoxels: of all of the volume."""
    nifti = volume_format(read_head(Path(path))) == "NIfTI"
    if not nifti:
        import SimpleITK  # noqa: F401 - loads now, so that only decoding counts

    _LAST.make_room(path)
    with bounded(megavoxels):
        slices = nifti_slices(path) if nifti else _LAST.of(path)[0]
        chosen = slices[list(frames)]
        return np.ascontiguousarray(chosen, dtype=chosen.dtype.newbyteorder("<"))


def describe_volume(path: str) -> Geometry:
    """Read a volume's geometry without its voxels; called in a worker process only."""
    file, kind = Path(path), volume_format(read_head(Path(path)))
    if kind == "NIfTI":
        with bounded(megapixels=0):
            return describe_nifti(file)
    import SimpleITK

    with bounded(megapixels=0):
        header = read_text_header(file, kind)
        refuse_data_files(file, header)
        refuse_encoding(file, header)
        refuse_sizes(file, header)
        reader = _reader(path)
        reader.ReadImageInformation()
        sample_bytes = _sample_bytes(SimpleITK.GetPixelIDValueAsString(reader.GetPixelID()))
        found = Geometry(reader.GetSize(), reader.GetSpacing(), reader.GetNumberOfComponents(), sample_bytes)
        return _with_place(found, reader, header)


def _with_place(grid: Geometry, reader: Any, header: TextHeader) -> Geometry:  # noqa: ANN401
    """Return the grid's place only if the header states it; SimpleITK gives any grid an identity matrix."""
    origin: tuple[float, ...] = ()
    axes: tuple[tuple[float, ...], ...] = ()
    sheared = False
    if header.in_patient and reader.GetDimension() >= 3:
        width, numbers = reader.GetDimension(), reader.GetDirection()
        found = np.array([[numbers[place * width + axis] for axis in range(3)] for place in range(3)])
        sheared = not are_square(found)
        if not sheared:
            origin, axes = tuple(reader.GetOrigin()[:3]), tuple(tuple(axis) for axis in found.T.tolist())
    notes = notes_of(
        {
            "sheared_grid": int(sheared),
            "places_disagree": int(header.disagrees),
            "no_voxel_size": int(not header.sized),
        }
    )
    spacing = grid.spacing_mm if header.sized else ()
    return replace(grid, spacing_mm=spacing, origin_mm=origin, axes=axes, notes=notes)


def _read_volume(path: str) -> tuple[Array, Any]:
    """Return all slices, and the image that owns their memory."""
    import SimpleITK

    image = _reader(path).Execute()
    voxels = SimpleITK.GetArrayViewFromImage(image)
    axes = image.GetDimension()
    slices = voxels.reshape(-1, *voxels.shape[axes - 2 :]) if axes > 2 else voxels[np.newaxis]
    return slices, image


_LAST = LastFile(_read_volume)


def _reader(path: str) -> Any:  # noqa: ANN401 - SimpleITK has no types
    import SimpleITK

    # ITK prints its warnings, which quote the file.
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    reader = SimpleITK.ImageFileReader()
    reader.SetImageIO(_READERS[volume_format(read_head(Path(path)))])  # by content; its own choice is by name
    reader.SetFileName(path)
    return reader


def _sample_bytes(pixel_type: str) -> int:
    for bits in (8, 16, 32, 64):
        if f"{bits}-bit" in pixel_type:
            return bits // 8
    # Any other type: the largest, so that limits of memory hold.
    return 8


def volume_geometry(path: Path) -> Geometry:
    """Return the grid of a volume; refuses what is no grid."""
    geometry: Geometry = _worked(path, describe_volume)
    if len(geometry.size) < 2 or min(geometry.size) < 1:
        raise refusals.damaged(path)
    return geometry


def _worked(path: Path, function: Any, *arguments: object) -> Any:  # noqa: ANN401
    try:
        return shared_pool().run_on_file(path, function, *arguments)
    except DecodeError as error:
        raise refusals.damaged(path) from error


def _too_large(path: Path) -> UserError:
    return UserError(
        f"{path.name} is a volume larger than 768 MB.",
        remedy="Crop it, or save it with fewer bytes per voxel.",
        code="too_large",
    )


def _no_picture(path: Path, samples: int) -> UserError:
    return UserError(
        f"{path.name} has {samples} values per voxel, not greyscale or RGB slices.",
        remedy="Save each value as a separate volume.",
        code="not_an_image",
    )
