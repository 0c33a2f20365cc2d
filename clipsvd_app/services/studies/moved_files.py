"""Images that were moved: found again by their content, or copied beside the project."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError
from clipsvd_app.project.changes import SetPaths
from clipsvd_app.services.studies.changed_files import changed_images

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.project import Project

    Report = Callable[[int, int], None]

# Copied and hashed 1 MB at a time: volumes of 2 GB are not held in memory.
_CHUNK = 1 << 20
# MetaImage, NRRD and NIfTI headers whose pixels are in a second file that they name.
_NAMES_ANOTHER_FILE = (".mhd", ".nhdr", ".hdr")


@dataclass(frozen=True, slots=True)
class PathPlan:
    """Where images would be, and the names of files ``left`` as they are. ``change`` carries it out."""

    change: SetPaths
    files: int
    left: tuple[str, ...]


def missing_images(images: Sequence[ProjectImage]) -> frozenset[int]:
    """Return the images whose file is missing: moved, renamed, or on a drive that is not connected."""
    there = {path: Path(path).is_file() for path in {image.path for image in images}}
    return frozenset(image.id for image in images if not there[image.path])


def lost_images(images: Sequence[ProjectImage]) -> frozenset[int]:
    """Return the images whose file is missing or was replaced."""
    return missing_images(images) | changed_images(images)


def plan_relink(project: Project, folder: Path, report: Report | None = None) -> PathPlan:
    """Look for the missing files in ``folder`` by their hash, files of the same name first.

    report: called with (files looked at, all files); raises Cancelled to stop. Safe to call from a thread.
    """
    from clipsvd_app.imaging.files.discovery import find_files

    images = project.images()
    gone = lost_images(images)
    wanted: dict[str, list[ProjectImage]] = {}
    for image in images:
        if image.id in gone:
            wanted.setdefault(image.sha256, []).append(image)
    files = _likely_first(find_files([folder], unpack_into=project.images_folder), wanted)
    found: dict[str, Path] = {}
    for done, file in enumerate(files):
        if len(found) == len(wanted):
            break
        if report is not None:
            report(done, len(files))
        if (sha256 := _hash_of(file)) in wanted:
            found.setdefault(sha256, file.resolve())
    paths = {image.id: str(found[sha]) for sha, group in wanted.items() if sha in found for image in group}
    left = tuple(Path(group[0].path).name for sha, group in wanted.items() if sha not in found)
    return PathPlan(SetPaths(paths, f"find {counted(len(found), 'moved file')}"), len(found), left)


def plan_collect(project: Project, report: Report | None = None) -> PathPlan:
    """Copy the images' files into the project's folder, checked and named by their hash.

    The original names may hold patients' names. The stored paths are relative to the project, so that the
    two can be moved together. A header that names another file is not copied, as its name for that file
    would be wrong. Files that are there already are not copied again.
    """
    folder = project.images_folder
    by_file: dict[str, list[ProjectImage]] = {}
    for image in project.images():
        by_file.setdefault(image.path, []).append(image)
    paths: dict[int, str] = {}
    left: list[str] = []
    for done, (path, group) in enumerate(by_file.items()):
        if report is not None:
            report(done, len(by_file))
        copy = folder / (group[0].sha256[:16] + _suffix(Path(path)))
        if Path(path).suffix.lower() in _NAMES_ANOTHER_FILE or not _collected(
            Path(path), copy, group[0].sha256
        ):
            left.append(Path(path).name)
        else:
            paths |= {image.id: f"{folder.name}/{copy.name}" for image in group}
    files = len(by_file) - len(left)
    return PathPlan(SetPaths(paths, f"collect {counted(files, 'file')}"), files, tuple(left))


def _likely_first(files: Sequence[Path], wanted: dict[str, list[ProjectImage]]) -> list[Path]:
    names = {Path(group[0].path).name for group in wanted.values()}
    suffixes = {Path(name).suffix.lower() for name in names}
    return sorted(files, key=lambda file: (file.name not in names, file.suffix.lower() not in suffixes))


def _hash_of(file: Path) -> str:
    from clipsvd_app.imaging.files.hashes import file_sha256

    try:
        return file_sha256(file)
    except UserError:
        return ""


def _suffix(path: Path) -> str:
    """Return the last suffix, or two before a compression: “.nii.gz”."""
    suffixes = path.suffixes[-2:] if path.suffix.lower() == ".gz" else path.suffixes[-1:]
    return "".join(suffixes).lower()


def _collected(source: Path, copy: Path, sha256: str) -> bool:
    """Copy a file unless it is there; False when the source is gone or was replaced.

    Written under another name and renamed at the end: a copy that was interrupted never has the final name.
    """
    if source == copy or (copy.is_file() and _hash_of(copy) == sha256):
        return True
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=copy.parent, suffix=".part")
    except OSError as error:
        raise _no_room(copy.parent, error) from error
    part = Path(temporary)
    try:
        with os.fdopen(descriptor, "wb") as writing, source.open("rb") as reading:
            digest = hashlib.sha256()
            while block := reading.read(_CHUNK):
                digest.update(block)
                writing.write(block)
            writing.flush()
            os.fsync(writing.fileno())
        if digest.hexdigest() != sha256:
            return False
        part.replace(copy)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _no_room(copy.parent, error) from error
        return False
    finally:
        part.unlink(missing_ok=True)
    return True


def _no_room(folder: Path, error: OSError) -> UserError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return UserError(
        "The disk is full." if full else f"The folder “{folder.name}” is not writable.",
        remedy="Free some space, or move the project to another disk first; the images stay where they are.",
        code="disk_full" if full else "read_only_folder",
    )
