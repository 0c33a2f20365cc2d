"""What is dropped on the window reaches the series that are there, and every step can be undone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget
from support.films import ct_slices, film

from clipsvd_app.project import create_project
from clipsvd_app.ui.controllers.grouping import GroupingController
from clipsvd_app.ui.controllers.importing import ImportController
from clipsvd_app.ui.session import Session

pytestmark = pytest.mark.gui


class NoEngine(QObject):
    """An engine that is never asked."""

    ready, lost = Signal(object), Signal()

    def close(self) -> None:
        """Nothing runs."""


@pytest.fixture
def bench(qtbot, tmp_path):
    session, parent = Session(NoEngine()), QWidget()
    qtbot.addWidget(parent)
    session.new_project(tmp_path / "p.clipsvd")
    importing = ImportController(session, GroupingController(parent))
    notices = []
    session.notice.connect(notices.append)

    def drop(*paths):
        notices.clear()
        importing.take([str(path) for path in paths])
        qtbot.waitUntil(lambda: bool(notices) and not importing.busy)

    yield SimpleNamespace(session=session, drop=drop, notices=notices)
    session.close()


def codes(bench):
    return [flag.code for flags in bench.session.series_flags().values() for flag in flags]


def test_a_segmentation_dropped_alone_flags_its_series_and_undo_takes_that_back(bench, tmp_path):
    bench.drop(*ct_slices(tmp_path / "ct", [0, 1, 2]))
    assert codes(bench) == []
    bench.drop(*ct_slices(tmp_path / "seg", [0], Modality="SEG"))
    assert codes(bench) == ["unsupported_object"]
    assert len(bench.session.images()) == 3
    bench.session.undo_stack.undo()
    assert codes(bench) == []
    bench.session.undo_stack.redo()
    assert codes(bench) == ["unsupported_object"]


def test_what_is_known_already_leaves_nothing_to_undo(bench, tmp_path):
    slices = ct_slices(tmp_path / "ct", [0, 1, 3])
    bench.drop(*slices)
    steps = bench.session.undo_stack.count()
    bench.drop(*slices)
    assert (codes(bench), bench.session.undo_stack.count()) == (["missing_slices"], steps)


def test_what_is_dropped_together_with_a_project_is_said_not_to_be_added(bench, tmp_path):
    create_project(tmp_path / "other.clipsvd").close()
    bench.drop(tmp_path / "other.clipsvd", film(tmp_path / "a.dcm", "A", 1), tmp_path / "b.dcm")
    assert bench.session.project.path.name == "other.clipsvd"
    assert bench.notices[-1].message == "Only other.clipsvd was opened."
    assert bench.notices[-1].remedy == "Drop the 2 other things again to add."


def test_what_is_left_out_is_counted_in_the_notice(bench, tmp_path):
    (tmp_path / "in").mkdir()
    film(tmp_path / "in" / "a.dcm", "A", 1)
    (tmp_path / "in" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "in" / "Thumbs.db").write_bytes(b"x")
    bench.drop(tmp_path / "in")
    assert bench.notices[-1].message == "1 image of 1 patient added, 2 left out."
    assert "Left out: 2 system files." in bench.notices[-1].remedy


def test_one_film_under_two_patients_is_said_in_the_notice(bench, tmp_path):
    bench.drop(film(tmp_path / "a.dcm", "A", 1), film(tmp_path / "b.dcm", "B", 1))
    assert "same picture as an image of another patient" in bench.notices[-1].remedy
