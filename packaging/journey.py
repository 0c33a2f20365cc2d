"""``make journey``: a new user's way from first start to a checked adapter, by mouse and keyboard, timed."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from console import Console
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from setup_error import SetupError
from window_hand import WINDOW_PX, Hand

from clipsvd_app.demo_studies import write_demo_studies
from clipsvd_app.services.projects.demo import demo_files
from clipsvd_app.settings import HOME_VARIABLE
from clipsvd_app.ui.app import Studio
from clipsvd_app.ui.shell.main_window import APP_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PATIENCE_S = 600.0
PATIENTS = 39  # 16 films of each finding
STANDARD = "Standard"
LEFT, PLAIN, COPY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.DropAction.CopyAction


@dataclass(frozen=True, slots=True)
class Leg:
    """One part of the way: what the program took, and what the user did with mouse and keyboard."""

    name: str
    seconds: float
    mouse: int
    keys: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Which folder, in which recipe, and where the pictures of the way are kept."""

    folder: Path
    recipe: str
    pictures: Path | None


class CountingHand(Hand):
    """Clicks where a thing is on the screen, so that whatever lies over it gets the click, and counts."""

    mouse = keys = 0

    def click(self, text: str, inside: QWidget) -> None:
        """Click the visible button with this text, once it can be pressed."""
        self.until(lambda: self._button(text, inside) is not None, f"the button “{text}”")
        found = self._button(text, inside)
        assert found is not None
        place = found.mapTo(self.window, found.rect().center())
        assert self.window.rect().contains(place), f"“{text}” lies outside of the window"
        QTest.mouseClick(self.window.windowHandle(), LEFT, PLAIN, place)
        self.mouse += 1

    def drag_in(self, path: Path) -> None:
        """Drag a folder from the file manager onto the middle of the window."""
        place = self.window.rect().center()
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path))])
        QApplication.sendEvent(self.window, QDragEnterEvent(place, COPY, mime, LEFT, PLAIN))
        QApplication.sendEvent(self.window, QDragMoveEvent(place, COPY, mime, LEFT, PLAIN))
        QApplication.sendEvent(self.window, QDropEvent(place.toPointF(), COPY, mime, LEFT, PLAIN))
        self.mouse += 1

    def press_key(self, key: Qt.Key) -> None:
        """Press a key wherever the keyboard is."""
        QTest.keyClick(self.window.windowHandle(), key, PLAIN)
        self.keys += 1

    def _button(self, text: str, inside: QWidget) -> QAbstractButton | None:
        fitting = (
            found
            for found in inside.findChildren(QAbstractButton)
            if found.isVisible() and found.isEnabled() and text in (found.text(), found.accessibleName())
        )
        return next(fitting, None)


class Journey:
    """From first start to a checked adapter for a folder of class folders."""

    def __init__(self, hand: CountingHand, plan: Plan, console: Console) -> None:
        self._hand, self._plan, self._console = hand, plan, console
        self.legs: list[Leg] = []

    def travel(self, started_s: float) -> None:
        """Go the whole way; ``started_s`` is when the program was started."""
        self._leg("Start", self._start, started_s)
        self._leg("Read the folder", self._drop)
        self._leg("Create the project", self._create)
        self._leg("Train and evaluate", self._train)
        self._leg("Read the verdict", self._inspect)
        self._leg("Write and check the adapter", self._export)

    def _leg(self, name: str, go: Callable[[], None], started_s: float | None = None) -> None:
        before_s = time.perf_counter() if started_s is None else started_s
        mouse, keys = self._hand.mouse, self._hand.keys
        with self._console.step(name):
            go()
        took_s = time.perf_counter() - before_s
        self.legs.append(Leg(name, took_s, self._hand.mouse - mouse, self._hand.keys - keys))
        if self._plan.pictures is not None:
            self._plan.pictures.mkdir(parents=True, exist_ok=True)
            self._hand.window.grab().save(str(self._plan.pictures / f"{len(self.legs)}.png"))

    def _start(self) -> None:
        hand = self._hand
        hand.until(lambda: hand.studio.pages is not None, "the pages")

    def _drop(self) -> None:
        hand = self._hand
        hand.drag_in(self._plan.folder)
        hand.until(lambda: hand.pages.label.new_project.make.isVisible(), "the form")

    def _create(self) -> None:
        hand = self._hand
        hand.click(hand.pages.label.new_project.make.text(), hand.window)
        hand.until(lambda: hand.studio.session.project, "the project")
        hand.until(lambda: hand.pages.label.viewer.frame, "the first image")

    def _train(self) -> None:
        hand = self._hand
        hand.click("Train", hand.window)  # the page
        if self._plan.recipe != STANDARD:  # which is chosen already
            hand.click(self._plan.recipe, hand.pages.train.setup)
        hand.click("Train", hand.pages.train.setup)
        hand.until(lambda: hand.pages.training.running, "the start of the training")
        hand.until(lambda: not hand.pages.training.running, "the end of the training")

    def _inspect(self) -> None:
        hand = self._hand
        hand.click("Inspect", hand.window)
        hand.until(lambda: hand.window.current_page == "inspect", "the page")
        hand.settle()

    def _export(self) -> None:
        hand, tab = self._hand, self._hand.pages.export.write_tab
        hand.click("Export", hand.window)
        hand.click("Write adapter", tab)
        hand.until(tab.banner.isVisible, "the written adapter")
        said = [line.text() for line in tab.banner.findChildren(QLabel)]
        assert "All checks passed." in said, said


