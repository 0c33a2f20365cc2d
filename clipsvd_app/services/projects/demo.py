"""A ready project on the synthetic studies, so that every page has something to show."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.project import Project, create_project, open_project
from clipsvd_app.project.changes import SetLabels
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.services.models.backbones import DEMO
from clipsvd_app.services.projects.demo_run import add_demo_run
from clipsvd_app.services.runs.training_run import choose_mirroring
from clipsvd_app.services.studies.import_plan import apply_import, plan_import

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT_NAME = "Demo.clipsvd"
LABELLED_AT_START = 12
"""Patients per finding that carry a label when the window opens on the demo."""
WINDOW_PATIENTS, WINDOW_PIXELS = 48, 400
"""The window's demo has fewer and smaller films than the command's, because the user waits for it."""
NO_RUN = (
    "The demo opened without its finished run, because this computer draws the films slightly"
    " differently. Press Train to compute a run."
)


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """Where the synthetic studies lie, and the finding of each file by its resolved path."""

    folder: Path
    findings: dict[str, str]


def demo_files(folder: Path, report: Callable[[int, int], None] | None = None) -> DemoFiles:
    """Return the synthetic studies of the command in ``folder``, writing them the first time."""
    return _files(folder, lambda write: write(folder, report=report))


def window_demo_files(folder: Path, report: Callable[[int, int], None] | None = None) -> DemoFiles:
    """Return the synthetic studies of the window's demo in ``folder``, writing them the first time."""
    return _files(
        folder,
        lambda write: write(folder, patients=WINDOW_PATIENTS, size=WINDOW_PIXELS, png=False, report=report),
    )


def _files(folder: Path, draw: Callable[[Callable[..., object]], object]) -> DemoFiles:
    table = folder / "labels.csv"
    if not table.is_file():
        from clipsvd_app.demo_studies import write_demo_studies  # SciPy takes a second to load

        draw(write_demo_studies)
    with table.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return DemoFiles(folder, {str((folder / row["path"]).resolve()): row["class"] for row in rows})


def new_demo_project(path: Path, files: DemoFiles) -> Project:
    """Make a project with the three findings as classes and all studies imported, nothing labelled."""
    from clipsvd_app.demo_studies import FINDINGS, PROMPTS

    project = create_project(path)
    project.set_setting("backbone", DEMO)
    choose_mirroring(project, False)
    for finding in FINDINGS:
        project.apply(AddClass(ClassSpec(finding, PROMPTS[finding])))
    project.apply(apply_import(project, plan_import(project, [files.folder / "dicom"])))
    return project


def label_demo(project: Project, files: DemoFiles, patients_per_finding: int | None = None) -> None:
    """Label all studies with their known findings, or those of the first patients of each."""
    class_ids = {known.name: known.id for known in project.classes()}
    taken: dict[str, set[str]] = {name: set() for name in class_ids}
    labels: dict[int, int | None] = {}
    for image in project.images():
        finding = files.findings[str(Path(image.path))]
        patients = taken[finding]
        if patients_per_finding is None or len(patients | {image.patient_key}) <= patients_per_finding:
            patients.add(image.patient_key)
            labels[image.id] = class_ids[finding]
    project.apply(SetLabels(labels, "label the demo studies"))


@dataclass(frozen=True, slots=True)
class OpenDemo:
    """Where the window's demo is. note: what the user should know of it, else ""."""

    path: Path
    note: str = ""


def open_demo(folder: Path, report: Callable[[int, int], None] | None = None) -> OpenDemo:
    """Return the demo project for the window, made on first use; the user's work on it is kept."""
    path = folder / PROJECT_NAME
    if path.is_file():
        open_project(path).close()
        return OpenDemo(path)
    files = window_demo_files(folder / "studies", report)
    try:
        with window_demo_project(path, files) as project:
            has_run = add_demo_run(project)
    except BaseException:
        path.unlink(missing_ok=True)  # half a demo would be opened as a whole one next time
        raise
    return OpenDemo(path, "" if has_run else NO_RUN)


def window_demo_project(path: Path, files: DemoFiles) -> Project:
    """Make the project that the window's demo opens on, without its run."""
    project = new_demo_project(path, files)
    label_demo(project, files, LABELLED_AT_START)
    return project
