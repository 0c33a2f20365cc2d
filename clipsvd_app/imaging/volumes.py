"""NIfTI, NRRD and MetaImage volumes through SimpleITK, inside a worker process."""

from __future__ import annotations

import functools
import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.errors import UserError
from clipsvd_app.imaging import refusals
from clipsvd_app.imaging.decode_worker import DecodeError, shared_pool
from clipsvd_app.imaging.presets import volume_presets
from clipsvd_app.imaging.sniffing import read_head, volume_format
from clipsvd_app.imaging.values import Frame, ImageHeader
from clipsvd_app.imaging.windows import IDENTITY_8_BIT, default_window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from clipsvd_app.imaging.values import Array


@dataclass(frozen=True, slots=True)
class Geometry:
    """The grid of a volume: voxels and millimetres along x, y, z, then values a voxel and bytes a value."""

    size: tuple[int, ...]
    spacing_mm: tuple[float, ...]
    samples: int
    sample_bytes: int


def read_volume_header(path: Path) -> ImageHeader:
    """Read the header of a volume, whose frames are the slices along its last axis."""
    grid = _geometry(path)
    columns, rows, *rest = grid.size
    frames = int(np.prod(rest, dtype=np.int64))
    refusals.refuse_too_large(path, rows, columns, frames, grid.samples * grid.sample_bytes)
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
    )


def read_volume_frame(path: Path, frame: int) -> Frame:
    """Decode one slice; refuses vectors that are not RGB."""
    header = read_volume_header(path)
    refusals.check_frame(path, frame, header.frames)
    pixels = stored_slices(path, (frame,))[0]
    if pixels.ndim == 3:
        if pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise _no_picture(path)
        return Frame(pixels, IDENTITY_8_BIT, (), False, None, header.pixel_spacing_mm, "")
    values = pixels.astype(np.float32)
    window = default_window(values, "", header.bits_stored)
    return Frame(values, window, volume_presets(window), False, None, header.pixel_spacing_mm, "")


def stored_slices(path: Path, frames: Sequence[int]) -> Array:
    """Return (len(frames), rows, columns[, samples]) as stored, little-endian."""
    slices: Array = _worked(path, decode_slices, tuple(frames))
    return slices


def decode_slices(path: str, frames: tuple[int, ...]) -> Array:
    """Decode slices; called in a worker process only."""
    status = Path(path).stat()
    return np.ascontiguousarray(_kept_volume(path, status.st_mtime_ns, status.st_size)[list(frames)])


def describe_volume(path: str) -> Geometry:
    """Read a volume's geometry without its voxels; called in a worker process only."""
    import SimpleITK

    reader = _reader(path)
    reader.ReadImageInformation()

    sample_bytes = _sample_bytes(SimpleITK.GetPixelIDValueAsString(reader.GetPixelID()))
    return Geometry(reader.GetSize(), reader.GetSpacing(), reader.GetNumberOfComponents(), sample_bytes)


@functools.lru_cache(maxsize=1)
def _kept_volume(path: str, _mtime_ns: int, _size: int) -> Array:
    """Keep the last volume, so that scrolling does not read it again for each slice."""
    import SimpleITK

    reader = _reader(path)
    image = reader.Execute()
    voxels = SimpleITK.GetArrayFromImage(image)
    _check_length(Path(path), reader, int(np.prod(image.GetSize(), dtype=np.int64)))
    axes = image.GetDimension()
    slices = voxels.reshape(-1, *voxels.shape[axes - 2 :]) if axes > 2 else voxels[np.newaxis]
    return np.asarray(slices, dtype=slices.dtype.newbyteorder("<"))


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
    length = 0
    with gzip.open(path) as inflated:
        while length < enough and (chunk := inflated.read(1024**2)):
            length += len(chunk)
    return length


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
        return shared_pool().run(function, str(path), *arguments)
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


def _no_picture(path: Path) -> UserError:
    return UserError(
        f"{path.name} holds no greyscale or RGB slices.",
        remedy="Export the volume as one value per voxel.",
        code="not_an_image",
    )
