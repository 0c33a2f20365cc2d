"""Added folders whose names are classes: benign, malignant, normal."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from clipsvd_app.domain.classes import class_key, clean_name
from clipsvd_app.imaging.files.left_out import LeftOut

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clipsvd_app.project import Project
    from clipsvd_app.services.studies.found_files import FilesRead, FoundFile

FolderUse = Literal["class", "no_label", "left_out"]
MASK_FILES = "Masks beside images"
# More folders than this are taken for patients or studies, and nobody is asked whether they are classes.
MOST_CLASSES = 40
# Names that differ in a number only are taken for grades (BI-RADS 1 to 6) where there are at most 10 of them
# with 5 images each on average, else for patients.
_MOST_NUMBERED, _IMAGES_OF_NUMBERED = 10, 5
_SPLITS = frozenset(
    {
        *("train", "training", "test", "testing", "val", "valid", "validation", "dev", "holdout"),
        *("external", "internal"),
    }
)
_MASKS = re.compile(
    r"(?:^|[\W_])(?:masks?|segmentations?|segs?|annotations?|contours?|rois?|gt|ground[\W_]?truths?|overlays?"
    r"|heat[\W_]?maps?)(?:$|[\W_])",
    re.IGNORECASE,
)
_MASK_FILE = re.compile(
    r"[_\-. ]+(?:mask|seg|segmentation|gt|roi|contour|annotation)(?:[_\-. ]*\d+)?$", re.IGNORECASE
)
_NO_CLASS = frozenset(
    {
        *("unlabelled", "unlabeled", "unlabel", "unknown", "unsorted", "unclassified", "unassigned", "pool"),
        *("todo", "images", "image", "dicom", "png", "jpg", "jpeg", "data", "dataset"),
    }
)
# Accession numbers, UIDs and hashes: digits and dots from six on, hexadecimal ones with a digit from eight
# on.
_IDENTIFIER = re.compile(r"[0-9.]{6,}|(?=.*\d)[0-9a-f-]{8,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ClassFolder:
    """One of the folders: its name, its images, and what it is probably for."""

    name: str
    images: int
    use: FolderUse


@dataclass(frozen=True, slots=True)
class ClassFolders:
    """The folders at the first level with several of them. likely: their names look like classes."""

    folders: tuple[ClassFolder, ...]
    likely: bool
    name_of: Mapping[Path, str]
    """The folder's name by the path of each file in one."""

    def names_are_all(self, names: Iterable[str]) -> bool:
        """Whether every folder that may be a class is called like one of these."""
        known = set(map(class_key, names))
        return all(class_key(folder.name) in known for folder in self.folders if folder.use == "class")

    def suggested(self) -> FolderChoice:
        """Return what is probably wanted."""
        return FolderChoice(
            self.likely, frozenset(folder.name for folder in self.folders if folder.use == "left_out")
        )


@dataclass(frozen=True, slots=True)
class FolderChoice:
    """What the user wants of the folders: their names as classes, and some of them not at all."""

    as_classes: bool = False
    left_out: frozenset[str] = frozenset()


def class_folders(paths: Sequence[Path], read: FilesRead, unpacked: Path) -> ClassFolders | None:
    """Return the folders among what was added that may be classes, None where there are fewer than two.

    A single folder around everything is skipped, and so are train, test and the like. unpacked: where
    ``read_files`` put the contents of archives.
    """
    images = {
        item.path for item in read.found
    }  # which need not be opened again to see that they are no archive
    places = _places([path for path in paths if path not in images], unpacked)
    below = {item.path: _folders_below(item.path, places) for item in read.found}
    masks = _mask_files(read.found)
    named = _named({path: parts for path, parts in below.items() if path not in masks})
    names = {path: name for path, name in named.items() if name}
    counts: Counter[str] = Counter()
    for item in read.found:
        if item.path in names:
            counts[names[item.path]] += item.header.frames
    uses = {name: _use(name) for name in counts}
    classes = [name for name, use in uses.items() if use == "class"]
    if not 2 <= len(classes) <= MOST_CLASSES or _are_identifiers(classes, counts):
        return None
    folders = [ClassFolder(name, count, uses[name]) for name, count in counts.items()]
    if masks:
        names |= dict.fromkeys(masks, MASK_FILES)
        count = sum(item.header.frames for item in read.found if item.path in masks)
        folders.append(ClassFolder(MASK_FILES, count, "left_out"))
    likely = not _numbered(classes) and not _are_patients(read.found, names)
    return ClassFolders(tuple(folders), likely, names)


def brings_labels(project: Project, read: FilesRead, folders: ClassFolders) -> bool:
    """Whether any image in the folders is new, or has neither label nor mark; only then is the user asked."""
    decided = {
        (image.sha256, image.frame) for image in project.images() if image.class_id is not None or image.mark
    }
    wanted = labels_by_content(read, folders, FolderChoice(as_classes=True))
    return not wanted.keys() <= decided


