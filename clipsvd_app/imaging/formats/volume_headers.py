"""The text headers of NRRD and MetaImage: data files, voxel sizes, and whether axes are the patient's.

NRRD: teem.sourceforge.net/nrrd/format.html. MetaImage: itk.org/Wiki/ITK/MetaIO/Documentation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.guard import refusals
from clipsvd_app.imaging.opened import opened

if TYPE_CHECKING:
    from pathlib import Path

# More than any header; without a limit, a large file without a line break would be read whole.
MOST_TEXT = 1024**2
_PATIENT_SPACE = re.compile(
    r"(right|left)-(anterior|posterior)-(superior|inferior)(-time)?|(ras|las|lps|rai|lpi)t?", re.IGNORECASE
)
_MATRIX_KEYS = ("transformmatrix", "rotation", "orientation")
_UNREAD_ENCODINGS = ("bzip2", "bz2")
# The letters of MetaIO for an unrotated grid in DICOM's axes, which starts at right, anterior, inferior.
_UNTURNED = "RAI"


@dataclass(frozen=True, slots=True)
class TextHeader:
    """fields: by lower-case name. in_patient: the grid's axes are the patient's. sized: voxel sizes are said.

    zero_sized: a voxel size is zero or no number, or an axis has no direction. disagrees: letters of the
    anatomical orientation say otherwise than the matrix. data_files: names, () where voxels follow the text.
    """

    fields: Mapping[str, str]
    in_patient: bool
    sized: bool
    zero_sized: bool
    disagrees: bool
    data_files: tuple[str, ...]


def read_text_header(path: Path, file_format: str) -> TextHeader:
    """Read the header of an NRRD or MetaImage file; refuses one of more than 1 MB.

    file_format: "NRRD" or "MetaImage".
    """
    with opened(path) as file:
        text = file.read(MOST_TEXT).decode("latin-1")
    found = _nrrd(text) if file_format == "NRRD" else _meta_image(text)
    if found is None:
        raise refusals.damaged(path)
    return found


def refuse_data_files(path: Path, header: TextHeader) -> None:
    """Refuse headers whose data lie outside of their own folder, or are not there."""
    for name in header.data_files:
        if any(sign in name for sign in ("/", "\\", "..", ":")):
            raise UserError(
                f"{path.name} stores its voxels in another folder.",
                remedy="Put the header and its data file into one folder, or save them as one file.",
                code="foreign_data_file",
            )
        if "%" not in name and not path.with_name(name).is_file():
            raise refusals.no_data_file(path, name)


def refuse_encoding(path: Path, header: TextHeader) -> None:
    """Refuse compressions that the reader was built without."""
    encoding = header.fields.get("encoding", "").lower()
    if encoding in _UNREAD_ENCODINGS:
        raise refusals.unsupported(path, "is compressed by bzip2", "Save it with gzip or uncompressed.")


def refuse_sizes(path: Path, header: TextHeader) -> None:
    """Refuse invalid voxel sizes, which SimpleITK would report as damage."""
    if header.zero_sized:
        raise UserError(
            f"{path.name} has a voxel size of zero or an axis without direction.",
            remedy="Correct the spacing or matrix in its header.",
            code="no_voxel_size",
        )


def _nrrd(text: str) -> TextHeader | None:
    lines = text.split("\n\n", 1)[0].replace("\r", "").splitlines()
    if "\r\n\r\n" in text:
        lines = text.split("\r\n\r\n", 1)[0].splitlines()
    fields: dict[str, str] = {}
    for line in lines[1:]:
        name, sign, value = line.partition(":")
        if sign and not line.startswith("#"):
            fields.setdefault(name.strip().lower(), value.lstrip("=").strip())
    directions = re.findall(r"\(([^)]*)\)", fields.get("space directions", ""))
    sizes = [_norm(direction) for direction in directions] or _numbers(fields.get("spacings", ""))
    spatial = [size for size in sizes if not np.isnan(size)]
    return TextHeader(
        fields,
        in_patient=bool(_PATIENT_SPACE.fullmatch(fields.get("space", ""))) and len(directions) == 3,
        sized=len(spatial) >= 2,
        zero_sized=any(size == 0 for size in spatial) or any(np.isnan(_norm(way)) for way in directions),
        disagrees=False,
        data_files=_nrrd_files(fields, lines),
    )


def _nrrd_files(fields: Mapping[str, str], lines: list[str]) -> tuple[str, ...]:
    named = fields.get("data file") or fields.get("datafile") or ""
    if not named:
        return ()
    if named.upper().startswith("LIST"):
        start = next(
            n for n, line in enumerate(lines) if re.match(r"data ?file\s*:\s*LIST", line, re.IGNORECASE)
        )
        return tuple(line.strip() for line in lines[start + 1 :] if line.strip())
    return (named.split()[0],) if "%" in named else (named,)


def _meta_image(text: str) -> TextHeader | None:
    fields: dict[str, str] = {}
    files: tuple[str, ...] = ()
    lines = text.splitlines()
    for number, line in enumerate(lines):
        name, _, value = line.partition("=")
        fields[name.strip().lower()] = value.strip()
        if name.strip().lower() == "elementdatafile":
            files = _meta_files(value.strip(), lines[number + 1 :])
            break
    else:
        return None
    turned = next((fields[key] for key in _MATRIX_KEYS if key in fields), "")
    matrix, sizes = _numbers(turned), _numbers(fields.get("elementspacing", fields.get("elementsize", "")))
    letters = fields.get("anatomicalorientation", "").upper()
    unturned = len(matrix) == 9 and bool(np.allclose(np.reshape(matrix, (3, 3)), np.eye(3)))
    return TextHeader(
        fields,
        in_patient=len(matrix) in (9, 16),
        sized=bool(sizes),
        zero_sized=any(size == 0 or np.isnan(size) for size in sizes) or _is_flat(matrix),
        disagrees=bool(re.fullmatch("[RLAPIS]{3}", letters)) and unturned and letters != _UNTURNED,
        data_files=files,
    )


def _meta_files(named: str, following: list[str]) -> tuple[str, ...]:
    if named.upper() in ("LOCAL", ""):
        return ()
    if named.upper().startswith("LIST"):
        return tuple(line.strip() for line in following if line.strip())
    return (named.split()[0],) if "%" in named else (named,)


def _is_flat(matrix: list[float]) -> bool:
    side = round(len(matrix) ** 0.5)
    if side < 2 or side * side != len(matrix):
        return False
    # Zero within rounding; NaN counts as flat too.
    return not abs(np.linalg.det(np.reshape(matrix, (side, side)))) > 1e-9


def _norm(direction: str) -> float:
    parts = _numbers(direction.replace(",", " "))
    return float(np.linalg.norm(parts)) if parts else float("nan")


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split()]
    except ValueError:
        return [float("nan")]
