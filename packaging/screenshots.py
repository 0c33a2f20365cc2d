"""``make screenshots``: do the whole job in the real window and photograph every page on the way."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from console import Console
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication, QProgressBar
from setup_error import SetupError
from window_hand import WINDOW_PX, Hand

from clipsvd_app.demo_studies import write_demo_studies
from clipsvd_app.services.projects.demo import window_demo_files
from clipsvd_app.settings import HOME_VARIABLE, data_folder
from clipsvd_app.ui.app import Studio
from clipsvd_app.ui.shell.main_window import APP_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clipsvd_app.domain.project_values import RunSummary

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 300.0
LABELLED_BY_HAND = 3
FEW_SHOTS, MORE_SHOTS = 2, 10
NEW_PATIENTS, NEW_SEED = 12, 7
CURVE_STEPS = 40
ADAPTER = "chest findings.sigma.safetensors"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pictures; returns the exit code."""
    parser = argparse.ArgumentParser(description="Photograph every page in both themes.")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", metavar="FOLDER")
    parser.add_argument("--patience", type=float, default=PATIENCE_S, metavar="SECONDS", help="for any step")
    parser.add_argument("--studies", type=Path, metavar="FOLDER", help="demo studies that are drawn already")
    options = parser.parse_args(arguments)
    out, console = options.out.resolve(), Console()
    studies = None if options.studies is None else options.studies.resolve()
    with tempfile.TemporaryDirectory(prefix="clipsvd-", ignore_cleanup_errors=True) as home:
        os.environ[HOME_VARIABLE] = home
        os.chdir(home)  # so that the file names on the Export page are short and of no one's machine
        if studies is not None:
            shutil.copytree(studies, data_folder() / "demo" / "studies")
        try:
            _photograph_everything(out, options.patience, console)
        except SetupError as error:
            console.error(error)
            return 1
    return 0


def _photograph_everything(out: Path, patience_s: float, console: Console) -> None:
    app = QApplication(sys.argv[:1])
    app.setApplicationName(APP_NAME)
    app.setFont(QFont("Inter", 10))
    studio = Studio(app)
    studio.window.resize(*WINDOW_PX)
    studio.window.show()
    studio.start(demo=True)
    story = Story(Hand(studio, patience_s), out)
    try:
        for text, step in story.steps():
            with console.step(text):
                step()
    finally:
        studio.window.close()


