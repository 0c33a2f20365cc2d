"""The whole window on a project with everything in it: films, a stack, classes, runs, an engine that answers.

``scenes`` lists every page, tab and state worth looking at, each with what brings it up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from PySide6.QtCore import QObject, QTimer, Signal
from support.changing import replace
from support.films import ct_slices, film
from support.made_evaluation import made_run
from support.made_explanation import RUN, made_case

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.domain.records import to_json
from clipsvd_app.domain.results.run import StepMetrics
from clipsvd_app.imaging.header_listing import HeaderRow
from clipsvd_app.jobs.answers import Check, PoolItem, PreviewResult, VerifyResult
from clipsvd_app.jobs.folders import read_request, write_result
from clipsvd_app.jobs.lines import PROTOCOL, CancelledEvent, Finished, Ready
from clipsvd_app.jobs.requests import ExplainRequest, PreviewRequest
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.services.labels.class_folders import ClassFolder
from clipsvd_app.services.labels.labels import set_labels
from clipsvd_app.services.studies.import_plan import apply_import, plan_import
from clipsvd_app.services.studies.rule_preview import GroupPreview, PatientGroup
from clipsvd_app.ui.app import Studio
from clipsvd_app.ui.export.image_dialog import AppliedImageDialog
from clipsvd_app.ui.export.state import (
    AdapterView,
    AppliedRow,
    ApplyState,
    ExportResult,
    ExportState,
    RefusedRow,
    ReportState,
)
from clipsvd_app.ui.importer.patient_dialog import GroupingDialog
from clipsvd_app.ui.label.labels_dialog import LabelsDialog
from clipsvd_app.ui.label.readers.dialog import ReaderDialog
from clipsvd_app.ui.session.notices import Notice
from clipsvd_app.ui.session.session import Session
from clipsvd_app.ui.train.state import InterimView, TrainProgress
from clipsvd_app.ui.viewer.header_dialog import HeaderDialog
from clipsvd_app.ui.welcome.state import PlaceState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtWidgets import QApplication, QDialog

NAMES = ("No acute finding", "Pleural effusion, any size")
PICTURES, SLICES = 26, 12
LONG_NAME = "2024-05 chest, portable, intensive care, second reading of the validation set"
CHECKS = VerifyResult(
    tuple(
        Check(name, passed=True, detail="within the allowed difference of 0.001")
        for name in ("Base model", "Names and shapes", "Probes", "Canaries")
    )
)
FOLDERS = tuple(ClassFolder(name, 260, "class") for name in (*NAMES, "c", "d", "e", "f", "g"))
PREVIEW = GroupPreview(
    tuple(PatientGroup(f"Patient {number}", 3, ("00_portable film.png",)) for number in range(40)),
    "120 files, 40 patients",
    "Three files of each are alike.",
)
FACTS = (
    ("Classes", ", ".join(NAMES)),
    ("Backbone", "OpenCLIP ViT-B/16, DataComp XL (0123456789ab…)"),
    ("Trained", "110,592 singular values of 144 matrices"),
    ("From", "32 images (16, 16) of 32 patients"),
    (
        "Evaluation",
        "On unseen patients balanced accuracy was 87.5 % (95 % CI 79.1 to 93.0), n = 56 patients.",
    ),
)


class AnsweringEngine(QObject):
    """Answers previews and explanations at once with made numbers; everything else stays under way."""

    ready, lost, given_up = Signal(object), Signal(), Signal()

    def __init__(self) -> None:
        super().__init__()
        self._waiting: dict[int, Callable[[object], None]] = {}

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    @property
    def pid(self) -> int:
        return 1

    def start(self) -> None:
        QTimer.singleShot(0, self, lambda: self.ready.emit(Ready(PROTOCOL, "cpu", {}, ("cpu",))))

    start_again = start

    def submit(self, folder, on_end, on_progress=None) -> int:
        number = len(self._waiting) + 1
        request = read_request(folder)
        self._waiting[number] = on_end
        answer = _answer(request)
        if answer is not None:
            write_result(folder, answer)
            QTimer.singleShot(0, self, lambda: self._end(number, Finished(number)))
        return number

    def cancel(self, number: int) -> None:
        self._end(number, CancelledEvent(number))

    def close(self) -> None:
        self._waiting.clear()

    def _end(self, number: int, event) -> None:
        if number in self._waiting:
            self._waiting.pop(number)(event)


def _answer(request) -> object:
    if isinstance(request, PreviewRequest):
        items = tuple(
            PoolItem(image.id, (0.6, 0.4) if image.id % 3 else (0.2, 0.8), 0.5, None, ())
            for image in request.images
        )
        unlabelled = tuple(image.id for image in request.images if image.label is None)
        return PreviewResult(items, 0.81, unlabelled[:5], "Made up.")
    if isinstance(request, ExplainRequest):
        return replace(made_case(request.image.id), class_names=NAMES)
    return None


def full_studio(app: QApplication) -> Studio:
    """Return the window with its pages, before any project is open."""
    studio = Studio(app, Session(AnsweringEngine()))
    studio.window.show()
    studio.start()
    app.processEvents()
    return studio


def make_project(session: Session, folder: Path) -> Path:
    """Make a project of pictures, films and a stack, most of it labelled, with two runs; it stays open."""
    files, path = _draw(folder), folder / f"{LONG_NAME}.clipsvd"
    assert session.new_project(path)
    session.do(apply_import(session.project, plan_import(session.project, files)))
    for name in NAMES:
        session.do(AddClass(class_from_name(name)))
    images = [image for image in session.project.images() if image.modality != "CT"]
    labels = [number % 2 for number in range(len(images) - 2)]
    for position, known in enumerate(session.project.classes()):
        own = [image.id for image, label in zip(images, labels, strict=False) if label == position]
        session.do(set_labels(own, known.id, known.name))
    ids = [image.id for image in images[: len(labels)]]
    for seed in (5, 6):
        run = made_run(NAMES, ids=ids, labels=labels, training=8, seed=seed)
        request = {
            "recipe": to_json(Recipe()),
            "classes": [{"name": name} for name in NAMES],
            "labels": dict(zip(map(str, ids), labels, strict=True)),
        }
        run = replace(run, explanation=RUN, backbone_sha256=session.backbone().sha256)
        session.project.add_run("standard", request, run, b"adapter")
    session.runs_changed.emit()
    return path


def _draw(folder: Path) -> list[Path]:
    random = np.random.default_rng(4)
    (folder / "in").mkdir()
    for number in range(PICTURES):
        pixels = random.integers(0, 255, (40, 48), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "in" / f"{number:02d}_portable anteroposterior film.png")
    film(folder / "dx" / "film.dcm", "B", 7)
    ct_slices(folder / "ct", range(SLICES))
    return [folder / "in", folder / "dx", folder / "ct"]


def scenes(studio: Studio) -> dict[str, Callable[[], None]]:
    """Return every page and tab of a filled window by name, with what brings it up."""
    pages, window = studio.pages, studio.window
    assert pages is not None

    def page(key: str, then: Callable[[], object] = lambda: None) -> Callable[[], None]:
        def show() -> None:
            window.show_page(key)
            then()

        return show

    inspect = {
        f"inspect-{tab}": page("inspect", lambda tab=tab: pages.inspect.show_tab(tab))
        for tab in ("result", "failures", "trust", "map", "compare")
    }
    explain = {
        f"explain-{tab}": page("explain", lambda tab=tab: pages.explain.show_tab(tab))
        for tab in ("change", "case", "trust")
    }
    explain["explain-details"] = page("explain", lambda: _unfold(studio))
    return {
        "label": page("label", lambda: _show_film(studio)),
        "label-stack": page("label", lambda: _show_stack(studio)),
        "label-reader": page("label", lambda: _read(studio)),
        "train": page("train", lambda: pages.train.set_progress(None)),
        "train-running": page("train", lambda: _train(studio)),
        "train-interim": page("train", lambda: _know_early(studio)),
        "train-compare": page("train", lambda: pages.train.runs.compare_requested.emit(1, 2)),
        **inspect,
        "inspect-case": page("inspect", lambda: _open_case(studio)),
        **explain,
        "export-write": page("export", lambda: _write(studio)),
        "export-report": page("export", lambda: _report(studio)),
        "export-apply": page("export", lambda: _apply(studio)),
        "settings": page("settings"),
        "new-project-reading": page("label", lambda: _begin_project(studio)),
        "new-project": page("label", lambda: _ask_for_project(studio)),
        "notices": page("label", lambda: _notify(studio)),
        "keys": page("train", window.show_keys),
    }


def dialogs(studio: Studio) -> dict[str, QDialog]:
    """Return every dialog of the program by name, with something in it."""
    window = studio.window
    reader = ReaderDialog(("Second reader", "B"), 16, window)
    labels = LabelsDialog(f"{LONG_NAME}.csv", window)
    sentences = ("3 of 40 rows name no image of this project.", "“Pleural efusion” looks mistyped.") * 4
    labels.show_preview([(name, 12) for name in NAMES], sentences, slips=True, marks=2)
    header, image = HeaderDialog(window), AppliedImageDialog(studio.theme, window)
    header.show_rows(
        "film.dcm", tuple(HeaderRow(f"(0010,{n:04X})", LONG_NAME, "LO", LONG_NAME) for n in range(60))
    )
    unlike = "This image is unlike those of training: its answer is not to be relied upon."
    image.show_row(
        AppliedRow(1, "patient-001/portable film.dcm", "Study 1", (0.3, 0.7), (0.5, 0.5), unlike), NAMES
    )
    found = {"reader": reader, "labels": labels, "header": header, "applied image": image}
    for rule in ("header", "folder:2", "regex:^(.)", "csv:"):
        grouping = GroupingDialog(rule, window)
        grouping.patients.show_preview(PREVIEW)
        found[f"patients by {rule.partition(':')[0]}"] = grouping
    folders = GroupingDialog("header", window)
    folders.show_folders(FOLDERS, True, frozenset(), ())
    folders.patients.show_preview(PREVIEW)
    found["classes and patients"] = folders
    return found


def _images(studio: Studio, modality: str) -> list[int]:
    return [image.id for image in studio.session.images() if image.modality == modality]


def _show_film(studio: Studio) -> None:
    studio.pages.label.strip.select(_images(studio, "DX"))


def _show_stack(studio: Studio) -> None:
    studio.pages.label.viewer.set_layout("2")
    studio.pages.label.strip.select(_images(studio, "CT")[:1])


def _read(studio: Studio) -> None:
    studio.pages.label.viewer.set_layout("1")
    studio.session.read_as("Second reader B")


def _train(studio: Studio) -> None:
    train = studio.pages.train
    stage = "Training the fit of fold 3 of 5 on unseen patients"
    train.set_progress(TrainProgress(stage, 120, 400, 75.0, 400))
    train.progress.curves.start(400)
    for step in range(1, 120):
        train.progress.curves.add_point(StepMetrics(step, 1 / step, min(1.0, step / 100), 0.03))


def _know_early(studio: Studio) -> None:
    project = studio.session.project
    evaluation = project.run_result(2).evaluation
    studio.pages.train.progress.set_interim(
        InterimView(evaluation, "Explaining what changed", "First result: ")
    )


def _open_case(studio: Studio) -> None:
    inspect = studio.pages.inspect
    inspect.show_tab("failures")
    case = inspect.failures.cases.gallery.image_ids()[0]
    inspect.case_opened.emit(case)


def _unfold(studio: Studio) -> None:
    explain = studio.pages.explain
    explain.show_tab("case")
    explain.case.details.set_open(True)


def _write(studio: Studio) -> None:
    name = f"{LONG_NAME}-run2.sigma.safetensors"
    export = studio.pages.export
    export.set_state(
        ExportState(
            (2, 1),
            2,
            name,
            f"/home/someone/projects/{name}",
            440_000,
            FACTS,
            result=ExportResult(name, CHECKS),
        )
    )
    export.show_tab("export")


def _report(studio: Studio) -> None:
    export = studio.pages.export
    export.set_report_state(
        ReportState(
            (2,),
            2,
            f"/home/someone/projects/{LONG_NAME}-run2.html",
            FACTS,
            written=f"{LONG_NAME}-run2.html",
        )
    )
    export.show_tab("report")


def _apply(studio: Studio) -> None:
    export = studio.pages.export
    rows = tuple(
        AppliedRow(number, f"patient-{number:03d}/portable film of the chest.dcm", f"Study {number}", *ways)
        for number, ways in enumerate([((0.3, 0.7), (0.5, 0.5))] * 30, start=1)
    )
    export.apply_tab.set_state(
        ApplyState(
            AdapterView(f"{LONG_NAME}.sigma.safetensors", NAMES, FACTS, "Triage of portable films.", CHECKS),
            rows,
            (RefusedRow("report.pdf", "This is a PDF; save its pictures as PNG or JPEG and add those."),),
            warning="12 of 30 images are unlike those that the adapter learnt from.",
        )
    )
    export.show_tab("apply")


def _begin_project(studio: Studio) -> None:
    studio.session.read_as("")
    studio.pages.label.new_project.show_reading(120, 780)
    studio.pages.label.show_new_project()


def _ask_for_project(studio: Studio) -> None:
    form = studio.pages.label.new_project
    form.set_source(780, "/home/someone/images of the second reading")
    form.set_place(PlaceState(LONG_NAME, f"/home/someone/projects/{LONG_NAME}", "This name is taken."))
    form.set_has_folders(True)
    form.classes.set_folders(FOLDERS, True, frozenset())
    form.patients.show_preview(PREVIEW)
    form.models.set_choices((("demo", "Demonstration model", "For a first try.", "9.8 million"),), "demo")
    form.set_left_out(["3 files are no images: report.pdf, notes.docx and 1 more.", "2 files are damaged."])
    form.show_form()


def _notify(studio: Studio) -> None:
    studio.pages.label.show_work()
    for number in range(3):
        studio.window.show_notice(
            Notice(
                "error",
                f"{number + 3} of 26 files could not be read, because their pixel data is damaged.",
                "Export them again from the archive, then add them.",
                "file.import",
                "Show what was left out",
                f"n{number}",
            )
        )
