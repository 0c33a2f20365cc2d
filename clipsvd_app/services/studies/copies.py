"""Copies of the project's images: each image is stored once, with the paths of all its copies."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.domain.classes import class_key
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.services.studies.changed_files import holds

if TYPE_CHECKING:
    import sqlite3

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.project import Project
    from clipsvd_app.project.changes import Change
    from clipsvd_app.services.studies.found_files import FoundFile

_SETTING = "copies"


@dataclass(frozen=True, slots=True)
class SetCopies:
    """Store where copies are: paths by the hash of their content."""

    paths_by_sha256: Mapping[str, Sequence[str]]
    title: str = "remember copies"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Write the paths; the inverse restores those before."""
        row = db.execute("SELECT value FROM setting WHERE key = ?", (_SETTING,)).fetchone()
        before = {} if row is None else json.loads(row[0])
        stored = json.dumps({sha: list(paths) for sha, paths in self.paths_by_sha256.items()})
        db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (_SETTING, stored))
        return SetCopies(before, self.title)


def copies(project: Project) -> dict[str, list[str]]:
    """Return the paths of copies by the hash of their content, without the image's own path."""
    found: dict[str, list[str]] = json.loads(project.setting(_SETTING, "{}"))
    return found


def with_copies(project: Project, found: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return the copies known before and those found, each path once.

    found: paths by hash, the image's own path first.
    """
    before = copies(project)
    hashes = [*before, *(sha for sha in found if sha not in before)]
    return {sha: tuple(dict.fromkeys([*before.get(sha, ()), *found.get(sha, ())[1:]])) for sha in hashes}


def places_of_known(
    images: Sequence[ProjectImage], found: Sequence[FoundFile]
) -> tuple[dict[int, str], dict[str, tuple[str, ...]]]:
    """Return the new paths of moved images, and all paths of images with copies.

    The same content at several paths is one image, at the path that the project has or else the first found.
    """
    held: dict[str, list[ProjectImage]] = {}
    for image in images:
        held.setdefault(image.sha256, []).append(image)
    places: dict[str, list[Path]] = {}
    moved: dict[int, str] = {}
    for item in found:
        path = item.path.resolve()
        if item.sha256 not in places:
            own = held.get(item.sha256, [])
            before = Path(own[0].path) if own else path
            if own and not holds(before, item.sha256):
                moved |= {image.id: str(path) for image in own}
                before = path
            places[item.sha256] = [before]
        if not any(path == other or _is_same_file(path, other) for other in places[item.sha256]):
            places[item.sha256].append(path)
    return moved, {sha: tuple(map(str, several)) for sha, several in places.items() if len(several) > 1}


def copy_warnings(places: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Say how many images are in folders of several names, so that the folder cannot be the class."""
    apart = [
        paths for paths in places.values() if len({class_key(Path(path).parent.name) for path in paths}) > 1
    ]
    if not apart:
        return ()
    which = counted(len(apart), "image is", "images are")
    such = " and ".join("/".join(Path(path).parts[-2:]) for path in apart[0][:2])
    return (
        f"{which} in folders with different names, such as {such}, so the folder does not determine"
        f" the class.",
    )


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def folders_of(project: Project, images: Sequence[ProjectImage]) -> dict[int, tuple[str, ...]]:
    """Return the names of the folders that each image is in, its own first.

    Folders that the program made, for collected images and for an archive's top, are left out.
    """
    elsewhere, own = copies(project), project.images_folder.absolute()
    found = {}
    for image in images:
        folders = [Path(path).parent for path in (image.path, *elsewhere.get(image.sha256, ()))]
        said = [folder.name for folder in folders if folder != own and folder.parent != own / "archives"]
        found[image.id] = tuple(said)
    return found
