"""One folder for each job, in the program's data folder, gone once its result is recorded."""

from __future__ import annotations

import shutil
import time
import uuid
from typing import TYPE_CHECKING

from clipsvd_app.jobs import CropSpec, ImageInput, Request, WindowSpec, write_request
from clipsvd_app.settings import data_folder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from clipsvd_app.domain.study import ProjectImage

KEEP_S = 7 * 24 * 3600


def new_job(request: Request) -> Path:
    """Write a request into a new folder and return it."""
    folder = new_folder(request.kind)
    write_request(folder, request)
    return folder


def new_folder(kind: str) -> Path:
    """Make an empty job folder, for a request that refers to files in it."""
    folder = _root() / f"{kind}-{uuid.uuid4().hex[:12]}"
    folder.mkdir(parents=True)
    return folder


def forget_job(folder: Path) -> None:
    """Delete a job's folder."""
    shutil.rmtree(folder, ignore_errors=True)


def clear_old_jobs() -> None:
    """Delete folders that nobody came back for within a week."""
    if not _root().is_dir():
        return
    for folder in _root().iterdir():
        if time.time() - folder.stat().st_mtime > KEEP_S:
            forget_job(folder)


def image_input(image: ProjectImage, label: int | None) -> ImageInput:
    """Return what a request says of a project's image; the patient is a number."""
    window = image.window
    return ImageInput(
        id=image.id,
        path=image.path,
        frame=image.frame,
        group=str(image.patient_number),
        label=label,
        window=None if window is None else WindowSpec(window[0], window[1], window[2]),  # type: ignore[arg-type]
        crop=None if image.crop is None else CropSpec(*image.crop),
        sha256=image.sha256,
    )


def labelled_inputs(images: Iterable[ProjectImage], class_ids: dict[int, int]) -> tuple[ImageInput, ...]:
    """Return inputs whose labels are positions in the class list; excluded images are left out."""
    return tuple(
        image_input(image, None if image.example_of is None else class_ids[image.example_of])
        for image in images
        if image.mark != "excluded"
    )


def _root() -> Path:
    return data_folder() / "jobs"