def main(arguments: Sequence[str] | None = None) -> int:
    """Go the way and print what it took; returns the exit code."""
    parser = argparse.ArgumentParser(description="Time a new user's way to a checked adapter.")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="class folders; drawn films without it")
    parser.add_argument("--recipe", choices=("Quick", STANDARD, "Thorough"), default=STANDARD)
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="save a picture after each part")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--patience", type=float, default=PATIENCE_S, metavar="SECONDS", help="for any step")
    options = parser.parse_args(arguments)
    console = Console()
    pictures = None if options.pictures is None else options.pictures.resolve()  # before the folder changes
    with tempfile.TemporaryDirectory(prefix="clipsvd-", ignore_cleanup_errors=True) as home:
        os.environ[HOME_VARIABLE] = str(Path(home) / "data")
        folder = _drawn(Path(home)) if options.folder is None else options.folder.resolve()
        os.chdir(home)  # the adapter is written here
        os.environ["HOME"] = home  # and the project below it
        try:
            legs = _travel(Plan(folder, options.recipe, pictures), options.patience, console)
        except SetupError as error:
            console.error(error)
            return 1
    _tell(legs, as_json=options.json)
    return 0


def _drawn(home: Path) -> Path:
    """Draw films and lay them into a folder for each finding."""
    studies = home / "studies"
    write_demo_studies(studies, patients=PATIENTS)
    folder = home / "Chest films"
    for path, finding in demo_files(studies).findings.items():
        film = Path(path)
        (folder / finding).mkdir(parents=True, exist_ok=True)
        shutil.copy(film.with_suffix(".dcm"), folder / finding / f"{film.parent.name}_{film.name}")
    return folder


def _travel(plan: Plan, patience_s: float, console: Console) -> list[Leg]:
    started_s = time.perf_counter()
    app = QApplication(sys.argv[:1])
    app.setApplicationName(APP_NAME)
    studio = Studio(app)
    studio.window.resize(*WINDOW_PX)
    studio.window.show()
    studio.start()
    journey = Journey(CountingHand(studio, patience_s), plan, console)
    try:
        journey.travel(started_s)
    finally:
        studio.window.close()
    return journey.legs


def _tell(legs: Sequence[Leg], *, as_json: bool) -> None:
    whole = Leg("In all", *(sum(getattr(leg, part) for leg in legs) for part in ("seconds", "mouse", "keys")))
    if as_json:
        sys.stdout.write(json.dumps([asdict(leg) for leg in (*legs, whole)]) + "\n")
        return
    for leg in (*legs, whole):
        sys.stdout.write(f"{leg.name:30}{leg.seconds:8.1f} s{leg.mouse:4} mouse{leg.keys:4} keys\n")


if __name__ == "__main__":
    sys.exit(main())
