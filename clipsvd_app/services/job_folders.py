"""One folder for each job, in the program's data folder, gone once its result is recorded."""

from __future__ import annotations

import contextlib
import shutil
import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from clipsvd_app.errors import own_folder_errors
from clipsvd_app.jobs import CropSpec, ImageInput, Request, WindowSpec, write_request
from clipsvd_app.settings import data_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from clipsvd_app.domain.study import ProjectImage, WindowValue

KEEP_S = 7 * 24 * 3600


def new_job(request: Request) -> Path:
    """Write a request into a new folder and return it."""
    folder = new_folder(request.kind)
    with own_folder_errors(folder):
        write_request(folder, request)
    return folder


def new_folder(kind: str) -> Path:
    """Make an empty job folder, for a request that refers to files in it."""
    folder = _root() / f"{kind}-{uuid.uuid4().hex[:12]}"
    with own_folder_errors(_root()):
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
        with contextlib.suppress(OSError):  # gone in the meantime, or somebody else's
            if time.time() - folder.stat().st_mtime > KEEP_S:
                forget_job(folder)


def image_input(image: ProjectImage, label: int | None) -> ImageInput:
    """Return what a request says of a project's image; the patient is a number."""
    return ImageInput(
        id=image.id,
        path=image.path,
        frame=image.frame,
        group=str(image.patient_number),
        label=label,
        window=window_spec(image.window),
        crop=None if image.crop is None else CropSpec(*image.crop),
        series_window=window_spec(image.series_window),
    )


def window_spec(window: WindowValue | None) -> WindowSpec | None:
    """Return a stored window as requests write it."""
    return None if window is None else WindowSpec(*window)  # type: ignore[arg-type]


def by_content(images: Iterable[ProjectImage]) -> list[ProjectImage]:
    """Return images in the order of their content, whatever the order in which they were added.

    All that is drawn or cut off depends on the order of a request's images: shots, folds, batches, samples.
    """
    return sorted(images, key=lambda image: (image.sha256, image.frame, image.path))


def labelled_inputs(images: Iterable[ProjectImage], class_ids: dict[int, int]) -> tuple[ImageInput, ...]:
    """Return inputs by content, labels as positions in the class list; excluded images are left out.

    Patients are numbered in that order too, those with a label first, as folds are drawn among them.
    """
    usable = by_content(image for image in images if image.mark != "excluded")
    groups = patient_groups(usable)
    return tuple(
        replace(
            image_input(image, None if image.example_of is None else class_ids[image.example_of]),
            group=groups[image.patient_key],
        )
        for image in usable
    )


def patient_groups(images: Sequence[ProjectImage]) -> dict[str, str]:
    """Return what a request calls each patient: by key, names that sort in the order of these images."""
    labelled_first = sorted(images, key=lambda image: image.example_of is None)
    keys = dict.fromkeys(image.patient_key for image in labelled_first)
    return {key: f"{number:06d}" for number, key in enumerate(keys, start=1)}


def _root() -> Path:
    return data_folder() / "jobs"
