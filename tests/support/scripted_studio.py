"""Two projects, and how a user trains in one; the engine ends when a file says so."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtWidgets import QPushButton

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.project import create_project
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.services.labels.labels import set_labels
from clipsvd_app.services.studies.import_plan import apply_import, plan_import
from clipsvd_app.ui.session.engine_process import EngineProcess
from clipsvd_app.ui.session.session import Session

NAMES = ("normal", "lesion")
WORKER = Path(__file__).parent / "scripted_worker.py"


def make_project(path: Path) -> Path:
    """Four labelled noise pictures of as many patients."""
    pictures = path.with_suffix("")
    pictures.mkdir()
    for number in range(4):
        pixels = np.random.default_rng((number, len(path.stem))).integers(0, 255, (24, 24), dtype=np.uint8)
        Image.fromarray(pixels).save(pictures / f"{number}.png")
    with create_project(path) as project:
        project.apply(apply_import(project, plan_import(project, [pictures])))
        for name in NAMES:
            project.apply(AddClass(class_from_name(name)))
        for place, image in enumerate(project.images()):
            known = project.classes()[place % 2]
            project.apply(set_labels([image.id], known.id, known.name))
    return path


def scripted_session(folder: Path) -> Session:
    """A session whose engine answers with what lies in the folder, when ``go`` does."""
    return Session(EngineProcess(command=(sys.executable, str(WORKER), str(folder))))


def close_without_asking(window) -> None:
    """Let a window close, whatever is under way; for the end of a test."""
    window.may_close = lambda: True


def press(widget, text: str) -> None:
    (found,) = [b for b in widget.findChildren(QPushButton) if b.text() == text and b.isVisibleTo(widget)]
    found.click()


def start_training(qtbot, studio, project: Path) -> None:
    assert studio.session.open_project(project)
    studio.window.show_page("train")
    press(studio.pages.train, "Train")
    qtbot.waitUntil(lambda: len(studio.pages.train.progress.curves.data_rows()) > 1, timeout=30_000)


def finish(qtbot, studio, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    qtbot.waitUntil(lambda: not studio.pages.training.running, timeout=30_000)
