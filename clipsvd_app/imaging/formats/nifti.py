"""NIfTI-1 and NIfTI-2 volumes (nifti.nimh.nih.gov), single files and pairs; in a worker only.

Read here and not by a library, because SimpleITK rejects files with a sheared affine, voxels included.
"""

from __future__ import annotations

import gzip
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from clipsvd_app.imaging.formats.voxel_grid import Geometry, are_square, axes_of
from clipsvd_app.imaging.guard import refusals
from clipsvd_app.imaging.guard.decode_worker import LastFile
from clipsvd_app.imaging.opened import opened
from clipsvd_app.imaging.values import FileNote, notes_of

if TYPE_CHECKING:
    from clipsvd_app.imaging.values import Array

# By the codes of nifti1.h; 128 and 2304 are RGB and RGBA.
_DTYPES = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    128: "u1",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
    2304: "u1",
}
_COLOURS = {128: 3, 2304: 4}
_REFUSED = {
    1: "has one bit per voxel",
    32: "contains complex numbers",
    1536: "contains 128-bit numbers",
    1792: "contains complex numbers",
    2048: "contains complex numbers",
}
# SYMMATRIX, DISPVECT, VECTOR, POINTSET, RGB_VECTOR and RGBA_VECTOR of nifti1.h.
_VECTOR_INTENTS = (1005, 1006, 1007, 1008, 2003, 2004)
# Units of space: 1 metre, 3 micrometre; 2 and unknown are taken for millimetres.
_MM_PER_UNIT = {1: 1000.0, 3: 0.001}
# NIfTI's axes point right, anterior, superior; DICOM's left, posterior, superior.
_TO_LPS = np.array([-1.0, -1.0, 1.0])
_GZIP = b"\x1f\x8b"
# Headers state voxel sizes in float32 and affines after rounding: 1 % is still the same size.
_SAME = 0.01


@dataclass(frozen=True, slots=True)
class _Header:
    """pixdim: qfac first. quaternion: b, c, d and the offsets of x, y, z. affine: the three rows of sform."""

    order: Literal["<", ">"]
    dim: tuple[int, ...]
    intent: int
    datatype: int
    pixdim: tuple[float, ...]
    start: int
    slope: float
    intercept: float
    units: int
    forms: tuple[int, int]
    quaternion: tuple[float, ...]
    affine: tuple[float, ...]
    single: bool

    @property
    def samples(self) -> int:
        return _COLOURS.get(self.datatype, 1)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        return np.dtype(_DTYPES[self.datatype]).newbyteorder(self.order)


def describe_nifti(path: Path) -> Geometry:
    """Read the grid; refuses voxel types that are no image, and pairs without their voxel file."""
    header = _read_header(path)
    if header.datatype not in _DTYPES:
        what = _REFUSED.get(header.datatype, f"has voxels of NIfTI type {header.datatype}")
        raise refusals.unsupported(path, what, "Save it with integers or 32-bit floating-point numbers.")
    values = header.dim[4] if len(header.dim) > 4 else 1
    if header.intent in _VECTOR_INTENTS and values > 1:
        raise refusals.unsupported(path, f"has {values} values per voxel", "Save each as a separate volume.")
    data = _data_file(path, header)
    matrix, notes = _placed(header)
    spacing, known = _spacing_mm(header, matrix)
    behind = _slices_behind(data, header)
    origin, axes = ((), ()) if matrix is None else axes_of(matrix)
    return Geometry(
        size=header.dim,
        spacing_mm=spacing,
        samples=header.samples,
        sample_bytes=header.dtype.itemsize,
        origin_mm=origin,
        axes=axes,
        rescale=_rescale(header),
        notes=(*notes, *notes_of({"no_voxel_size": int(not known), "unnamed_data": behind})),
    )


def read_fields(path: Path) -> tuple[bytes, dict[str, object]]:
    """Return the first bytes of a header and its fields by name, as they are stored."""
    header = _read_header(path)
    return _head(path), {
        "dim": header.dim,
        "datatype": header.datatype,
        "pixdim": header.pixdim,
        "units": header.units,
        "intent_code": header.intent,
        "scl_slope": header.slope,
        "scl_inter": header.intercept,
        "qform_code": header.forms[0],
        "sform_code": header.forms[1],
        "quatern and qoffset": header.quaternion,
        "srow": header.affine,
        "vox_offset": header.start,
        "byte order": "little" if header.order == "<" else "big",
    }


def nifti_slices(path: str) -> Array:
    """Return (slices, rows, columns[, samples]) as stored; slices by their number along all further axes."""
    return _LAST.of(path)