class Story:
    """The job from the first label to new studies; every step leaves its picture."""

    def __init__(self, hand: Hand, out: Path) -> None:
        self._hand, self._out = hand, out

    def steps(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        """Return what is done, in order, with its name."""
        return (
            ("Opening the demo project", self.open),
            ("Labelling", self.label),
            (f"Training on {FEW_SHOTS} images per class", self.train_on_few),
            (f"Training on {MORE_SHOTS} images per class", self.train_on_more),
            ("Inspecting an error and explaining it", self.inspect),
            ("Exporting the adapter", self.export),
            ("Using it on new studies", self.apply),
            ("Looking at the settings", self.settings),
        )

    def open(self) -> None:
        """Wait for the first film, the engine and its preview."""
        hand = self._hand
        hand.until(lambda: hand.studio.session.project, "the demo project")
        hand.until(lambda: hand.pages.label.viewer.frame, "the first film")
        hand.until(lambda: hand.pages.preview.result, "the preview")
        hand.settle()

    def label(self) -> None:
        """Label some films, take the picture, then label the rest as their table says."""
        finding, ids = max(self._unlabelled().items(), key=lambda entry: len(entry[1]))
        self._label(finding, ids[:LABELLED_BY_HAND])
        self._hand.settle()
        self._photograph("label")
        for name, rest in self._unlabelled().items():
            self._label(name, rest)

    def train_on_few(self) -> None:
        """Train a first run, so that there is one to compare with."""
        self._start_training("Quick", FEW_SHOTS)
        self._finish_training()

    def train_on_more(self) -> None:
        """Train the run that is looked into; the picture shows it under way."""
        self._start_training("Standard", MORE_SHOTS)
        self._hand.until(self._curve_is_long, "the training curve")
        self._photograph("train")
        self._finish_training()

    def inspect(self) -> None:
        """Open the fullest cell of errors and its first case, and explain that."""
        hand, page = self._hand, self._hand.pages.inspect
        hand.go("inspect")
        page.show_tab("failures")
        hand.settle()
        hand.click_spot(page.failures.confusion.matrix, self._worst_cell())
        case = page.failures.cases.gallery.image_ids()[0]
        hand.click_row(page.failures.cases.gallery, 0)
        run = self._runs()[-1].number
        hand.until(lambda: hand.pages.explainer.known(run, case), "the explanation of a case")
        hand.settle()
        self._photograph("inspect")
        hand.go("explain")
        self._photograph("explain")
        explain = hand.pages.explain
        explain.show_tab("case")
        hand.until(lambda: explain.case.image_id == case, "the case on the Explain page")
        hand.settle()
        self._photograph("explain-case")

    def export(self) -> None:
        """Write the adapter; the picture shows it checked."""
        hand, tab = self._hand, self._hand.pages.export.write_tab
        hand.go("export")
        hand.type_into("File to write", ADAPTER, tab)
        hand.press("Write adapter", tab)
        hand.until(tab.banner.isVisible, "the written adapter")
        self._photograph("export")

    def apply(self) -> None:
        """Drop the adapter and new patients on the window."""
        hand, tab = self._hand, self._hand.pages.export.apply_tab
        films = write_demo_studies(Path("new"), seed=NEW_SEED, patients=NEW_PATIENTS, png=False)
        hand.drop([Path(ADAPTER).resolve()], hand.window)
        hand.until(tab.studies_area.isVisible, "the adapter's card")
        hand.drop([film.path.resolve() for film in films], tab.studies_area)
        hand.until(lambda: len(tab.table.image_ids()) == len(films), "the predictions")
        hand.until(lambda: not hand.studio.session.engine.busy, "the adapter's checks")
        hand.settle()
        self._photograph("apply")

    def settings(self) -> None:
        """Show the settings."""
        self._hand.go("settings")
        self._photograph("settings")

    def _photograph(self, name: str) -> None:
        self._hand.photograph(name, self._out)

    def _unlabelled(self) -> dict[str, list[int]]:
        """Return what the pool still asks about, in its order, by the finding that the table names."""
        findings = window_demo_files(data_folder() / "demo" / "studies").findings
        images = {image.id: image for image in self._hand.studio.session.images()}
        found: dict[str, list[int]] = {name: [] for name in set(findings.values())}
        for image_id in self._pool():
            if images[image_id].class_id is None:
                found[findings[images[image_id].path]].append(image_id)
        return found

    def _pool(self) -> list[int]:
        preview = self._hand.pages.preview.result
        assert preview is not None
        suggested = list(dict.fromkeys(preview.suggested))
        return suggested + [item.image_id for item in preview.items if item.image_id not in suggested]

    def _label(self, finding: str, ids: Sequence[int]) -> None:
        """Choose films in the pool and press the number of their class."""
        position = next(c.position for c in self._hand.studio.session.classes() if c.name == finding)
        strip = self._hand.pages.label.strip
        strip.select(ids)
        self._hand.key(Qt.Key(Qt.Key.Key_1 + position), strip.view)

    def _start_training(self, preset: str, shots: int) -> None:
        hand, setup = self._hand, self._hand.pages.train.setup
        hand.go("train")
        for choice in (preset, "Train on a few, test on the rest"):
            hand.press(choice, setup)
        hand.set_number("Images per class for training", shots, setup)
        hand.press("Train", setup)
        hand.until(lambda: hand.pages.training.running, "the start of the training")

    def _curve_is_long(self) -> bool:
        """Tell whether the fit itself, after the search for its rate, is well under way."""
        panel = self._hand.pages.train.progress
        (bar,) = panel.findChildren(QProgressBar)
        steps = [row[0] for row in panel.curves.data_rows()[1:]]
        return (
            bar.accessibleName().startswith("Training") and len(steps) > 0 and int(steps[-1]) >= CURVE_STEPS
        )

    def _finish_training(self) -> None:
        before = len(self._runs())
        self._hand.until(lambda: not self._hand.pages.training.running, "the end of the training")
        assert len(self._runs()) == before + 1
        self._hand.window.dismiss_notice("train")

    def _runs(self) -> tuple[RunSummary, ...]:
        project = self._hand.studio.session.project
        assert project is not None
        return project.runs()

    def _worst_cell(self) -> tuple[int, int]:
        """Return label and prediction that were confused most often, or those of the first class."""
        project = self._hand.studio.session.project
        assert project is not None
        scores = project.run_result(project.latest_run()).evaluation.methods
        confusion = next(score.confusion for score in scores if score.method == "clip_svd")
        cells = [(row, column) for row in range(len(confusion)) for column in range(len(confusion))]
        return max(cells, key=lambda cell: (cell[0] != cell[1]) * confusion[cell[0]][cell[1]])


if __name__ == "__main__":
    sys.exit(main())
