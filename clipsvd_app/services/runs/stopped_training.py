"""A training that was stopped or interrupted: its request is kept, so that it can be resumed.

Each has one small file in the data folder. Its fits are among the checkpoints, under a hash of the request:
to send the same request again is to resume.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from clipsvd_app.domain.records import from_json, from_text
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.requests import BackboneRef, TrainRequest, without_paths
from clipsvd_app.services.files.job_folders import STAGES, STOPPED, Stage, stopped_files
from clipsvd_app.services.models import backbones
from clipsvd_app.services.runs.training_folder import is_home, new_training

if TYPE_CHECKING:
    from clipsvd_app.project import Project
    from clipsvd_app.settings import Settings


@dataclass(frozen=True, slots=True)
class StoppedTraining:
    """A training that can be resumed. ``stages``: those with steps done, in order. ``stopped``: in UTC."""

    file: Path
    preset: str
    stopped: str
    stages: tuple[Stage, ...]
    request: TrainRequest

    @property
    def key(self) -> str:
        """A unique name: that of its file."""
        return self.file.stem


def stopped_trainings(project: Project) -> tuple[StoppedTraining, ...]:
    """Return the stopped trainings of this project, oldest first; damaged files are skipped."""
    found = []
    for file in stopped_files():
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            known = from_text(dict[str, Any], file.read_bytes())
            if is_home(known, project):
                found.append(_stopped(file, known))
    return tuple(sorted(found, key=lambda one: (one.stopped, one.key)))


def discard(stopped: StoppedTraining) -> None:
    """Delete its file; its checkpoints are deleted when they are old."""
    # On a read-only drive it stays in the list, and can be discarded later.
    with contextlib.suppress(OSError):
        stopped.file.unlink(missing_ok=True)


def discard_asked(project: Project, request: TrainRequest) -> None:
    """Delete the record of a stopped training that this request resumes."""
    asked = without_paths(request)
    for stopped in stopped_trainings(project):
        if stopped.request == asked:
            discard(stopped)


def prepare_again(project: Project, settings: Settings, stopped: StoppedTraining) -> Path:
    """Write the job of a stopped training again, with the same request, and return its folder.

    Later changes of the project have no effect. Refused where images or weights are gone.
    """
    asked = stopped.request
    known = {image.id: image for image in project.images()}
    gone = [i for i in asked.images if i.id not in known or known[i.id].sha256 != i.sha256]
    if gone:
        raise UserError(
            f"{len(gone):,} of the {counted(len(asked.images), 'image')} of this training"
            f" {'is' if len(gone) == 1 else 'are'} no longer in the project.",
            remedy="Restore them (Edit > Undo), or discard this training and train again.",
            code="stopped_images_gone",
        )
    request = replace(
        asked,
        backbone=_backbone(project, settings, asked.backbone),
        images=tuple(replace(image, path=known[image.id].path) for image in asked.images),
    )
    folder = new_training(project, request, stopped.preset, stopped.stages)
    discard(stopped)
    return folder


def _backbone(project: Project, settings: Settings, asked: BackboneRef) -> BackboneRef:
    """Return the backbone with the weights that the training began with, wherever they are now."""
    names = (project.setting("backbone", backbones.DEMO), asked.name)
    for name in names:
        with contextlib.suppress(UserError):
            if (found := backbones.find(settings, name)).sha256 == asked.sha256:
                # Checkpoints are found by a hash of the request, and the name is part of it.
                return replace(found, name=asked.name)
    raise UserError(
        f"The backbone “{asked.name}” is missing or has changed since this training began.",
        remedy="Add it again in Settings, or discard this training and train again.",
        code="backbone_missing",
    )


def _stopped(file: Path, known: dict[str, Any]) -> StoppedTraining:
    stages = tuple((str(stage), int(done), int(total)) for stage, done, total in known[STAGES])
    request = from_json(TrainRequest, known["asked"])
    return StoppedTraining(file, str(known["preset"]), str(known[STOPPED]), stages, request)
