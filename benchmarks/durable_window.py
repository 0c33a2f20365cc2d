"""How long one label holds the window's thread, in a project as large as a user's becomes.

``python -m benchmarks.durable_window PROJECT LABELS`` labels by keys in a whole window, every page built,
and writes one JSON line. The engine is a process that answers previews with made-up numbers: what is computed
there costs the window nothing, what is asked and answered does.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import queue
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from benchmarks.window import CLASSES, LABELLED, measured_in_window
from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.project_values import NewImage
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.domain.records import Record, to_json
from clipsvd_app.domain.results.evaluation import Evaluation
from clipsvd_app.domain.results.explanation import RunExplanation
from clipsvd_app.domain.results.run import Prediction, RunResult
from clipsvd_app.errors import Cancelled
from clipsvd_app.jobs.answers import PoolItem, PreviewResult
from clipsvd_app.jobs.folders import write_result
from clipsvd_app.jobs.lines import PROTOCOL, Command, Ready, encode_line
from clipsvd_app.jobs.requests import PreviewRequest
from clipsvd_app.project import create_project
from clipsvd_app.project.changes import AddImages, SetLabels
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.worker import Worker, read_commands

if TYPE_CHECKING:
    from clipsvd_app.jobs.lines import Announce, Event, Report
    from clipsvd_app.jobs.requests import Request
    from clipsvd_app.project import Project

IMAGES, RUNS, PREDICTIONS = 10_000, 5, 2_000
IMAGES_OF_A_PATIENT = 4
PICTURE_PX = 64
BETWEEN_LABELS_MS = 700  # a quick reader; the preview answers in between
OPENED_WITHIN_S = 60.0
ENGINE = "engine"


class Spread(Record):
    """Milliseconds over labels."""

    median: float
    p95: float
    largest: float


class LabelPace(Record):
    """What a label costs the window's thread.

    key: processor time until the key is dealt with and the next could be; painted: until all that it changed
    is painted too. label: the same by the clock, with the wait for the disk. held: the longest time for which
    the event loop answered nothing until the next label, the preview's request and answer included; busy: all
    processor time until then.
    """

    images: int
    runs: int
    labels: int
    key: Spread
    painted: Spread
    label: Spread
    held: Spread
    busy: Spread


def bench_label_pace(labels: int, images: int = IMAGES, runs: int = RUNS) -> LabelPace | None:
    """Make a large project on disk and label in its window; None where Qt does not run."""
    with tempfile.TemporaryDirectory(prefix="clipsvd-bench-") as scratch:
        path = Path(scratch) / "bench.clipsvd"
        with create_project(path) as project:
            fill(project, Path(scratch), images, runs)
        return measured_in_window(LabelPace, "durable_window", path, labels)


def fill(project: Project, folder: Path, images: int, runs: int) -> None:
    """Give a project pictures on disk, two classes with some labels, and finished runs."""
    for name in CLASSES:
        project.apply(AddClass(class_from_name(name)))
    project.apply(AddImages(tuple(_picture(folder, number) for number in range(images))))
    ids = [image.id for image in project.images()]
    classes = [known.id for known in project.classes()]
    project.apply(SetLabels({image: classes[at % 2] for at, image in enumerate(ids[:LABELLED])}))
    request: dict[str, object] = {"recipe": to_json(Recipe()), "classes": [], "labels": {}, "views": {}}
    for _ in range(runs):
        project.add_run("quick", request, _made_up_run(ids[:PREDICTIONS]), b"no adapter")


def _picture(folder: Path, number: int) -> NewImage:
    """Write a picture of soft noise and return it as it would be found."""
    chance = np.random.default_rng(number)
    pixels = chance.integers(0, 256, (8, 8), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(pixels).resize((PICTURE_PX, PICTURE_PX)).save(written, "PNG", compress_level=1)
    path = folder / f"{number:05}.png"
    path.write_bytes(written.getvalue())
    patient = f"patient {number // IMAGES_OF_A_PATIENT}"
    return NewImage(
        patient_key=patient,
        study_key=patient,
        series_key=f"series {number}",
        sha256=hashlib.sha256(written.getvalue()).hexdigest(),
        path=str(path),
        frame=0,
        modality="",
        body_part="",
        rows=PICTURE_PX,
        columns=PICTURE_PX,
        position=0.0,
        near_hash=chance.bytes(8).hex(),
    )


def _made_up_run(ids: list[int]) -> RunResult:
    def prediction(place: int, image_id: int) -> Prediction:
        first = 0.05 + 0.9 * (place % 97) / 97
        return Prediction(
            image_id=image_id,
            role="out_of_fold",
            label=place % 2,
            adapted=(first, 1 - first),
            zero_shot=(0.5, 0.5),
            calibrated=(first, 1 - first),
            conformal=(place % 2,),
            nearest=tuple(ids[:3]),
            place=(first, -first),
            suspicion=first,
        )

    return RunResult(
        class_names=CLASSES,
        backbone_name="demo",
        backbone_sha256="0" * 64,
        trainable_parameters=1,
        matrices=1,
        train_images=len(ids),
        train_patients=len(ids),
        shots=None,
        seed=0,
        learning_rate=0.03,
        device="cpu",
        seconds=1.0,
        evaluation=Evaluation("none"),
        predictions=tuple(prediction(place, image_id) for place, image_id in enumerate(ids)),
        explanation=RunExplanation((), ()),
        curve=(),
    )


def main() -> None:
    """Label in the window of a project, or be its engine."""
    if sys.argv[1] == ENGINE:
        _serve()
        return
    pace = _label(Path(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.write(json.dumps(to_json(pace)) + "\n")
    sys.stdout.flush()
    os._exit(0)  # nothing of the window is wanted any longer


def _label(path: Path, labels: int) -> LabelPace:
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    from benchmarks.labelling_times import WINDOW_PX, Pulse, rest, wait_for
    from clipsvd_app.ui.app import PAGE_TITLES, Studio, calm_the_collector
    from clipsvd_app.ui.session.engine_process import EngineProcess
    from clipsvd_app.ui.session.session import Session

    engine = EngineProcess(command=(sys.executable, "-P", "-m", "benchmarks.durable_window", ENGINE))
    studio = Studio(QApplication(sys.argv[:1]), Session(engine))
    studio.window.resize(*WINDOW_PX)
    studio.window.show()
    studio.start()
    calm_the_collector()
    pages, session = studio.pages, studio.session
    assert pages is not None
    assert session.open_project(path), "the project could not be opened"
    wait_for(lambda: pages.preview.result is not None and not pages.preview.is_waiting)
    for key, _, _ in PAGE_TITLES:  # so that every page has been built and filled
        studio.window.show_page(key)
        rest(BETWEEN_LABELS_MS)
    studio.window.show_page("label")
    wait_for(lambda: not session.background.busy)
    view = pages.label.strip.view
    view.setFocus()
    pulse = Pulse(pages)
    key_ms, painted_ms, label_ms, held_ms, busy_ms = [], [], [], [], []
    for number in range(labels):
        pulse.held_ms()
        busy_s, pressed_s = time.thread_time(), time.perf_counter()
        QTest.keyClick(view, (Qt.Key.Key_1, Qt.Key.Key_2)[number % 2])
        key_ms.append(1000 * (time.thread_time() - busy_s))
        QApplication.processEvents()
        painted_ms.append(1000 * (time.thread_time() - busy_s))
        label_ms.append(1000 * (time.perf_counter() - pressed_s))
        rest(BETWEEN_LABELS_MS)
        busy_ms.append(1000 * (time.thread_time() - busy_s))
        held_ms.append(pulse.held_ms())
    assert sum(image.class_id is not None for image in session.images()) >= labels, "keys gave no labels"
    assert session.project is not None
    spreads = map(_spread, (key_ms, painted_ms, label_ms, held_ms, busy_ms))
    return LabelPace(len(session.images()), len(session.project.runs()), labels, *spreads)


def _spread(values: list[float]) -> Spread:
    return Spread(statistics.median(values), statistics.quantiles(values, n=20)[-1], max(values))


class _MadeUpEngine:
    """Answers previews with numbers that follow from the images' own; everything else is cancelled."""

    def run(self, folder: Path, request: Request, report: Report, announce: Announce) -> None:
        if not isinstance(request, PreviewRequest):
            raise Cancelled
        labels = sum(image.label is not None for image in request.images)
        shares = [(image.id, ((7 * image.id + labels) % 100) / 100) for image in request.images]
        items = tuple(
            PoolItem(i, (share, 1 - share), 2 * min(share, 1 - share), None, ()) for i, share in shares
        )
        least_sure = sorted(items, key=lambda item: -item.uncertainty)
        unlabelled = {image.id for image in request.images if image.label is None}
        suggested = [item.image_id for item in least_sure if item.image_id in unlabelled]
        write_result(folder, PreviewResult(items, 0.8, tuple(suggested[:24]), "Made up."))


def _serve() -> None:
    def send(event: Event) -> None:
        sys.stdout.write(encode_line(event))
        sys.stdout.flush()

    inbox: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
    threading.Thread(target=read_commands, args=(sys.stdin, inbox), daemon=True).start()
    send(Ready(PROTOCOL, "cpu", {}))
    Worker(_MadeUpEngine(), send, inbox).serve()


if __name__ == "__main__":
    main()
