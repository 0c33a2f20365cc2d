"""What weakens an estimate, as far as the project shows it, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.services.studies.look_alikes import look_alikes, opposite_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.project import Project


def weaknesses(project: Project, images: Sequence[ProjectImage], *, locked: bool) -> tuple[str, ...]:
    """Return sentences on guessed patients, look-alikes across patients, and earlier looks at the test."""
    examples = [image for image in images if image.example_of is not None]
    sentences = [
        _by_likeness(project, examples),
        _doubles(examples),
        _opposites(examples),
        _looks(project) if locked else "",
    ]
    return tuple(sentence for sentence in sentences if sentence)


def known_by_likeness(project: Project, images: Sequence[ProjectImage]) -> set[str]:
    """Return the keys of patients known only by their images looking alike."""
    return {
        image.patient_key
        for image in images
        if image.near_hash and image.patient_key == project.salted(f"picture:{image.sha256}")
    }


def _by_likeness(project: Project, examples: Sequence[ProjectImage]) -> str:
    guessed, patients = known_by_likeness(project, examples), {image.patient_key for image in examples}
    if not guessed:
        return ""
    which = (
        "Patients are"
        if guessed == patients
        else f"{len(guessed):,} of {counted(len(patients), 'patient')} are"
    )
    return (
        f"{which} known by likeness only: pictures that look alike count as one patient and all others as"
        " different ones, so one patient may be on both sides and the figures too high."
    )


def _doubles(examples: Sequence[ProjectImage]) -> str:
    alike = look_alikes(examples)
    patient = {image.id: image.patient_key for image in examples}
    doubled = [one for one, others in alike.items() if any(patient[o] != patient[one] for o in others)]
    if not doubled:
        return ""
    which = counted(len(doubled), "image looks", "images look")
    return (
        f"{which} nearly the same as an image of another patient; if these are copies,"
        " the figures are too high."
    )


def _opposites(examples: Sequence[ProjectImage]) -> str:
    classes = {image.id: image.example_of for image in examples if image.example_of is not None}
    pairs = opposite_labels(examples, classes)
    if not pairs:
        return ""
    which = f"The images of {counted(pairs, 'pair')} look"
    return f"{which} nearly the same but differ in their labels; one of each may be wrong."


def _looks(project: Project) -> str:
    earlier = sum(run.evaluation == "locked" for run in project.runs())
    if not earlier:
        return ""
    runs = counted(earlier, "earlier run was", "earlier runs were")
    return (
        f"{runs} tested on the same set-aside patients; choosing among runs by them makes the best one"
        " look better than it is."
    )
