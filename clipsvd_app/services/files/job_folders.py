"""One folder for each job, deleted once its result is recorded.

The folders of a process lie together, beside a file that the process keeps locked while it lives. So what a
crash left behind can be told from what another window still works on, and is deleted at the next start.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import json
import shutil
import uuid
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from msgspec.structs import replace

from clipsvd_app.domain.records import from_text
from clipsvd_app.errors import own_folder_errors
from clipsvd_app.files import write_whole
from clipsvd_app.jobs.folders import CURVE_FILE, RESULT_FILE, forget_request, write_request
from clipsvd_app.jobs.requests import ImageInput, Request
from clipsvd_app.settings import data_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from clipsvd_app.domain.project_values import ProjectImage

RUN_FILE = "run.json"
"""In the folder of a training: the project of its run, and what is recorded beside its result."""
Stage = tuple[str, int, int]
"""A stage of a training with the steps done in it and their number."""
STOPPED, STAGES = "stopped", "stages"
"""What is added to ``run.json`` of a training that was stopped: when, in UTC, and how far it was."""
# Requests hold paths, which may hold patients' names: no other account of the computer may read them.
_OWN_EYES = 0o700
# filelock releases a lock whose object is collected, so they are kept here.
_locks: list[FileLock] = []  # held until the process ends, however it ends


def new_job(request: Request) -> Path:
    """Write a request into a new folder and return it."""
    folder = new_folder()
    with own_folder_errors(folder):
        write_request(folder, request)
    return folder


def new_folder() -> Path:
    """Make an empty job folder, for a request that refers to files in it."""
    jobs = data_folder() / "jobs"
    with own_folder_errors(jobs):
        folder = _of_this_process(jobs) / uuid.uuid4().hex[:12]
        folder.mkdir(parents=True, mode=_OWN_EYES)
    return folder


def forget_job(folder: Path) -> None:
    """Delete a job's folder."""
    shutil.rmtree(folder, ignore_errors=True)


def clear_old_jobs() -> None:
    """Delete the folders of processes that have ended, but keep their finished and stopped trainings."""
    _clear(data_folder() / "jobs")


def waiting_runs() -> tuple[Path, ...]:
    """Return the folders of finished trainings that could not be recorded yet, oldest first."""
    if not _waiting().is_dir():
        return ()
    found = filter(_is_finished_run, _waiting().iterdir())
    return tuple(sorted(found, key=lambda path: path.stat().st_mtime))


def keep_waiting(folder: Path) -> Path:
    """Keep a finished training until its project is next opened, and return where."""
    target = _waiting() / folder.name
    # The request holds paths; what the run records of it is in RUN_FILE already.
    forget_request(folder)
    if target != folder:
        _waiting().mkdir(parents=True, exist_ok=True, mode=_OWN_EYES)
        shutil.move(folder, target)
    return target


def put_aside(folder: Path, *, failed: bool = False) -> bool:
    """Keep the request of a training that did not finish, and delete its folder.

    One that ``failed`` before its first step would only fail again, and is deleted as any other job is.
    Returns whether it was kept.
    """
    kept = False
    # What cannot be kept costs a row in a table, and must not hide why the training ended.
    with contextlib.suppress(OSError, ValueError):
        known: dict[str, Any] = from_text(dict[str, Any], (folder / RUN_FILE).read_bytes())
        # A training that was resumed has at first fewer steps than before it was stopped.
        stages = max(_stages(folder / CURVE_FILE), known.get(STAGES, []), key=_steps)
        if stages or not failed:
            known |= {STAGES: stages, STOPPED: _last_change(folder)}
            _stopped().mkdir(parents=True, exist_ok=True, mode=_OWN_EYES)
            write_whole(_stopped() / f"{folder.name}.json", json.dumps(known).encode())
            kept = True
    forget_job(folder)
    return kept


def stopped_files() -> tuple[Path, ...]:
    """Return the records of trainings that can be resumed, a JSON file each."""
    return tuple(_stopped().glob("*.json")) if _stopped().is_dir() else ()


