"""The window driven through the whole job as a person would, with the real engine process."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageDraw
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from support.tiny_backbone import write_tiny_backbone

from clipsvd_app.adapter_file import read_adapter
from clipsvd_app.domain.results.run import RunResult
from clipsvd_app.settings import Settings, save_settings
from clipsvd_app.ui.app import Studio
from clipsvd_app.ui.kit.image_mime import mime_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.gui, pytest.mark.slow, pytest.mark.timeout(240)]
PATIENTS = 8
ENGINE_MS, TRAIN_MS = 90_000, 180_000


def draw(path: Path, kind: str, seed: int) -> None:
    """A bright disc or two dark bars on noise."""
    random = np.random.default_rng(seed)
    image = Image.fromarray(random.integers(60, 140, (80, 96), dtype=np.uint8))
    pen, x, y = ImageDraw.Draw(image), int(random.integers(20, 50)), int(random.integers(15, 40))
    if kind == "disc":
        pen.ellipse((x, y, x + 28, y + 28), fill=235)
    else:
        pen.rectangle((x, 5, x + 6, 75), fill=10)
        pen.rectangle((x + 16, 5, x + 22, 75), fill=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


@pytest.fixture
def studies(tmp_path: Path) -> Path:
    for number in range(PATIENTS):
        for kind in ("disc", "bars"):
            draw(tmp_path / "studies" / f"{kind}_{number}.png", kind, 10 * number + len(kind))
    return tmp_path / "studies"


@pytest.fixture
def studio(qtbot, qapp, tmp_path: Path):
    folder = write_tiny_backbone(tmp_path / "tiny")
    save_settings(Settings(backbones=(("tiny", str(folder)),)))
    made = Studio(qapp)
    qtbot.addWidget(made.window)
    made.window.show()
    made.start()
    assert made.pages is not None
    assert made.session.new_project(tmp_path / "job.clipsvd")
    made.session.project.set_setting("backbone", "tiny")
    yield made
    made.window.close()


def press(page, text: str) -> None:
    (found,) = [b for b in page.findChildren(QPushButton) if b.text() == text and b.isVisibleTo(page)]
    found.click()


def notices(studio: Studio) -> list:
    told: list = []
    studio.session.notice.connect(told.append)
    return told


def label_everything(qtbot, studio: Studio, studies: Path, drop_files) -> dict[str, int]:
    """Drop the folder, make two classes, drag one kind into its bin and label the other by key."""
    pages = studio.pages
    assert drop_files(studio.window, studies)
    qtbot.waitUntil(lambda: pages.grouping.dialog is not None, timeout=30_000)
    pages.grouping.dialog.add.click()
    qtbot.waitUntil(lambda: len(studio.session.images()) == 2 * PATIENTS, timeout=30_000)
    for name in ("bright disc", "dark bars"):
        pages.label.bins.add_class.emit(name)
    ids = {
        kind: [i.id for i in studio.session.images() if f"/{kind}_" in i.path] for kind in ("disc", "bars")
    }
    disc, bars = studio.session.classes()
    drop_onto_bin(studio, disc.id, ids["disc"])
    pages.label.strip.select(ids["bars"])
    qtbot.keyClick(pages.label.strip.view, Qt.Key.Key_2)
    labels = {image.id: image.class_id for image in studio.session.images()}
    assert {labels[i] for i in ids["disc"]} == {disc.id}
    assert {labels[i] for i in ids["bars"]} == {bars.id}
    return labels


def drop_onto_bin(studio: Studio, class_id: int, ids: list[int]) -> None:
    from PySide6.QtCore import QPoint, QPointF
    from PySide6.QtGui import QDragEnterEvent, QDropEvent
    from PySide6.QtWidgets import QApplication

    bin_widget = studio.pages.label.bins.bins[class_id]
    mime, centre = mime_of(ids), bin_widget.rect().center()
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(bin_widget, QDragEnterEvent(QPoint(centre), copy, mime, left, none))
    QApplication.sendEvent(bin_widget, QDropEvent(QPointF(centre), copy, mime, left, none))


def start_training(studio: Studio, shots: int | None) -> None:
    page = studio.pages.train
    studio.window.show_page("train")
    page.setup.choice_changed.emit(type(page.setup.choice())("quick", shots, "cpu", flip=True))
    studio.pages.training.refresh()
    press(page, "Train")


def test_from_drop_to_export_and_back(
    qtbot, studio: Studio, studies: Path, tmp_path: Path, drop_files
) -> None:
    told = notices(studio)
    session, pages = studio.session, studio.pages
    labels = label_everything(qtbot, studio, studies, drop_files)

    session.undo_stack.undo()
    assert sum(image.class_id is not None for image in session.images()) == PATIENTS
    session.undo_stack.redo()
    assert {image.id: image.class_id for image in session.images()} == labels

    qtbot.waitUntil(lambda: pages.preview.result is not None, timeout=ENGINE_MS)
    qtbot.waitUntil(lambda: pages.label.viewer.frame is not None, timeout=10_000)

    start_training(studio, shots=4)
    assert pages.training.running
    qtbot.waitUntil(lambda: not pages.training.running, timeout=TRAIN_MS)
    assert not [notice for notice in told if notice.kind == "error"], told
    result = session.project.run_result(1)
    assert isinstance(result, RunResult)
    assert result.evaluation.kind == "held_out"
    assert {p.role for p in result.predictions} == {"train", "test"}

    studio.window.show_page("inspect")
    case = next(p for p in result.predictions if p.role == "test")
    pages.inspect.case_opened.emit(case.image_id)
    qtbot.waitUntil(lambda: pages.explainer.known(1, case.image_id) is not None, timeout=ENGINE_MS)
    assert len(pages.explainer.known(1, case.image_id).adapted) == 2

    studio.window.show_page("export")
    out = tmp_path / "out.sigma.safetensors"
    pages.export.write_tab.export_requested.emit(str(out), pages.export.write_tab.card())
    qtbot.waitUntil(lambda: pages.exporting._state.result is not None, timeout=ENGINE_MS)
    assert pages.exporting._state.result.checks.passed
    assert [entry.name for entry in read_adapter(out).document.classes] == ["bright disc", "dark bars"]

    assert drop_files(studio.window, out)
    qtbot.waitUntil(lambda: pages.applying._state.adapter is not None, timeout=10_000)
    pages.export.apply_tab.studies_dropped.emit([str(studies)])
    qtbot.waitUntil(lambda: len(pages.applying._state.rows) == 2 * PATIENTS, timeout=ENGINE_MS)
    sure = [max(row.adapted) for row in pages.applying._state.rows]
    assert sure == sorted(sure), "the least certain come first"
    assert not [notice for notice in told if notice.kind == "error"], told


def test_a_killed_engine_fails_the_run_keeps_the_labels_and_comes_back(
    qtbot, studio: Studio, studies: Path, drop_files
) -> None:
    told = notices(studio)
    session, pages = studio.session, studio.pages
    labels = label_everything(qtbot, studio, studies, drop_files)
    qtbot.waitUntil(lambda: pages.preview.result is not None, timeout=ENGINE_MS)
    start_training(studio, shots=None)
    qtbot.waitUntil(lambda: len(pages.train.progress.curves.data_rows()) > 3, timeout=ENGINE_MS)

    first = session.engine.pid
    os.kill(first, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    qtbot.waitUntil(lambda: not pages.training.running, timeout=20_000)
    (lost,) = [notice for notice in told if notice.key == "train"]
    assert "before this job finished" in lost.message
    assert lost.remedy
    assert session.project.runs() == ()
    assert {image.id: image.class_id for image in session.images()} == labels

    qtbot.waitUntil(lambda: session.engine.pid not in (0, first), timeout=ENGINE_MS)
    pages.preview.search("a bright disc")
    qtbot.waitUntil(
        lambda: pages.preview.result is not None
        and pages.preview.result.items[0].text_similarity is not None,
        timeout=ENGINE_MS,
    )


def test_a_cancelled_run_is_a_row_that_can_be_resumed_and_no_run(
    qtbot, studio: Studio, studies: Path, drop_files
) -> None:
    told = notices(studio)
    pages = studio.pages
    label_everything(qtbot, studio, studies, drop_files)
    start_training(studio, shots=None)
    qtbot.waitUntil(lambda: len(pages.train.progress.curves.data_rows()) > 1, timeout=ENGINE_MS)
    press(pages.train, "Cancel")
    qtbot.waitUntil(lambda: not pages.training.running, timeout=20_000)
    assert told[-1].message == "Training stopped."
    assert studio.session.project.runs() == ()
    resume = next(b for b in pages.train.findChildren(QPushButton) if b.text() == "Resume")
    assert resume.isVisible(), "the stopped training stands in the table of runs"
