"""Effects of a patient rule that may not be intended, reported before anything is added."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.services.studies.patient_rules import PatientRule, true_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.services.studies.found_files import FoundFile


def patients_of_folders(
    images: Sequence[ProjectImage], found: Sequence[FoundFile], rule: PatientRule
) -> dict[str, str]:
    """Return patient keys by file hash for files in a folder where the project has images of one patient.

    A folder is recognised through any link or mount, and after its images were found at a new place.
    """
    known: dict[object, set[str]] = {}
    for folder, keys in _by_folder(images, rule).items():
        known.setdefault(_identity(folder), set()).update(keys)
    keys_of = {folder: known.get(_identity(folder), set()) for folder in {rule.folder(i.path) for i in found}}
    return {
        item.sha256: next(iter(keys)) for item in found if len(keys := keys_of[rule.folder(item.path)]) == 1
    }


def grouping_doubts(
    before: Sequence[ProjectImage],
    found: Sequence[FoundFile],
    rule: PatientRule,
    patients: Mapping[str, str],
) -> tuple[str, ...]:
    """Return sentences on where a rule groups files differently from folders, names or the project.

    patients: the rule's key by file hash.
    """
    said = (
        *_same_names(found, rule),
        *_table_doubts(found, rule),
        *_known_otherwise(before, found, patients),
        *_folders_otherwise(before, found, rule, patients),
    )
    return tuple(said)


def _by_folder(images: Sequence[ProjectImage], rule: PatientRule) -> dict[Path, set[str]]:
    keys: dict[Path, set[str]] = {}
    for image in images:
        keys.setdefault(rule.folder(Path(image.path)), set()).add(image.patient_key)
    return keys


def _identity(folder: Path) -> object:
    """Return an identity of a folder that is the same under all its paths, while it exists."""
    try:
        status = folder.stat()
    except OSError:
        return folder
    return (status.st_dev, status.st_ino) if status.st_ino else folder


def _same_names(found: Sequence[FoundFile], rule: PatientRule) -> Iterator[str]:
    """Folders like P1/left, P1/right, P2/left: the patient is a level above."""
    if rule.kind != "folder":
        return
    folders = {rule.folder(item.path) for item in found}
    names = Counter(folder.name for folder in folders)
    repeated = [name for name, count in names.items() if count > 1]
    if repeated:
        yield (
            f"{len(folders):,} folders count as {len(folders):,} patients, although several have the"
            f" same name, such as “{repeated[0]}”. If the folder above is the patient, use"
            f" folder:{rule.levels + 1}."
        )


def _table_doubts(found: Sequence[FoundFile], rule: PatientRule) -> Iterator[str]:
    if rule.table is None:
        return
    if rule.table.note:
        yield rule.table.note
    files: dict[object, set[str]] = {}
    for item in found:
        if line := rule.table.line(item.path):
            files.setdefault(line[0], set()).add(item.sha256)
    lines = {parts for claims in rule.table.claims.values() for parts, _ in claims}
    several = [parts for parts in lines if len(files.get(parts, ())) > 1]
    if several:
        said = counted(len(several), "line of the table matches", "lines of the table match")
        yield (
            f"{said} several files, such as"
            f" “{'/'.join(several[0])}”; all of them count as this patient. Include the folder in the paths."
        )
    if idle := [parts for parts in lines if parts not in files]:
        said = counted(len(idle), "line of the table matches", "lines of the table match")
        yield f"{said} no file, such as “{'/'.join(idle[0])}”."


def _known_otherwise(
    before: Sequence[ProjectImage], found: Sequence[FoundFile], patients: Mapping[str, str]
) -> Iterator[str]:
    """Images added again under a rule that groups them differently: they stay as they are."""
    own = {image.sha256: image.patient_key for image in before}
    pairs = {(own[item.sha256], patients[item.sha256]) for item in found if item.sha256 in own}
    there, here = len({one for one, _ in pairs}), len({other for _, other in pairs})
    if len(pairs) > max(there, here) or there != here:
        yield (
            f"By this rule the images that are in the project already would be {counted(here, 'patient')};"
            f" there they are {there}, and stay so. Remove them and add them again to change that."
        )


def _folders_otherwise(
    before: Sequence[ProjectImage],
    found: Sequence[FoundFile],
    rule: PatientRule,
    patients: Mapping[str, str],
) -> Iterator[str]:
    """Compare new images with those of their folder: new patients beside one, or one beside several."""
    known = {image.sha256 for image in before}
    places: dict[Path, list[ProjectImage]] = {}
    for image in before:
        places.setdefault(true_folder(Path(image.path).parent), []).append(image)
    new: dict[Path, list[str]] = {}
    for item in found:
        named = rule.kind in ("auto", "header") and item.header.patient_id.strip()
        if item.sha256 not in known and not named:
            new.setdefault(true_folder(item.path.parent), []).append(patients[item.sha256])
    beside = _patients_beside(places)
    otherwise = []
    for folder, keys in new.items():
        there = [image.patient_key for image in places.get(folder, ())]
        apart = len(set(there)) == 1 < len(there) and not set(keys) <= set(there)
        joined = rule.kind == "folder" and len(set(there)) > 1
        one, siblings = len(set(keys)) == 1, beside.get(folder.parent, set())
        unlike = not there and len(keys) > 1 and siblings == {not one}
        if apart or joined or unlike:
            otherwise.append(folder)
    if otherwise:
        yield (
            f"In {counted(len(otherwise), 'folder')}, such as “{otherwise[0].name}”, this rule"
            f" identifies patients differently from before; a patient may then be in both training and test."
        )


def _patients_beside(places: Mapping[Path, Sequence[ProjectImage]]) -> dict[Path, set[bool]]:
    """Return, by folder, whether its subfolders hold one patient each; a single image does not count."""
    found: dict[Path, set[bool]] = {}
    for folder, images in places.items():
        if len(images) > 1:
            one = len({image.patient_key for image in images}) == 1
            found.setdefault(folder.parent, set()).add(one)
    return found