def image_input(image: ProjectImage, label: int | None) -> ImageInput:
    """Return a project's image as a request describes it; the patient is a number."""
    return ImageInput(
        id=image.id,
        path=image.path,
        frame=image.frame,
        patient=str(image.patient_number),
        label=label,
        window=image.window,
        crop=image.crop,
        series_window=image.series_window,
        sha256=image.sha256,
    )


def by_content(images: Iterable[ProjectImage]) -> list[ProjectImage]:
    """Return images in the order of their content hashes.

    Shots, folds, batches and samples depend on the order of a request's images: in this one, the same images
    give the same run whatever the order in which they were added.
    """
    return sorted(images, key=lambda image: (image.sha256, image.frame, image.path))


def labelled_inputs(images: Iterable[ProjectImage], class_ids: dict[int, int]) -> tuple[ImageInput, ...]:
    """Return inputs in content order, labels as positions in the class list, without excluded images.

    Patients are numbered in that order too, labelled ones first, so that unlabelled images move no fold.
    """
    usable = by_content(image for image in images if image.mark != "excluded")
    groups = patient_groups(usable)
    return tuple(
        replace(
            image_input(image, None if image.example_of is None else class_ids[image.example_of]),
            patient=groups[image.patient_key],
        )
        for image in usable
    )


def patient_groups(images: Sequence[ProjectImage]) -> dict[str, str]:
    """Return the name of each patient in a request, by key; the names sort in the order of these images."""
    labelled_first = sorted(images, key=lambda image: image.example_of is None)
    keys = dict.fromkeys(image.patient_key for image in labelled_first)
    # Filled with zeros, so that "000010" sorts after "000009" as text.
    return {key: f"{number:06d}" for number, key in enumerate(keys, start=1)}


@functools.cache
def _of_this_process(root: Path) -> Path:
    """Return this process's folder; what ended processes left behind is deleted first.

    The lock is taken before the folder is made: a folder without a held lock is another process's to delete.
    """
    _clear(root)
    root.mkdir(parents=True, exist_ok=True, mode=_OWN_EYES)
    folder = root / uuid.uuid4().hex[:12]
    lock = FileLock(_lock_of(folder))
    lock.acquire()
    _locks.append(lock)
    return folder


def _clear(root: Path) -> None:
    for folder in root.iterdir() if root.is_dir() else ():
        if folder.is_dir():
            _clear_if_ended(folder)


def _clear_if_ended(folder: Path) -> None:
    lock = FileLock(_lock_of(folder))
    try:
        with lock.acquire(timeout=0):
            for job in [job for job in folder.iterdir() if (job / RUN_FILE).is_file()]:
                keep_waiting(job) if _is_finished_run(job) else put_aside(job)
            forget_job(folder)
    except (Timeout, OSError):
        return  # its process lives, or another one clears it just now
    # Windows refuses while another process has it open to try the lock; the next start deletes it.
    with contextlib.suppress(OSError):
        _lock_of(folder).unlink(missing_ok=True)


def _is_finished_run(folder: Path) -> bool:
    return (folder / RUN_FILE).is_file() and (folder / RESULT_FILE).is_file()


def _stages(curve: Path) -> list[Stage]:
    """Return the stages whose steps were written to the curve file."""
    last: dict[str, tuple[int, int]] = {}
    for point in _points(curve):
        last[str(point["stage"])] = (int(point["done"]), int(point["total"]))
    return [(stage, done, total) for stage, (done, total) in last.items()]


def _points(curve: Path) -> Iterator[dict[str, Any]]:
    if curve.is_file():
        for line in curve.read_text(encoding="utf-8").splitlines():
            # The last line may have been cut short with the process.
            with contextlib.suppress(ValueError):
                point = from_text(dict[str, Any], line)
                if {"stage", "done", "total"} <= point.keys():
                    yield point


def _steps(stages: Sequence[Stage]) -> int:
    return sum(done for _, done, _ in stages)


def _last_change(folder: Path) -> str:
    newest = max(path.stat().st_mtime for path in folder.iterdir())
    return dt.datetime.fromtimestamp(newest, dt.UTC).isoformat(timespec="seconds")


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _waiting() -> Path:
    return data_folder() / "waiting runs"


def _stopped() -> Path:
    return data_folder() / "stopped runs"
