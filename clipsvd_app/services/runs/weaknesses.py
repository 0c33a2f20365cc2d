"""What a project knows that weakens an estimate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.results.evaluation import Weakness
from clipsvd_app.services.studies.look_alikes import look_alikes, opposite_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.project import Project


def weaknesses(project: Project, images: Sequence[ProjectImage], *, locked: bool) -> tuple[Weakness, ...]:
    """Return what weakens: guessed patients, look-alikes across patients, and tests looked at before."""
    examples = [image for image in images if image.example_of is not None]
    found = [
        _by_similarity(project, examples),
        _look_alikes(examples),
        _opposites(examples),
        *([_looks(project)] if locked else []),
    ]
    return tuple(weakness for weakness in found if weakness.count)


def known_by_likeness(project: Project, images: Sequence[ProjectImage]) -> set[str]:
    """Return the keys of patients known only by their images looking alike."""
    return {
        image.patient_key
        for image in images
        if image.near_hash and image.patient_key == project.salted(f"picture:{image.sha256}")
    }


def _by_similarity(project: Project, examples: Sequence[ProjectImage]) -> Weakness:
    patients = {image.patient_key for image in examples}
    return Weakness("known_by_similarity", len(known_by_likeness(project, examples)), len(patients))


def _look_alikes(examples: Sequence[ProjectImage]) -> Weakness:
    alike = look_alikes(examples)
    patient = {image.id: image.patient_key for image in examples}
    doubled = [one for one, others in alike.items() if any(patient[o] != patient[one] for o in others)]
    return Weakness("look_alikes", len(doubled))


def _opposites(examples: Sequence[ProjectImage]) -> Weakness:
    classes = {image.id: image.example_of for image in examples if image.example_of is not None}
    return Weakness("opposite_labels", opposite_labels(examples, classes))


def _looks(project: Project) -> Weakness:
    return Weakness("tested_before", sum(run.evaluation == "locked" for run in project.runs()))
