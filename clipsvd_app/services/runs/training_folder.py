"""The folder of a training: its request, the project it belongs to, and what the project will record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipsvd_app.domain.records import from_text, to_json, to_text
from clipsvd_app.jobs.requests import TrainRequest, without_paths
from clipsvd_app.services.files.job_folders import RUN_FILE, STAGES, new_job
from clipsvd_app.services.runs.run_views import views_kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.project import Project
    from clipsvd_app.services.files.job_folders import Stage


def new_training(project: Project, request: TrainRequest, preset: str, stages: Sequence[Stage] = ()) -> Path:
    """Write a training of this project into a new folder and return it.

    ``stages`` are those that a resumed training had done before it was stopped.
    """
    folder = new_job(request)
    known = {
        "project_id": project.setting("project_id"),
        "project": str(project.path.resolve()),
        "preset": preset,
        "request": _kept(request) | {"job": folder.name},
        "asked": to_json(without_paths(request)),
        STAGES: stages,
    }
    (folder / RUN_FILE).write_text(to_text(known), encoding="utf-8")
    return folder


def run_file(folder: Path) -> dict[str, Any]:
    """Return the record of the training in this folder."""
    return from_text(dict[str, Any], (folder / RUN_FILE).read_bytes())


def is_home(known: dict[str, Any], project: Project) -> bool:
    """Whether a training belongs to this project: the same file, or the same project at a new place.

    A copy has the same id: where the original is still in its place, the training is the original's.
    """
    if known["project_id"] != project.setting("project_id"):
        return False
    return Path(known["project"]) == project.path.resolve() or not Path(known["project"]).exists()


def _kept(request: TrainRequest) -> dict[str, object]:
    """Return what the project stores of a request: images by id, no paths, which may hold names."""
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
