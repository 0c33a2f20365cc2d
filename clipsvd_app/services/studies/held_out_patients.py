"""Patients that a project sets aside: they test every run and train none."""

from __future__ import annotations

import hashlib
import secrets
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clipsvd_app.domain.project_values import ProjectClass, ProjectImage
    from clipsvd_app.project import Project

SHARE = 0.25
"""The share of patients that is set aside."""
ENOUGH = 20


"""Patients are set aside by default only where every class has this many on either side.

With 20 patients Wilson's interval of a sensitivity of 80 % is still 34 points wide; with fewer,
cross-validation over all patients says more than a small test set does.
"""
LEAST = 4
"""On request, patients are set aside where every class has this many on either side."""

_DRAWS = 50
"""A first draw that leaves a class too few patients on a side is repeated up to this many times."""

SETTING, SEED = "locked_test", "locked_test_seed"


@dataclass(frozen=True, slots=True)
class LockedOffer:
    """Whether patients can be set aside, whether the next run does so, and a sentence about it."""

    possible: bool
    chosen: bool
    sentence: str


def locked_offer(
    project: Project, classes: Sequence[ProjectClass], images: Sequence[ProjectImage]
) -> LockedOffer:
    """Return what setting patients aside would mean for the project as it is now; changes nothing."""
    seed = project.setting(SEED)
    # The patients are drawn when they are first set aside; until then SHARE of each class is the estimate.
    keys = {image.patient_key for image in images if image.example_of is not None}
    if seed:
        locked = frozenset(key for key in keys if is_locked(seed, key))
        fewest = min((_fewest_on_a_side(known.id, images, locked) for known in classes), default=0)
    else:
        patients = [len({i.patient_key for i in images if i.example_of == known.id}) for known in classes]
        fewest = int(min(patients, default=0) * SHARE)
    setting = project.setting(SETTING)
    if fewest < LEAST and setting != "yes":
        wanted = round(LEAST / SHARE)
        return LockedOffer(False, False, f"Needs about {wanted} patients in every class.")
    chosen = setting == "yes" or (setting != "no" and fewest >= ENOUGH)
    share = (
        f"{len(locked):,} of {counted(len(keys), 'labelled patient')}"
        if seed
        else "A quarter of the patients"
    )
    return LockedOffer(True, chosen, f"{share}, the same in every run, are used only for testing.")


def set_patients_aside(
    project: Project, classes: Sequence[ProjectClass], images: Sequence[ProjectImage], asked: bool | None
) -> frozenset[str]:
    """Store in the project whether patients are set aside, and return the keys of those who are.

    ``asked`` changes the project's choice; None keeps it, and a project that never chose sets patients
    aside as soon as there are enough. Only a patient's key and the project's seed decide, so that the same
    patients stay aside when others are added.
    """
    if asked is False:
        choose_locked(project, False)
    chosen = "yes" if asked else project.setting(SETTING)
    if chosen == "no":
        return frozenset()
    keys = {image.patient_key for image in images}
    stored = project.setting(SEED)
    for _ in range(1 if stored else _DRAWS):
        seed = stored or secrets.token_hex(8)
        locked = frozenset(key for key in keys if is_locked(seed, key))
        fewest = min((_fewest_on_a_side(known.id, images, locked) for known in classes), default=0)
        if fewest >= LEAST:
            break
    if asked and fewest < LEAST:
        raise UserError(
            f"Setting aside a quarter of the patients would leave only {fewest} on one side in some class.",
            remedy=f"Label about {round(LEAST / SHARE)} patients of every class, or train with"
            f" --no-locked-test.",
            code="too_few_to_lock",
        )
    if chosen != "yes" and fewest < ENOUGH:
        return frozenset()
    project.set_setting(SEED, seed)
    choose_locked(project, True)
    return locked


def choose_locked(project: Project, wanted: bool) -> None:
    """Store whether the project sets patients aside."""
    project.set_setting(SETTING, "yes" if wanted else "no")


def is_locked(seed: str, patient_key: str) -> bool:
    """Draw by the hash of the project's seed and the patient's key."""
    drawn = hashlib.sha256(f"{seed}\x00{patient_key}".encode()).digest()
    # The first 64 bits of the hash are a uniform draw from [0, 2^64).
    return int.from_bytes(drawn[:8]) < SHARE * 2**64


def _fewest_on_a_side(class_id: int, images: Iterable[ProjectImage], locked: frozenset[str]) -> int:
    sides: dict[bool, set[str]] = defaultdict(set)
    for image in images:
        if image.example_of == class_id:
            sides[image.patient_key in locked].add(image.patient_key)
    return min(len(sides[True]), len(sides[False]))
