"""Explaining a stored run again from its adapter: after an update of the program, or with other phrases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.project_values import ProjectImage
from clipsvd_app.domain.results.explanation import RunExplanation
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.folders import read_result, write_request
from clipsvd_app.jobs.requests import ExplainRunRequest
from clipsvd_app.services.files.job_folders import by_content, forget_job, image_input, new_folder
from clipsvd_app.services.runs.run_views import views_of_run

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.domain.recipe import DeviceName
    from clipsvd_app.jobs.requests import BackboneRef
    from clipsvd_app.project import Project

# 64 images take about 4 s with the bundled model and 81 s with BiomedCLIP's architecture on two threads
# (docs/performance.md); the time grows with their number.
REFERENCE_IMAGES = 64


def prepare_explain_run(
    project: Project, number: int, backbone: BackboneRef, device: DeviceName = "auto"
) -> Path:
    """Write the job that explains a run again on its own images, training images first."""
    seen = views_of_run(project, number).seen
    trained = {p.image_id: p.role == "train" for p in project.run_result(number).predictions}
    known = [image for image in by_content(project.images()) if image.id in trained]
    images = sorted(known, key=lambda image: not trained[image.id])[:REFERENCE_IMAGES]
    if not images:
        raise UserError(
            "The images of this run are no longer in the project.",
            remedy="Undo the removal, then explain the run again.",
            code="no_images",
        )
    classes = project.run_result(number).explanation.classes
    folder = new_folder()
    adapter = folder / "adapter.safetensors"
    adapter.write_bytes(project.run_adapter(number))
    inputs = tuple(image_input(seen(image), None) for image in images)
    write_request(folder, ExplainRunRequest(backbone, str(adapter), inputs, device, classes))
    return folder


def record_explanation(project: Project, number: int, folder: Path) -> RunExplanation:
    """Store and return the result of a finished job; its folder is deleted."""
    found = read_result(folder, RunExplanation)
    project.set_run_explanation(number, found)
    forget_job(folder)
    return found


def loose_image(path: Path, number: int) -> ProjectImage:
    """Return a file outside the project as if it were an image of it.

    ``number`` must be negative: the project's ids are positive, so the two are never confused.
    """
    assert number < 0
    return ProjectImage(
        id=number,
        patient_number=0,
        study_number=0,
        series_number=0,
        series_id=0,
        patient_key="",
        sha256="",
        path=str(path),
        frame=0,
        modality="",
        body_part="",
        rows=0,
        columns=0,
        burned_in_text=False,
        class_id=None,
        window=None,
        crop=None,
    )
