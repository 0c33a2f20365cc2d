"""An engine that keeps the newest job, and a session that has one with a project of drawn pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from PySide6.QtCore import QObject, Signal

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.jobs.folders import read_request, write_result
from clipsvd_app.jobs.lines import CancelledEvent, Finished
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.services.studies.import_plan import apply_import, plan_import
from clipsvd_app.ui.session.session import Session

if TYPE_CHECKING:
    from pathlib import Path

JOB = 7


class FakeEngine(QObject):
    """Keeps the newest job that it was given, and ends it as the test says."""

    ready, lost, given_up = Signal(object), Signal(), Signal()

    def __init__(self) -> None:
        super().__init__()
        self.request = None

    def submit(self, folder, on_end, on_progress=None, on_interim=None) -> int:
        self.folder, self.on_end, self.on_progress = folder, on_end, on_progress
        self.on_interim = on_interim
        self.request = read_request(folder)
        return JOB

    def answer(self, result) -> None:
        """End the job with a result."""
        write_result(self.folder, result)
        self.on_end(Finished(JOB))

    def cancel(self, number: int) -> None:
        self.on_end(CancelledEvent(number))

    def close(self) -> None:
        """Nothing runs."""


def drawn_session(folder: Path, pictures: int, names: tuple[str, ...]) -> Session:
    """Open a new project of noise pictures, each a patient of its own, with these classes."""
    random = np.random.default_rng(2)
    (folder / "in").mkdir()
    for number in range(pictures):
        pixels = random.integers(0, 255, (24, 24), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "in" / f"{number}.png")
    session = Session(FakeEngine())
    assert session.new_project(folder / "p.clipsvd")
    session.do(apply_import(session.project, plan_import(session.project, [folder / "in"])))
    for name in names:
        session.do(AddClass(class_from_name(name)))
    return session
