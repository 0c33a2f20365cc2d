"""NIfTI, NRRD and MetaImage volumes through SimpleITK, inside a worker process."""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clipsvd_app.errors import UserError
from clipsvd_app.imaging import refusals
from clipsvd_app.imaging.decode_worker import DecodeError, LastFile, bounded, shared_pool
from clipsvd_app.imaging.dicom_planes import plane_of
from clipsvd_app.imaging.presets import volume_presets
from clipsvd_app.imaging.sniffing import read_head, volume_format
from clipsvd_app.imaging.values import Frame, ImageHeader
from clipsvd_app.imaging.windows import IDENTITY_8_BIT, default_window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.imaging.values import Array, Plane


MOST_BYTES = 768 * 1024**2
"""A worker holds a volume whole, and twice while it is read: 1,536 slices of 512 x 512 x 16 bits."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """The grid of a volume: voxels and millimetres along x, y, z, then values a voxel and bytes a value.

    origin_mm, axes: the first voxel's centre and the unit vectors of x, y and z in the patient (DICOM's
    axes, as PS3.3 C.7.6.2.1.1), () where the file does not say how it lies.
    """

    size: tuple[int, ...]
    spacing_mm: tuple[float, ...]
    samples: int
    sample_bytes: int
    origin_mm: tuple[float, ...] = ()
    axes: tuple[tuple[float, ...], ...] = ()


def read_volume_header(path: Path) -> ImageHeader:
    """Read the header of a volume, whose frames are the slices along its last axis."""
    grid = _geometry(path)
    columns, rows, *rest = grid.size
    frames = int(np.prod(rest, dtype=np.int64))
    voxel_bytes = grid.samples * grid.sample_bytes
    refusals.refuse_too_large(path, rows, columns, frames, voxel_bytes)
    if rows * columns * frames * voxel_bytes > MOST_BYTES:
        raise _too_large(path)
    return ImageHeader(
        kind="volume",
        modality="OT",
        photometric="RGB" if grid.samples == 3 else "MONOCHROME2",
        transfer_syntax=volume_format(read_head(path)),
        rows=rows,
        columns=columns,
        frames=frames,
        bits_stored=8 * grid.sample_bytes,
        pixel_spacing_mm=(grid.spacing_mm[1], grid.spacing_mm[0]),
        planes=_planes(grid, frames),
    )


def _planes(grid: Geometry, frames: int) -> tuple[Plane | None, ...]:
    """Return where each slice lies in the patient, () where the file does not say."""
    if len(grid.axes) < 3:
        return ()
    row, column, through = grid.axes[:3]
    step_mm, depth = grid.spacing_mm[2], grid.size[2]
    places = [
        [start + (frame % depth) * step_mm * way for start, way in zip(grid.origin_mm, through, strict=False)]
        for frame in range(frames)
    ]
    return tuple(plane_of(place, (*row, *column)) for place in places)


def read_volume_frame(path: Path, frame: int) -> Frame:
    """Decode one slice; refuses vectors that are not RGB."""
    header = read_volume_header(path)
    refusals.check_frame(path, frame, header.frames)
    pixels = stored_slices(path, header, (frame,))[0]
    if pixels.ndim == 3:
        if pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise _no_picture(path)
        return Frame(pixels, IDENTITY_8_BIT, (), False, None, header.pixel_spacing_mm, "")
    values = pixels.astype(np.float32)
    window, by_pixels = default_window(values, "", header.bits_stored)
    return Frame(
        values,
        window,
        volume_presets(window),
        False,
        None,
        header.pixel_spacing_mm,
        "",
        by_pixels=by_pixels,
    )


def stored_slices(path: Path, header: ImageHeader, frames: Sequence[int]) -> Array:
    """Return (len(frames), rows, columns[, samples]) as stored, little-endian."""
    megavoxels = header.rows * header.columns * header.frames / 1e6
    slices: Array = _worked(path, decode_slices, tuple(frames), megavoxels)
    return slices


def decode_slices(path: str, frames: tuple[int, ...], megavoxels: float) -> Array:
    """Decode slices; called in a worker process only. megavoxels: of all of the volume."""
    import SimpleITK  # noqa: F401 - loads now, so that only decoding counts

    _LAST.make_room(path)
    with bounded(megavoxels):
        chosen = _LAST.of(path)[0][list(frames)]
        return np.ascontiguousarray(chosen, dtype=chosen.dtype.newbyteorder("<"))


def describe_volume(path: str) -> Geometry:
    """Read a volume's geometry without its voxels; called in a worker process only."""
    import SimpleITK

    with bounded(megapixels=0):
        reader = _reader(path)
        reader.ReadImageInformation()
        sample_bytes = _sample_bytes(SimpleITK.GetPixelIDValueAsString(reader.GetPixelID()))
        origin, axes = _place(reader)
        return Geometry(
            reader.GetSize(), reader.GetSpacing(), reader.GetNumberOfComponents(), sample_bytes, origin, axes
        )


