"""The series among any files, without a project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.files.hashes import file_sha256
from clipsvd_app.imaging.reading import read_object_header
from clipsvd_app.imaging.series.assembly import Member, Series, assemble

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clipsvd_app.imaging.values import ImageHeader


@dataclass(frozen=True, slots=True)
class Listing:
    """Series of DICOM files, and one sentence for each file that could not be read."""

    files: tuple[Path, ...]
    series: tuple[Series, ...]
    refused: tuple[str, ...]


def list_series(paths: Sequence[Path], report: Callable[[int, int], None] | None = None) -> Listing:
    """Read the headers of files and group the DICOM ones into series; other images have none."""
    files: list[Path] = []
    headers: list[ImageHeader] = []
    refused: list[str] = []
    for done, path in enumerate(paths, 1):
        try:
            header = read_object_header(path)
        except UserError as error:
            refused.append(str(error))
        else:
            if header.kind == "DICOM":
                files.append(path)
                headers.append(header)
        if report is not None:
            report(done, len(paths))
    return Listing(tuple(files), assemble(members_of(files, headers)), tuple(refused))


def members_of(files: Sequence[Path], headers: Sequence[ImageHeader]) -> list[Member]:
    """Return members, hashing only the files whose SOP instance UID was met more than once."""
    seen: dict[str, int] = {}
    for header in headers:
        seen[header.instance_uid] = seen.get(header.instance_uid, 0) + 1
    return [
        Member(header, file_sha256(path) if seen[header.instance_uid] > 1 else "")
        for path, header in zip(files, headers, strict=True)
    ]
