"""A project from dropped files: its name, its place, and making it in one step."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.errors import UserError
from clipsvd_app.project import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clipsvd_app.project import Project
    from clipsvd_app.services.studies.found_files import FilesRead, FoundFile

PROJECTS_FOLDER = "CLIP-SVD projects"
# With the program's suffixes for its lock and its folder of images, names in most scripts stay within the 255
# bytes that file systems allow.
LONGEST_NAME = 80
NEW = "New project"
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file. Refused on every system: a project made on
# Linux should open on Windows.
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a new project will be."""

    folder: Path
    name: str

    @property
    def path(self) -> Path:
        """The project's file."""
        return self.folder / f"{self.name.strip()}{SUFFIX}"


def suggested_place(paths: Sequence[Path], folders: Iterable[Path]) -> Place:
    """Return a free name after what was dropped, in the first suitable folder.

    A folder is suitable if it can be written to and lies in none of the dropped ones.
    """
    fit = [folder for folder in folders if not _inside(folder, paths) and _is_writable(folder)]
    folder = fit[0] if fit else Path.home()
    name = suggested_name(paths)
    numbered = (name, *(f"{name} {number}" for number in range(2, 1000)))
    return next(
        place for other in numbered if not (place := Place(folder, other)).path.exists() and _is_free(place)
    )


def suggested_name(paths: Sequence[Path]) -> str:
    """Return a name for a project of these files: the dropped folder's or archive's, or their folder's."""
    if not paths:
        return NEW
    first = (
        paths[0]
        if len(paths) == 1 and (paths[0].is_dir() or paths[0].suffix.lower() == ".zip")
        else paths[0].parent
    )
    name = first.absolute().name if first.is_dir() else first.stem
    plain = _FORBIDDEN.sub(" ", name)
    plain = " ".join(plain.split())[:LONGEST_NAME].strip(" .")
    return NEW if not plain or _RESERVED.fullmatch(plain) else plain


def place_fault(place: Place, paths: Sequence[Path]) -> UserError | None:
    """Return why no project can be made there, None where it can."""
    name = place.name.strip()
    if not name or name != name.strip(". ") or _FORBIDDEN.search(name) or _RESERVED.fullmatch(name):
        return UserError(
            'A project needs a name without any of < > : " / \\ | ? *.'
            if name
            else "The project has no name.",
            remedy="Choose another name." if name else "Enter a name.",
            code="project_name",
        )
    if len(name) > LONGEST_NAME:
        return UserError(
            "The project name is too long.", remedy="Choose a shorter name.", code="project_name"
        )
    if _inside(place.folder, paths):
        return UserError(
            "This folder contains images.",
            remedy="Choose a folder outside the image folders.",
            code="project_place",
        )
    if not _is_writable(place.folder):
        return UserError(
            f"“{place.folder.name or place.folder}” is not writable.",
            remedy="Choose another folder.",
            code="project_place",
        )
    if place.path.exists() or not _is_free(place):
        taken = place.path if place.path.exists() else _images_of(place)
        return UserError(
            f"“{taken.name}” already exists in this folder.",
            remedy="Choose another name.",
            code="project_exists",
        )
    return None


def moved_unpacked(read: FilesRead, unpacked: Path, images_folder: Path) -> FilesRead:
    """Move the contents of archives from where they were first unpacked to the project's own images."""
    came = unpacked / "archives"
    own = images_folder / "archives"
    tops = {
        item.path.relative_to(came).parts[0]
        for item in (*read.found, *read.others)
        if item.path.is_relative_to(came)
    }
    for top in sorted(tops):
        own.mkdir(parents=True, exist_ok=True)
        shutil.move(came / top, own / top)
        if (record := came / f"{top}.json").is_file():
            shutil.move(record, own / record.name)

    def placed(item: FoundFile) -> FoundFile:
        return (
            replace(item, path=own / item.path.relative_to(came)) if item.path.is_relative_to(came) else item
        )

    return replace(read, found=tuple(map(placed, read.found)), others=tuple(map(placed, read.others)))


def forget_unpacked(read: FilesRead, unpacked: Path) -> None:
    """Delete the unpacked contents of archives that were not added."""
    came = unpacked / "archives"
    for item in (*read.found, *read.others):
        if item.path.is_relative_to(came):
            top = item.path.relative_to(came).parts[0]
            shutil.rmtree(came / top, ignore_errors=True)
            (came / f"{top}.json").unlink(missing_ok=True)


def unmake(project: Project) -> None:
    """Delete a project that was just made and is not wanted: its file, lock, journal and own images."""
    path, images = project.path, project.images_folder
    project.close()
    for file in (path, Path(f"{path.resolve()}.lock"), Path(f"{path}-journal")):
        file.unlink(missing_ok=True)
    shutil.rmtree(images, ignore_errors=True)
    if path.parent.name == PROJECTS_FOLDER:
        with contextlib.suppress(OSError):  # other projects lie in it
            path.parent.rmdir()


def _is_free(place: Place) -> bool:
    """Whether no images of another project, or of a deleted one, are where this one would keep its own."""
    return not _images_of(place).exists()


def _images_of(place: Place) -> Path:
    return place.path.with_name(f"{place.path.stem} images")


def _inside(folder: Path, paths: Iterable[Path]) -> bool:
    whole = folder.absolute().resolve()
    return any(path.is_dir() and whole.is_relative_to(path.absolute().resolve()) for path in paths)


def _is_writable(folder: Path) -> bool:
    """Whether the folder, or the nearest existing one above it, can be written to."""
    there = next((place for place in (folder, *folder.absolute().parents) if place.exists()), None)
    return there is not None and there.is_dir() and os.access(there, os.W_OK | os.X_OK)