def _place(reader: Any) -> tuple[tuple[float, ...], tuple[tuple[float, ...], ...]]:  # noqa: ANN401
    """Return origin and axes of a NIfTI file whose affine is that of a patient, else ((), ()).

    A file of neither qform nor sform has voxels alone; SimpleITK would make an unturned patient of it.
    """
    codes = [
        reader.GetMetaData(key).strip() for key in ("qform_code", "sform_code") if reader.HasMetaDataKey(key)
    ]
    if not any(code not in ("", "0") for code in codes) or reader.GetDimension() < 3:
        return (), ()
    width, numbers = reader.GetDimension(), reader.GetDirection()
    axes = tuple(tuple(numbers[place * width + axis] for place in range(3)) for axis in range(3))
    return tuple(reader.GetOrigin()[:3]), axes


def _read_volume(path: str) -> tuple[Array, Any]:
    """Return all slices, and the image whose own memory they are."""
    import SimpleITK

    reader = _reader(path)
    image = reader.Execute()
    _check_length(Path(path), reader, int(np.prod(image.GetSize(), dtype=np.int64)))
    voxels = SimpleITK.GetArrayViewFromImage(image)
    axes = image.GetDimension()
    slices = voxels.reshape(-1, *voxels.shape[axes - 2 :]) if axes > 2 else voxels[np.newaxis]
    return slices, image


_LAST = LastFile(_read_volume)


def _check_length(path: Path, reader: Any, voxels: int) -> None:  # noqa: ANN401
    """Raise ValueError for a NIfTI file that is cut off, which SimpleITK would fill with zeros."""
    if not (reader.HasMetaDataKey("vox_offset") and reader.HasMetaDataKey("bitpix")):
        return
    start, bits = (int(float(reader.GetMetaData(key))) for key in ("vox_offset", "bitpix"))
    needed = start + voxels * bits // 8
    if _length(path, needed) < needed and not path.name.endswith(".hdr"):
        raise ValueError("the file ends before its voxels do")


def _length(path: Path, enough: int) -> int:
    """Count the bytes of a file, inflated if it is gzipped, as far as `enough`."""
    with path.open("rb") as file:
        if file.read(2) != b"\x1f\x8b":
            return path.stat().st_size
    if _said_length(path) == enough:
        return enough
    length = 0
    with gzip.open(path) as inflated:
        while length < enough and (chunk := inflated.read(1024**2)):
            length += len(chunk)
    return length


def _said_length(path: Path) -> int:
    """Return the length that the end of a gzipped file states (RFC 1952, ISIZE)."""
    with path.open("rb") as file:
        file.seek(-4, os.SEEK_END)
        return int.from_bytes(file.read(4), "little")


def _reader(path: str) -> Any:  # noqa: ANN401 - SimpleITK has no types
    import SimpleITK

    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(path)
    return reader


def _sample_bytes(pixel_type: str) -> int:
    for bits in (8, 16, 32, 64):
        if f"{bits}-bit" in pixel_type:
            return bits // 8
    return 8


def _geometry(path: Path) -> Geometry:
    _refuse_foreign_data_file(path)
    geometry: Geometry = _worked(path, describe_volume)
    if len(geometry.size) < 2 or min(geometry.size) < 1:
        raise _no_picture(path)
    return geometry


def _worked(path: Path, function: Any, *arguments: object) -> Any:  # noqa: ANN401
    try:
        return shared_pool().run_on_file(path, function, *arguments)
    except DecodeError as error:
        raise refusals.damaged(path) from error


def _refuse_foreign_data_file(path: Path) -> None:
    """Refuse headers that name a data file outside their own folder."""
    for line in read_head(path).decode("latin-1").splitlines():
        name, _, value = line.partition("=" if "=" in line else ":")
        named = name.strip().lower() in ("elementdatafile", "data file", "datafile")
        if named and any(sign in value for sign in ("/", "\\", "..", ":")):
            raise UserError(
                f"{path.name} keeps its voxels in another folder.",
                remedy="Put the header and its data file into one folder, or save them as one file.",
                code="foreign_data_file",
            )


def _too_large(path: Path) -> UserError:
    return UserError(
        f"{path.name} is a volume of more than 768 MB.",
        remedy="Crop it, or save it with fewer bytes a voxel.",
        code="too_large",
    )


def _no_picture(path: Path) -> UserError:
    return UserError(
        f"{path.name} holds no greyscale or RGB slices.",
        remedy="Export the volume as one value per voxel.",
        code="not_an_image",
    )