def _read_slices(path: str) -> Array:
    header = _read_header(Path(path))
    columns, rows, *rest = header.dim
    shape = (int(np.prod(rest, dtype=np.int64)), rows, columns, header.samples)
    count = int(np.prod(shape, dtype=np.int64))
    data = _data_file(Path(path), header)
    if _is_gzipped(data):
        stored = np.frombuffer(_inflated(data, header.start, count * header.dtype.itemsize), header.dtype)
    else:
        with opened(data) as file:
            file.seek(header.start)
            stored = np.fromfile(file, header.dtype, count)
        if stored.size < count:
            raise EOFError("the file ends before its voxels do")
    return stored.reshape(shape if header.samples > 1 else shape[:3])


_LAST = LastFile(_read_slices)


def _inflated(data: Path, start: int, length: int) -> bytes:
    """Return the voxels of a gzipped file; what follows them is read too, so that its checksum counts."""
    with opened(data) as packed, gzip.open(packed) as file:
        left = start
        while left and (skipped := len(file.read(min(left, 1024**2)))):
            left -= skipped
        content = file.read(length)
        if len(content) < length:
            raise EOFError("the file ends before its voxels do")
        file.read(1)  # reaching the end makes gzip check its checksum
    return content


def _is_gzipped(path: Path) -> bool:
    with opened(path) as file:
        return file.read(2) == _GZIP


def _head(path: Path) -> bytes:
    if _is_gzipped(path):
        with opened(path) as file, gzip.open(file) as inflated:
            return inflated.read(540)
    with opened(path) as file:
        return file.read(540)


def _read_header(path: Path) -> _Header:
    content = _head(path)
    order: Literal["<", ">"] = "<" if content[:4] in (b"\x5c\x01\0\0", b"\x1c\x02\0\0") else ">"
    if content[4:7] in (b"n+2", b"ni2"):
        return _second(content, order)
    if not 1 <= struct.unpack_from(order + "h", content, 40)[0] <= 7:  # the size at byte 0 may be wrong
        order = "<" if order == ">" else ">"
    return _first(content, order)


def _first(content: bytes, order: Literal["<", ">"]) -> _Header:
    # Offsets of nifti1.h; those of NIfTI-2 below are of nifti2.h.
    dim = struct.unpack_from(order + "8h", content, 40)
    intent, datatype = struct.unpack_from(order + "hh", content, 68)
    pixdim = struct.unpack_from(order + "8f", content, 76)
    start, slope, intercept = struct.unpack_from(order + "3f", content, 108)
    forms = struct.unpack_from(order + "hh", content, 252)
    numbers = struct.unpack_from(order + "18f", content, 256)
    single = content[344:347] == b"n+1"
    # A single file has its voxels after the header of 348 bytes and 4 bytes of extension flags; in NIfTI-2
    # 544.
    least = 352 if single else 0
    return _Header(
        order=order,
        dim=_sides(dim),
        intent=intent,
        datatype=datatype,
        pixdim=pixdim,
        start=max(least, int(start)) if np.isfinite(start) else least,
        slope=slope,
        intercept=intercept,
        # The lower three bits are the unit of space.
        units=content[123] & 7,
        forms=(forms[0], forms[1]),
        quaternion=numbers[:6],
        affine=numbers[6:],
        single=single,
    )


def _second(content: bytes, order: Literal["<", ">"]) -> _Header:
    (datatype,) = struct.unpack_from(order + "h", content, 12)
    dim = struct.unpack_from(order + "8q", content, 16)
    pixdim = struct.unpack_from(order + "8d", content, 104)
    start, slope, intercept = struct.unpack_from(order + "qdd", content, 168)
    forms = struct.unpack_from(order + "ii", content, 344)
    numbers = struct.unpack_from(order + "18d", content, 352)
    units, intent = struct.unpack_from(order + "ii", content, 500)
    single = content[4:7] == b"n+2"
    return _Header(
        order=order,
        dim=_sides(dim),
        intent=intent,
        datatype=datatype,
        pixdim=pixdim,
        start=max(544 if single else 0, start),
        slope=slope,
        intercept=intercept,
        units=units & 7,
        forms=(forms[0], forms[1]),
        quaternion=numbers[:6],
        affine=numbers[6:],
        single=single,
    )