def chosen_files(read: FilesRead, folders: ClassFolders, choice: FolderChoice) -> FilesRead:
    """Return what was read without the unwanted folders; their images count as left out."""

    def wanted(item: FoundFile) -> bool:
        return folders.name_of.get(item.path, "") not in choice.left_out

    dropped = (item for item in read.found if not wanted(item))
    left = (LeftOut(str(item.path), "not_chosen", "", item.header.frames) for item in dropped)
    return replace(read, found=tuple(filter(wanted, read.found)), left_out=(*read.left_out, *left))


def labels_by_content(
    read: FilesRead, folders: ClassFolders, choice: FolderChoice
) -> dict[tuple[str, int], str]:
    """Return the class by content and frame; images in the folders of two classes have none."""
    if not choice.as_classes:
        return {}
    classes = {folder.name for folder in folders.folders if folder.use == "class"} - choice.left_out
    claimed: dict[tuple[str, int], set[str]] = {}
    for item in read.found:
        name = folders.name_of.get(item.path, "")
        if name in classes:
            for frame in range(item.header.frames):
                claimed.setdefault((item.sha256, frame), set()).add(name)
    return {content: next(iter(names)) for content, names in claimed.items() if len(names) == 1}


def _places(paths: Sequence[Path], unpacked: Path) -> list[tuple[Path, str]]:
    """Return the added folders, and those that archives were unpacked to, each with its name."""
    from clipsvd_app.imaging.files.archives import is_zip
    from clipsvd_app.imaging.files.known_hashes import known_sha256

    places = []
    for path in paths:
        if path.is_dir():
            places.append((path.absolute(), path.name))
        elif is_zip(path):
            # The folder that `imaging.files.archives` unpacks to: the first 32 digits of the archive's hash.
            places.append((unpacked / "archives" / known_sha256(path)[:32], path.stem))
    return places


def _folders_below(path: Path, places: Iterable[tuple[Path, str]]) -> tuple[str, ...]:
    for folder, name in places:
        if path.absolute().is_relative_to(folder):
            return (name, *path.absolute().relative_to(folder).parts[:-1])
    return ()


def _named(below: Mapping[Path, tuple[str, ...]]) -> dict[Path, str]:
    """Return each file's folder name at the first level with several folders, "" for files above it."""
    depth = 0
    while below and len({parts[depth : depth + 1] for parts in below.values()}) == 1:
        if not next(iter(below.values()))[depth : depth + 1]:
            return {}
        depth += 1
    here = {parts[depth].casefold() for parts in below.values() if len(parts) > depth}
    if here and here <= _SPLITS and all(len(parts) > depth + 1 for parts in below.values()):
        depth += 1
    spelling: dict[str, str] = {}
    named = {}
    for path, parts in below.items():
        name = clean_name(parts[depth]) if len(parts) > depth else ""
        named[path] = spelling.setdefault(class_key(name), name)
    return named


def _use(name: str) -> FolderUse:
    if _MASKS.search(name):
        return "left_out"
    return "no_label" if name.casefold() in _NO_CLASS else "class"


def _mask_files(found: Sequence[FoundFile]) -> frozenset[Path]:
    """Return images named after another one of their folder: “benign (1)_mask.png”."""
    stems = {(item.path.parent, item.path.stem) for item in found}
    masks = set()
    for item in found:
        named = _MASK_FILE.search(item.path.stem)
        if named and (item.path.parent, item.path.stem[: named.start()]) in stems:
            masks.add(item.path)
    return frozenset(masks)


def _numbered(names: Sequence[str]) -> bool:
    """Whether names differ in a number only, as those of patients and of grades do."""
    return len({re.sub(r"\d+", "#", name) for name in names}) == 1


def _are_identifiers(names: Sequence[str], counts: Mapping[str, int]) -> bool:
    if all(_IDENTIFIER.fullmatch(name) for name in names):
        return True
    few = len(names) <= _MOST_NUMBERED
    return _numbered(names) and not (
        few and sum(map(counts.__getitem__, names)) >= _IMAGES_OF_NUMBERED * len(names)
    )


def _are_patients(found: Sequence[FoundFile], names: Mapping[Path, str]) -> bool:
    """Whether by the headers each folder holds one patient's images, and no two the same patient's."""
    ids: dict[str, set[str]] = {}
    for item in found:
        ids.setdefault(names.get(item.path, ""), set()).add(item.header.patient_id.strip())
    ids.pop("", None)
    single = all(len(own) == 1 and "" not in own for own in ids.values())
    return single and len(found) > len(ids) and len(set().union(*ids.values())) == len(ids)
