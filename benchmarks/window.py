"""How soon the window shows and answers, measured in a window of its own that no screen is needed for."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.records import Record, from_text
from clipsvd_app.project import create_project
from clipsvd_app.project.changes import SetLabels
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.services.studies.import_plan import apply_import, plan_import
from clipsvd_app.settings import HOME_VARIABLE

LONGEST_S = 900
CLASSES = ("plain", "disc")
LABELLED = 24  # enough for the preview to predict, so that the pool has all its orders
PICTURE_PX = 256
QT_WORKS = "import pyqtgraph; from PySide6.QtWidgets import QApplication; QApplication([])"

T = TypeVar("T")


class WindowBench(Record):
    """first_image_s: from opening a project of the series until its first image is painted, a median.

    scroll_p95_ms: from asking for the next slice until it is painted; None where there is only one.
    """

    first_image_s: float
    scroll_p95_ms: float | None


class LabellingBench(Record):
    """What a window does to the hand that labels.

    opening_processor_s: processor time of the window's process, all threads, from opening the project until
    image and thumbnails are there. held_p95_ms: by order of the pool, the longest time that the event loop
    was held after a label, 95th percentile over labels. theme_ms: by page, from asking for the other theme
    until it is painted.
    """

    images: int
    opening_processor_s: float
    held_p95_ms: dict[str, float]
    theme_ms: dict[str, float]


class AddingBench(Record):
    """How long the event loop is held while files are added.

    held_ms: the longest time. busy_ms: the most processor time of the window's own thread in one turn, which
    no other program adds to.
    """

    images: int
    adding_s: float
    held_ms: float
    busy_ms: float


def bench_window(folder: Path, runs: int) -> WindowBench | None:
    """Import the folder into a new project and watch a window show it; None where Qt does not run."""
    with tempfile.TemporaryDirectory(prefix="clipsvd-bench-") as scratch:
        path = Path(scratch) / "bench.clipsvd"
        with create_project(path) as project:
            project.apply(apply_import(project, plan_import(project, [folder])))
        return measured_in_window(WindowBench, "viewing_times", path, runs)


def bench_labelling(images: int, labels: int) -> LabellingBench | None:
    """Draw a project of pictures and label in its window, in every order; None where Qt does not run."""
    with tempfile.TemporaryDirectory(prefix="clipsvd-bench-") as scratch:
        folder = Path(scratch) / "pictures"
        folder.mkdir()
        _draw(folder, images)
        path = Path(scratch) / "bench.clipsvd"
        with create_project(path) as project:
            for name in CLASSES:
                project.apply(AddClass(class_from_name(name)))
            project.apply(apply_import(project, plan_import(project, [folder])))
            first = [image.id for image in project.images()][:LABELLED]
            ids = [known.id for known in project.classes()]
            project.apply(SetLabels({image: ids[at % len(ids)] for at, image in enumerate(first)}, "label"))
        return measured_in_window(LabellingBench, "labelling_times", path, labels)


def bench_adding(files: int) -> AddingBench | None:
    """Add drawn files to a new project in its window; None where Qt does not run."""
    with tempfile.TemporaryDirectory(prefix="clipsvd-bench-") as scratch:
        return measured_in_window(AddingBench, "import_window", Path(scratch) / "bench.clipsvd", files)


def _draw(folder: Path, images: int) -> None:
    """Write grey pictures of soft noise, every second one with a bright disc."""
    rows, columns = np.mgrid[:PICTURE_PX, :PICTURE_PX]
    chance = np.random.default_rng(0)
    for number in range(images):
        coarse = chance.integers(40, 140, (8, 8)).astype(np.uint8)
        picture = np.kron(coarse, np.ones((PICTURE_PX // 8, PICTURE_PX // 8), np.uint8))
        if number % 2:
            row, column = chance.integers(60, PICTURE_PX - 60, 2)
            picture[(rows - row) ** 2 + (columns - column) ** 2 < 40**2] = 230
        Image.fromarray(picture).save(folder / f"{number:05}.png", compress_level=1)


def measured_in_window(kind: type[T], module: str, path: Path, count: int) -> T | None:
    """Return what a module measured in a window of its own."""
    home = str(path.parent / "home")
    environment = {**os.environ, HOME_VARIABLE: home, "QT_QPA_PLATFORM": "offscreen"}
    probe = [sys.executable, "-P", "-c", QT_WORKS]
    if subprocess.run(probe, env=environment, capture_output=True, check=False).returncode:
        return None
    done = subprocess.run(
        [sys.executable, "-P", "-m", f"benchmarks.{module}", str(path), str(count)],
        env=environment,
        stdout=subprocess.PIPE,
        timeout=LONGEST_S,
        check=True,
    )
    return from_text(kind, done.stdout.splitlines()[-1])
