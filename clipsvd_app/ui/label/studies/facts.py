"""Date, modality and description of the studies in sight: read from their files, held in memory only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.dicom.examination import read_examination
from clipsvd_app.ui.label.state import SeriesFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clipsvd_app.ui.label.studies.tree import StudiesTree
    from clipsvd_app.ui.session.background import Answer
    from clipsvd_app.ui.session.session import Session


class StudyFactsController(QObject):
    """Answers the tree. Nothing of it is stored, and nothing is said of files that are not there."""

    def __init__(self, session: Session, tree: StudiesTree) -> None:
        super().__init__(tree)
        self._session, self._tree = session, tree
        tree.facts_needed.connect(self._read)
        session.project_opened.connect(tree.forget_facts)

    def _read(self, wanted: Sequence[tuple[str, int]]) -> None:
        """Read a file of each series. wanted: (key of its row, one of its images)."""
        images = [(key, self._session.image(image_id)) for key, image_id in wanted]
        paths = [(key, Path(image.path)) for key, image in images if image is not None]
        self._session.work(lambda report: _facts_of(paths, report), self._take)

    def _take(self, answer: Answer) -> None:
        if answer.value:
            self._tree.set_facts(answer.value)


def _facts_of(
    paths: Sequence[tuple[str, Path]], report: Callable[[int, int], None]
) -> dict[str, SeriesFacts]:
    found = {}
    for done, (key, path) in enumerate(paths):
        report(done, len(paths))
        try:
            said = read_examination(path)
        except (UserError, OSError):  # moved, locked or damaged: said elsewhere, and the row stays empty
            continue
        found[key] = SeriesFacts(said.date, said.modality, said.study, said.series)
    return found
