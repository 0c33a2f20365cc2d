"""From a project to a training request, and from a finished job to a run of the project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.adapter_file.names import CLASSIFIER_SUFFIX
from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.recipe import recipe_for, recipe_title
from clipsvd_app.domain.results.run import RunResult
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.folders import read_result
from clipsvd_app.jobs.requests import BackboneRef, TrainRequest
from clipsvd_app.project import open_project
from clipsvd_app.services.files.job_folders import (
    by_content,
    forget_job,
    keep_waiting,
    labelled_inputs,
    patient_groups,
    waiting_runs,
)
from clipsvd_app.services.labels.labels import class_counts
from clipsvd_app.services.runs.stopped_training import discard_asked
from clipsvd_app.services.runs.training_folder import is_home, new_training, run_file
from clipsvd_app.services.runs.weaknesses import weaknesses
from clipsvd_app.services.studies.held_out_patients import set_patients_aside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.project_values import ProjectClass, ProjectImage
    from clipsvd_app.domain.recipe import DeviceName
    from clipsvd_app.project import Project

ADAPTER, CLASSIFIERS = "adapter.safetensors", "classifiers"
SEED = 0
"""The seed of every run unless another is asked for: the same images and labels give the same figures."""
_MIRROR = "mirror_images"


def prepare(
    project: Project,
    backbone: BackboneRef,
    preset: str,
    *,
    shots: int | None = None,
    seed: int = SEED,
    device: DeviceName = "auto",
    locked_test: bool | None = None,
    plain: bool = False,
) -> Path:
    """Write the training job of a project and return its folder.

    The recipe is the preset's, mirroring images as the project says (`mirrors`); ``plain`` makes it plain
    CLIP-SVD, as in the paper.
    ``locked_test`` changes whether the project sets patients aside from every run; None keeps its choice.
    """
    recipe = recipe_for(preset, flip=mirrors(project), plain=plain)
    classes, images = project.classes(), project.images()
    if found := obstacles(classes, images, shots):
        raise found[0]
    usable = [image for image in images if image.mark != "excluded"]
    locked = set_patients_aside(project, classes, usable, locked_test)
    patients = patient_groups(by_content(usable))
    positions = {known.id: index for index, known in enumerate(classes)}
    request = TrainRequest(
        backbone=backbone,
        classes=tuple(ClassSpec(known.name, known.prompts) for known in classes),
        images=labelled_inputs(images, positions),
        recipe=recipe,
        seed=seed,
        shots=shots,
        locked=tuple(sorted(patients[key] for key in locked)),
        warnings=weaknesses(project, usable, locked=bool(locked)),
        device=device,
    )
    discard_asked(project, request)  # it goes on now
    return new_training(project, request, recipe_title(recipe))


def mirrors(project: Project) -> bool:
    """Return whether the project's runs mirror images; they do unless it was turned off."""
    return project.setting(_MIRROR) != "no"


def choose_mirroring(project: Project, wanted: bool) -> None:
    """Store whether runs mirror images left-right; to be off where a class depends on the side."""
    project.set_setting(_MIRROR, "yes" if wanted else "no")


def obstacles(
    classes: Sequence[ProjectClass], images: Sequence[ProjectImage], shots: int | None = None
) -> list[UserError]:
    """Return what prevents training, each with its remedy; empty when nothing does."""
    counts = class_counts(images)
    found: list[UserError] = []
    if not images:
        found.append(
            UserError(
                "The project has no images.",
                remedy="Drop a folder of studies on the window, or use clipsvd add.",
                code="no_images",
            )
        )
    if len(classes) < 2:
        found.append(
            UserError(
                "Training needs at least two classes." if classes else "The project has no classes.",
                remedy="Add another class (+ on the Label page).",
                code="too_few_classes",
            )
        )
    found += [
        UserError(
            f"The class “{known.name}” has no images.",
            remedy="Add at least one image, or remove the class.",
            code="empty_class",
        )
        for known in classes
        if not counts[known.id]
    ]
    if shots is not None and shots < 1:
        found.append(UserError("The number of shots must be at least 1.", remedy="Set --shots to 1 or more."))
    return found


def record(project: Project, folder: Path) -> int:
    """Store a finished job as a run, delete its folder, and return the run's number.

    What cannot be stored is kept, and recorded when the project is next opened; the UserError says where.
    """
    try:
        return _store(project, folder)
    except UserError as error:
        raise _kept_for_later(folder, error) from error


def record_at_home(folder: Path, opened: Project | None) -> int:
    """Store a finished job, as ``record`` does, in its own project, whichever one is open."""
    if opened is not None and is_made_for(folder, opened):
        return record(opened, folder)
    try:
        with open_project(home_of(folder)) as home:
            if not is_made_for(folder, home):
                raise UserError(f"“{home.path.name}” is now a different project.", remedy="")
            return _store(home, folder)
    except UserError as error:
        raise _kept_for_later(folder, error) from error


def record_waiting(project: Project) -> tuple[list[int], list[UserError]]:
    """Store the finished jobs that wait for this project; return the runs' numbers and the failures."""
    numbers: list[int] = []
    failures: list[UserError] = []
    for folder in () if project.read_only else waiting_runs():
        try:
            if is_made_for(folder, project):
                numbers.append(_store(project, folder))
        except UserError as error:
            failures.append(_kept_for_later(folder, error))
        except (OSError, ValueError, KeyError, TypeError):
            failures.append(_unreadable(folder))
    return numbers, failures


def is_made_for(folder: Path, project: Project) -> bool:
    """Whether a training belongs to this project (`is_home`)."""
    return is_home(run_file(folder), project)


def home_of(folder: Path) -> Path:
    """Return the path of the project that a training belongs to."""
    return Path(run_file(folder)["project"])


def result_of(folder: Path) -> RunResult:
    """Return what a finished training found."""
    return read_result(folder, RunResult)


def _store(project: Project, folder: Path) -> int:
    kept = run_file(folder)
    # The program may have been killed between the project's file and this folder.
    number = project.run_of_job(kept["request"]["job"])
    if number is None:
        result, adapter = read_result(folder, RunResult), (folder / ADAPTER).read_bytes()
        classifiers = {
            file.name.removesuffix(CLASSIFIER_SUFFIX): file.read_bytes()
            for file in sorted((folder / CLASSIFIERS).glob(f"*{CLASSIFIER_SUFFIX}"))
        }
        number = project.add_run(kept["preset"], kept["request"], result, adapter, classifiers)
    forget_job(folder)
    return number


def _kept_for_later(folder: Path, error: UserError) -> UserError:
    name, place = home_of(folder).stem, keep_waiting(folder)
    return UserError(
        f"The run of “{name}” has finished but could not be saved to the project. {error.message}",
        remedy=f"It will be saved when you next open “{name}” for writing. Until then it is in “{place}”.",
        code="run_waiting",
    )


def _unreadable(folder: Path) -> UserError:
    return UserError(
        "A finished run that was not yet saved cannot be read.",
        remedy=f"Train again. Delete “{folder}” to dismiss this message.",
        code="run_unreadable",
    )
