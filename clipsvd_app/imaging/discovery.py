"""Finding image files in what a user drops: files, folders, ZIP archives and DICOMDIRs."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.archives import is_zip, passing_folder, unpack_zip
from clipsvd_app.imaging.sniffing import kind_of, read_head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# A name cut into numbers and what stands between them.
NameRuns: TypeAlias = tuple[tuple[int, int, str], ...]

# Files that lie beside images; one with an image inside is taken all the same.
_BESIDE_IMAGES = re.compile(
    r"\.(bat|bin|bval|bvec|cfg|clipsvd|css|csv|dat|db|docx?|exe|html?|inf|ini|ipynb|js|json|log|mat|md|npy|npz|ods"
    r"|pdf|pptx?|py|raw|rtf|safetensors|sh|tsv|txt|url|xlsx?|xml|ya?ml)",
    re.IGNORECASE,
)
_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "dicomdir", "lockfile", "version"})
_DIRECTORY_CLASS = b"1.2.840.10008.1.3.10"


def find_files(paths: Sequence[Path], *, unpack_into: Path | None = None) -> tuple[Path, ...]:
    """Return the files worth reading, each once: the user's own order, folders walked in natural order.

    Files named directly are kept whatever they are, so that each can be refused by name. In folders,
    hidden files, indexes and text beside images are left out. ZIP archives are unpacked below
    `unpack_into` (by default a folder that goes with this process), and a DICOMDIR stands for the files
    that it lists.
    """
    target = unpack_into or passing_folder()
    found: dict[Path, None] = {}
    for path in paths:
        for file in _expand(Path(path), target):
            found.setdefault(file)
    return tuple(found)


def natural_key(path: Path) -> tuple[tuple[NameRuns, str], ...]:
    """Sort "slice 2" before "slice 10", folder by folder."""
    return tuple((_runs(Path(part).stem), Path(part).suffix.casefold()) for part in path.parts)


def _runs(name: str) -> NameRuns:
    runs = re.split(r"([0-9]+)", name.casefold())
    return tuple((0, int(run), "") if re.fullmatch("[0-9]+", run) else (1, 0, run) for run in runs if run)


def _expand(path: Path, target: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from _walk(path, target)
    elif is_zip(path):
        yield from _walk(unpack_zip(path, target), target=None)
    elif path.is_file() and _is_directory_index(path):
        yield from _listed(path)
    else:
        yield path


def _walk(folder: Path, target: Path | None) -> Iterator[Path]:
    """Walk a folder without following links to folders; archives inside archives stay closed."""
    files: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        files += [Path(parent, name) for name in names if not _is_hidden(name)]
    for file in sorted(files, key=lambda file: natural_key(file.relative_to(folder))):
        if target is not None and file.suffix.lower() == ".zip" and is_zip(file):
            yield from _unpacked_or_itself(file, target)
        elif file.is_file() and not _is_beside_images(file):
            yield file


def _unpacked_or_itself(archive: Path, target: Path) -> Iterator[Path]:
    """Yield an archive that cannot be unpacked as a file, to be refused beside the images of its folder."""
    try:
        folder = unpack_zip(archive, target)
    except UserError:
        yield archive
        return
    yield from _walk(folder, target=None)


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _SYSTEM_FILES


def _is_beside_images(file: Path) -> bool:
    if not _BESIDE_IMAGES.fullmatch(file.suffix):
        return False
    try:
        return kind_of(read_head(file)) is None
    except UserError:
        return True


def _is_directory_index(path: Path) -> bool:
    try:
        head = read_head(path)
    except UserError:
        return False
    return head[128:132] == b"DICM" and _DIRECTORY_CLASS in head


def _listed(index: Path) -> Iterator[Path]:
    """Yield the files that a DICOMDIR names, as far as they lie below its own folder (PS3.10 8.6)."""
    folder = index.parent.resolve()
    for parts in _referenced(index):
        if any(part in ("", ".", "..") or "/" in part or "\\" in part or ":" in part for part in parts):
            continue
        file = _existing(index.parent, parts)
        if file is not None and file.resolve().is_relative_to(folder):
            yield file


def _existing(folder: Path, parts: Sequence[str]) -> Path | None:
    """Find a file whose name may have changed case on its way from a disc."""
    cases: tuple[Callable[[str], str], ...] = (str, str.lower, str.upper)
    for case in cases:
        file = folder.joinpath(*(case(part) for part in parts))
        if file.is_file():
            return file
    return None


def _referenced(index: Path) -> list[tuple[str, ...]]:
    from pydicom import dcmread

    from clipsvd_app.imaging.dicom_dataset import reading, refuse_inflation
    from clipsvd_app.imaging.dicom_elements import element, items

    with reading(index):
        refuse_inflation(index)
        records = items(dcmread(index), "DirectoryRecordSequence")
        names = [element(record, "ReferencedFileID") for record in records]
    return [
        (name,) if isinstance(name, str) else tuple(str(part) for part in name)
        for name in names
        if name is not None
    ]
