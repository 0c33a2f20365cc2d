"""Changing the patient of images by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.project.patient_changes import MoveToPatient
from clipsvd_app.services.studies.held_out_patients import SEED, SETTING, is_locked

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.project import Project

NEW_PATIENT = ""
# A folder or stem that more patients share than this is the whole data set's, and suggests nobody.
FEW_ALIKE = 6


@dataclass(frozen=True, slots=True)
class PatientChoice:
    """A patient to whom images can be moved: key, number, images, and the reason where that is likely."""

    key: str
    number: int
    images: int
    reason: str = ""


def with_their_series(images: Sequence[ProjectImage], chosen: Collection[int]) -> tuple[ProjectImage, ...]:
    """Return the chosen images with all others of the same DICOM series or file.

    These are one examination of one patient; other images of a folder may be of different patients.
    """
    series = {image.series_id for image in images if image.id in chosen and image.modality}
    files = {image.sha256 for image in images if image.id in chosen}
    return tuple(
        image for image in images if image.id in chosen or image.series_id in series or image.sha256 in files
    )


def patient_choices(
    images: Sequence[ProjectImage], moving: Sequence[ProjectImage]
) -> tuple[PatientChoice, ...]:
    """Return the other patients: first those suggested by file name or folder, then by number."""
    whose = {image.patient_key for image in moving}
    keys = {image.patient_key: image.patient_number for image in images}
    counts = Counter(image.patient_key for image in images)
    reasons = _reasons(images, moving)
    choices = [
        PatientChoice(key, number, counts[key], reasons.get(key, ""))
        for key, number in keys.items()
        if whose != {key}
    ]
    return tuple(sorted(choices, key=lambda choice: (not choice.reason, choice.number)))


def change_patient(project: Project, moving: Sequence[ProjectImage], key: str) -> MoveToPatient:
    """Return the change that moves images to a patient; :data:`NEW_PATIENT` makes one."""
    noun = "image" if len(moving) == 1 else counted(len(moving), "image")
    ids = tuple(image.id for image in moving)
    return MoveToPatient(ids, key or _new_key(project, moving), f"change patient of {noun}")


def locked_sentence(project: Project, moving: Sequence[ProjectImage], key: str) -> str:
    """Say how many images move between training and the locked test, "" where none do."""
    seed = project.setting(SEED)
    if not seed or project.setting(SETTING) != "yes":
        return ""
    there = _is_new_locked(seed, moving) if key == NEW_PATIENT else is_locked(seed, key)
    crossing = sum(is_locked(seed, image.patient_key) != there for image in moving)
    if not crossing:
        return ""
    which = counted(crossing, "image moves", "images move")
    ways = ("the fixed test set", "training") if not there else ("training", "the fixed test set")
    return f"{which} from {ways[0]} to {ways[1]}: earlier and later runs will not be comparable."


def _new_key(project: Project, moving: Sequence[ProjectImage]) -> str:
    """Return the key of a new patient on the same side of the locked test as the images.

    Keys are tried until one falls there, because the key's hash decides the side.
    """
    seed, first = project.setting(SEED), moving[0]
    taken = {image.patient_key for image in project.images()}
    keys = (project.salted(f"by hand:{first.sha256}:{first.frame}:{number}") for number in count())
    wanted = _is_new_locked(seed, moving)
    return next(key for key in keys if key not in taken and (not seed or is_locked(seed, key) == wanted))


def _is_new_locked(seed: str, moving: Sequence[ProjectImage]) -> bool:
    return bool(seed) and any(is_locked(seed, image.patient_key) for image in moving)


def _reasons(images: Sequence[ProjectImage], moving: Sequence[ProjectImage]) -> dict[str, str]:
    stems = {_stem(image) for image in moving}
    folders = {Path(image.path).parent for image in moving}
    folder = {image.patient_key for image in images if Path(image.path).parent in folders}
    alike = {image.patient_key for image in images if _stem(image) in stems}
    return _said_of_few(folder, "same folder") | _said_of_few(alike, "similar file name")


def _said_of_few(keys: Collection[str], reason: str) -> dict[str, str]:
    """Return the reason by key, nothing where it applies to so many that it suggests no one."""
    return dict.fromkeys(keys, reason) if len(keys) <= FEW_ALIKE else {}


def _stem(image: ProjectImage) -> str:
    """Return the beginning of a file's name, up to its last number."""
    name = Path(image.path).stem.casefold()
    return name.rstrip("0123456789").rstrip(" _-.()") or name