def _sides(dim: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sides of the grid, at least two; a side of zero beyond the second counts as one."""
    count = max(2, min(7, dim[0]))
    return (dim[1], dim[2] if dim[0] > 1 else 1, *(max(1, side) for side in dim[3 : count + 1]))


def _data_file(path: Path, header: _Header) -> Path:
    """Return the file with the voxels; of a pair, the one beside its header."""
    if header.single:
        return path
    stem = path.name.removesuffix(".gz").rsplit(".", 1)[0]
    names = [f"{stem}{suffix}" for suffix in (".img", ".img.gz", ".IMG")]
    for name in names:
        if path.with_name(name).is_file():
            return path.with_name(name)
    raise refusals.no_data_file(path, names[0])


def _slices_behind(data: Path, header: _Header) -> int:
    """Count whole slices behind the last one that the header states, of files that are not compressed."""
    if _is_gzipped(data):
        return 0
    one = header.dim[0] * header.dim[1] * header.samples * header.dtype.itemsize
    stated = one * int(np.prod(header.dim[2:], dtype=object))
    return max(0, data.stat().st_size - header.start - stated) // one if one else 0


def _rescale(header: _Header) -> tuple[float, float]:
    """Return slope and intercept; a slope of 0 or no number means none (nifti1.h, "DATA SCALING")."""
    if header.slope == 0 or not np.isfinite([header.slope, header.intercept]).all() or header.samples > 1:
        return 1.0, 0.0
    return header.slope, header.intercept


def _placed(header: _Header) -> tuple[Array | None, tuple[FileNote, ...]]:
    """Return the affine (3, 4) in millimetres and DICOM's axes, None where it is not said or sheared.

    sform goes before qform, as the standard's method 3 does, unless it is sheared and qform is sound.
    """
    qform = _quaternion_matrix(header) if header.forms[0] > 0 else None
    sform = np.reshape(header.affine, (3, 4)).astype(np.float64) if header.forms[1] > 0 else None
    sound = [form for form in (sform, qform) if form is not None and _is_sound(form)]
    usable = [form for form in sound if are_square(form[:, :3] / np.linalg.norm(form[:, :3], axis=0))]
    notes = notes_of(
        {
            "places_disagree": int(bool(usable) and _disagree(sound, header)),
            "sheared_grid": int(bool(sound) and not usable),
        }
    )
    scale = _MM_PER_UNIT.get(header.units, 1.0)
    matrix = _TO_LPS[:, np.newaxis] * usable[0] * scale if usable else None
    return matrix, notes


def _is_sound(matrix: Array) -> bool:
    lengths = np.linalg.norm(matrix[:, :3], axis=0)
    return bool(np.isfinite(matrix).all() and (lengths > 0).all())


def _disagree(forms: list[Array], header: _Header) -> bool:
    """Say whether two forms place some voxel more than a voxel apart, or sizes differ by more than 1 %."""
    corners = np.array([[x, y, z, 1] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=np.float64)
    depth = header.dim[2] if len(header.dim) > 2 else 1
    corners[:, :3] *= np.maximum(np.array([*header.dim[:2], depth]) - 1, 1)
    voxel = np.linalg.norm(forms[0][:, :3], axis=0) if forms else np.ones(3)
    if len(forms) == 2 and np.abs(corners @ (forms[0] - forms[1]).T).max() > voxel.min():
        return True
    stated = np.abs(header.pixdim[1:4])
    known = np.isfinite(stated) & (stated > 0)
    return bool(forms) and bool((np.abs(voxel - stated)[known] > _SAME * voxel[known]).any())


def _quaternion_matrix(header: _Header) -> Array:
    """Return the affine of qform (nifti1.h, "METHOD 2")."""
    b, c, d, *offset = header.quaternion
    squares = b * b + c * c + d * d
    if squares > 1:
        b, c, d = (part / np.sqrt(squares) for part in (b, c, d))
    a = np.sqrt(max(0.0, 1.0 - squares))
    turned = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
        ]
    )
    sizes = np.abs(header.pixdim[1:4]) * [1, 1, -1 if header.pixdim[0] < 0 else 1]
    return np.column_stack([turned * sizes, offset])


def _spacing_mm(header: _Header, matrix: Array | None) -> tuple[tuple[float, ...], bool]:
    """Return the voxel sizes along x, y and z, and whether the file states them."""
    if matrix is not None:
        return tuple(np.linalg.norm(matrix[:, :3], axis=0).tolist()), True
    sizes = np.abs(header.pixdim[1:4]) * _MM_PER_UNIT.get(header.units, 1.0)
    known = bool(np.isfinite(sizes).all() and (sizes[: min(3, len(header.dim))] > 0).all())
    return (tuple(sizes.tolist()) if known else ()), known
