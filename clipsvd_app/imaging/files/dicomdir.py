"""DICOMDIR: the files that an index names, found on the disk as it is now (PS3.10 8.6, PS3.3 F)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.adapter_file.plain_text import plain
from clipsvd_app.errors import UserError
from clipsvd_app.imaging.files.left_out import LeftOut
from clipsvd_app.imaging.signature import read_head

if TYPE_CHECKING:
    from collections.abc import Sequence

_DIRECTORY_CLASS = b"1.2.840.10008.1.3.10"
_VERSION = re.compile(r";[0-9]*$")
# Extensions that programs put behind the names of a disc, the likeliest first.
_EXTENSIONS = (".dcm", ".dicom", ".ima", ".img")


@dataclass(frozen=True, slots=True)
class Listing:
    """The files that an index names, each once, and those that are not there or may not be read."""

    files: tuple[Path, ...]
    left_out: tuple[LeftOut, ...]


def is_directory_index(path: Path) -> bool:
    """Say whether a file is a DICOMDIR, by its content."""
    try:
        head = read_head(path)
    except UserError:
        return False
    return head[128:132] == b"DICM" and _DIRECTORY_CLASS in head


def read_listing(index: Path) -> Listing:
    """Find the files that a DICOMDIR names; refuses a damaged one.

    Names are found whatever became of their case, with an extension or a version (";1") behind them.
    What leads out of the folder of the index is left out.
    """
    folder = index.parent.resolve()
    find = _Finder()
    files: dict[Path, None] = {}
    left_out: dict[str, LeftOut] = {}
    for parts in dict.fromkeys(_referenced(index)):
        name = plain("/".join(parts)) or "A file without a name"
        path = str(index.parent / name)
        if not parts or any(part == ".." or ":" in part or "\x00" in part for part in parts):
            left_out[path] = _outside(path, name, index)
            continue
        file = find(index.parent, parts)
        if file is None:
            left_out[path] = _missing(path, name, index)
        elif not Path(os.path.realpath(file)).is_relative_to(folder):  # resolve() raises on a link to itself
            left_out[path] = _outside(path, name, index)
        else:
            files.setdefault(file)
    return Listing(tuple(files), tuple(left_out.values()))


def _missing(path: str, name: str, index: Path) -> LeftOut:
    return LeftOut(
        path, "listed_missing", f"{name}, listed in {index.name}, is missing. Copy the whole disc again."
    )


def _outside(path: str, name: str, index: Path) -> LeftOut:
    return LeftOut(
        path,
        "listed_outside",
        f"{name}, listed in {index.name}, is outside the folder of the index. Add the file itself.",
    )


class _Finder:
    """Finds names below a folder, each folder listed once."""

    def __init__(self) -> None:
        # A disc has few folders; the bound is for indexes that name endless ones.
        self._listed = lru_cache(maxsize=1024)(_list_folder)

    def __call__(self, folder: Path, parts: Sequence[str]) -> Path | None:
        place = folder
        for depth, part in enumerate(parts, start=1):
            found = self._one(place, part, is_file=depth == len(parts))
            if found is None:
                return None
            place = place / found
        return place

    def _one(self, folder: Path, part: str, *, is_file: bool) -> str | None:
        entries = self._listed(folder)
        wanted = _bare(part)
        fitting = [name for name, is_dir in entries if is_dir != is_file and _bare(name) == wanted]
        if not fitting and is_file:
            fitting = sorted(
                (
                    name
                    for name, is_dir in entries
                    if not is_dir and _bare(Path(_unversioned(name)).stem) == wanted
                ),
                key=_by_extension,
            )
        exact = [name for name in fitting if name == part]
        return next(iter(exact or fitting), None)


def _list_folder(folder: Path) -> list[tuple[str, bool]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((entry.name, entry.is_dir()) for entry in entries)
    except OSError:
        return []


def _unversioned(name: str) -> str:
    return _VERSION.sub("", name)


def _bare(name: str) -> str:
    """Return a name without what ISO 9660 and its readers put behind it, and without case."""
    return _unversioned(name.strip()).rstrip(". ").casefold()


def _by_extension(name: str) -> tuple[int, str]:
    suffix = Path(_unversioned(name)).suffix.lower()
    return (_EXTENSIONS.index(suffix) if suffix in _EXTENSIONS else len(_EXTENSIONS), name)


def _referenced(index: Path) -> list[tuple[str, ...]]:
    """Return the names as parts of a path; some writers put a whole path into one value, or a leading "."."""
    from pydicom import dcmread

    from clipsvd_app.imaging.dicom.dataset import reading, refuse_inflation
    from clipsvd_app.imaging.dicom.elements import element, items

    with reading(index):
        refuse_inflation(index)
        records = items(dcmread(index), "DirectoryRecordSequence")
        names = [element(record, "ReferencedFileID") for record in records]
    wholes = [
        "\\".join(map(str, [name] if isinstance(name, str) else name)) for name in names if name is not None
    ]
    return [
        tuple(part.strip() for part in re.split(r"[\\/]", whole) if part.strip() not in ("", "."))
        for whole in wholes
        if whole.strip()
    ]
