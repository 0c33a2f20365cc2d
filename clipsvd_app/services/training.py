"""From a project to a training request, and from a finished job to a run of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.codec import to_json
from clipsvd_app.domain.results import RunResult
from clipsvd_app.errors import UserError
from clipsvd_app.jobs import BackboneRef, TrainRequest, read_request, read_result
from clipsvd_app.services.job_folders import (
    by_content,
    forget_job,
    labelled_inputs,
    new_job,
    patient_groups,
)
from clipsvd_app.services.labelling import class_counts
from clipsvd_app.services.locked_test import locked_groups
from clipsvd_app.services.run_views import views_kept
from clipsvd_app.services.weaknesses import weaknesses

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from clipsvd_app.domain.recipe import DeviceName, Recipe
    from clipsvd_app.domain.study import ProjectClass, ProjectImage
    from clipsvd_app.project import Project

ADAPTER = "adapter.safetensors"
SEED = 0
"""What every run draws by unless another is asked for: the same images and labels give the same figures."""
_MIRROR = "mirror_images"


def prepare(
    project: Project,
    backbone: BackboneRef,
    recipe: Recipe,
    *,
    shots: int | None = None,
    seed: int = SEED,
    device: DeviceName = "auto",
    locked_test: bool | None = None,
) -> Path:
    """Write the training job of a project and return its folder.

    ``locked_test`` changes whether the project sets patients aside from every run; None keeps it as it is.
    """
    classes, images = project.classes(), project.images()
    if trouble := obstacles(classes, images, shots):
        raise trouble[0]
    usable = [image for image in images if image.mark != "excluded"]
    locked = locked_groups(project, classes, usable, locked_test)
    groups = patient_groups(by_content(usable))
    positions = {known.id: index for index, known in enumerate(classes)}
    request = TrainRequest(
        backbone=backbone,
        classes=tuple(ClassSpec(known.name, known.prompts) for known in classes),
        images=labelled_inputs(images, positions),
        recipe=recipe,
        seed=seed,
        shots=shots,
        locked=tuple(sorted(groups[key] for key in locked)),
        warnings=weaknesses(project, usable, locked=bool(locked)),
        device=device,
    )
    return new_job(request)


def mirrors(project: Project) -> bool:
    """Return whether the project's runs mirror images; they do unless it was turned off."""
    return project.setting(_MIRROR) != "no"


def choose_mirroring(project: Project, wanted: bool) -> None:
    """Keep whether runs mirror images left-right; off where left and right decide."""
    project.set_setting(_MIRROR, "yes" if wanted else "no")


def obstacles(
    classes: Sequence[ProjectClass], images: Sequence[ProjectImage], shots: int | None = None
) -> list[UserError]:
    """Return what keeps the project from being trained, each with its remedy; empty when nothing does."""
    counts = class_counts(images)
    found: list[UserError] = []
    if not images:
        found.append(
            UserError(
                "The project has no images.",
                remedy="Drop a folder of studies onto the window (clipsvd add).",
                code="no_images",
            )
        )
    if len(classes) < 2:
        found.append(
            UserError(
                "Training needs at least two classes." if classes else "The project has no classes.",
                remedy="Add a class for what it is to be told from (+ on the Label page).",
                code="too_few_classes",
            )
        )
    found += [
        UserError(
            f"The class “{known.name}” has no image.",
            remedy="Drop at least one example onto it, or remove the class.",
            code="empty_class",
        )
        for known in classes
        if not counts[known.id]
    ]
    if shots is not None and shots < 1:
        found.append(UserError("At least one shot per class is needed.", remedy="Use --shots 1 or more."))
    return found


def record(project: Project, folder: Path) -> int:
    """Store a finished job as a run and return the run's number; the folder is deleted."""
    request = read_request(folder)
    assert isinstance(request, TrainRequest)
    result = read_result(folder, RunResult)
    adapter = (folder / ADAPTER).read_bytes()
    number = project.add_run(request.recipe.preset, _kept(request), result, adapter)
    forget_job(folder)
    return number


def _kept(request: TrainRequest) -> dict[str, object]:
    """Return what the project keeps of a request: no paths, images by number."""
    return {
        "backbone": {"name": request.backbone.name, "sha256": request.backbone.sha256},
        "classes": to_json(request.classes),
        "labels": {str(image.id): image.label for image in request.images if image.label is not None},
        "recipe": to_json(request.recipe),
        "seed": request.seed,
        "shots": request.shots,
        "views": views_kept(request.images),
        "locked_patients": len(request.locked),
    }
