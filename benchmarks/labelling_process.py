"""``python -m benchmarks.labelling_process``: labels at random, without pause, until it is killed.

The work goes the window's way, through its session and undo stack, without widgets. Each step is announced
on stdout before it begins, with the images it may touch, and acknowledged with the state after it.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication

from benchmarks.durable import state_of
from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.project_values import NewImage
from clipsvd_app.project.changes import AddImages
from clipsvd_app.project.class_changes import AddClass, ChangeClass, MoveClass, RemoveClass
from clipsvd_app.services.labels.labels import set_labels, set_marks
from clipsvd_app.services.labels.second_reader import set_readings
from clipsvd_app.ui.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

FEWEST_IMAGES, MOST_IMAGES, MOST_CLASSES = 24, 80, 6
_WEIGHTS = {"label": 10, "mark": 2, "read": 2, "undo": 3, "redo": 2, "import": 1, "class": 2}


class Labelling:
    """Does random steps of work on an open project."""

    def __init__(self, session: Session, seed: int) -> None:
        assert session.project is not None
        self._session, self._project, self._random = session, session.project, random.Random(seed)
        self._begun = 0
        self._steps: dict[str, Callable[[], None]] = {
            "label": self._label,
            "mark": self._mark,
            "read": self._read,
            "undo": self._undo,
            "redo": self._redo,
            "import": self._import,
            "class": self._class,
        }

    def run(self) -> None:
        """Work until the process is killed."""
        self._import()
        while len(self._session.classes()) < 2:
            self._session.do(AddClass(class_from_name(f"class {self._random.random()}")))
        self._begun = self._session.undo_stack.index()
        _say({"at": "ready", "state": state_of(self._project)})
        kinds, weights = list(_WEIGHTS), list(_WEIGHTS.values())
        while True:
            kind = self._random.choices(kinds, weights)[0]
            started_s = time.perf_counter()
            self._steps[kind]()
            took_ms = 1000 * (time.perf_counter() - started_s)
            _say({"at": "done", "kind": kind, "ms": took_ms, "state": state_of(self._project)})

    def _announce(self, kind: str, touched: set[int]) -> set[int]:
        _say({"at": "begin", "kind": kind, "touched": sorted(touched)})
        return touched

    def _all_ids(self) -> list[int]:
        return [image.id for image in self._session.images()]

    def _some(self) -> set[int]:
        ids = self._all_ids()
        return set(self._random.sample(ids, self._random.randint(1, min(4, len(ids)))))

    def _some_class(self) -> int:
        return self._random.choice(self._session.classes()).id

    def _label(self) -> None:
        ids = self._announce("label", self._some())
        self._session.do(set_labels(ids, self._random.choice([None, self._some_class(), self._some_class()])))

    def _mark(self) -> None:
        ids = self._announce("mark", self._some())
        self._session.do(set_marks(ids, "uncertain" if self._random.random() < 0.5 else "excluded"))

    def _read(self) -> None:
        ids = self._announce("read", self._some())
        self._session.do(set_readings("B", sorted(ids), self._some_class()))

    def _undo(self) -> None:
        self._announce("undo", set())
        if self._session.undo_stack.index() > self._begun:  # what was before is no acknowledged state
            self._session.undo_stack.undo()

    def _redo(self) -> None:
        self._announce("redo", set())
        self._session.undo_stack.redo()

    def _import(self) -> None:
        self._announce("import", set())
        if len(self._all_ids()) < MOST_IMAGES:
            count = FEWEST_IMAGES if not self._all_ids() else 3
            self._session.do(AddImages(tuple(self._new_image() for _ in range(count))))

    def _class(self) -> None:
        chosen, other = self._some_class(), self._some_class()
        self._announce("class", {image.id for image in self._session.images()})
        turn = self._random.random()
        if turn < 0.4 and len(self._session.classes()) < MOST_CLASSES:
            self._session.do(AddClass(class_from_name(f"class {self._random.random()}")))
        elif turn < 0.6:
            self._session.do(ChangeClass(chosen, class_from_name(f"class {self._random.random()}")))
        elif turn < 0.8 or chosen == other:
            self._session.do(MoveClass(chosen, 0))
        else:
            self._session.do(RemoveClass(chosen, other))

    def _new_image(self) -> NewImage:
        number = f"{self._random.getrandbits(256):064x}"
        patient = self._random.randrange(20)
        return NewImage(
            f"p{patient}", f"st{patient}", f"se{patient}", number, f"{number}.png", 0, "US", "", 64, 64, 0.0
        )


def _say(message: dict[str, Any]) -> None:
    """Write a line at once: what a killed process had in a buffer would be lost."""
    os.write(1, (json.dumps(message) + "\n").encode())


def main() -> None:
    """Open the project and work on it. Arguments: project, seed."""
    application = QCoreApplication(sys.argv[:1])
    session = Session()
    assert session.open_project(Path(sys.argv[1])), "the project could not be opened"
    Labelling(session, int(sys.argv[2])).run()
    application.quit()


if __name__ == "__main__":
    main()
