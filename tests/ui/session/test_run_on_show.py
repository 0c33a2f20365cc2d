"""One run is on show on every page: the newest, until another is chosen."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QWidget
from support.fake_engine import drawn_session
from support.made_evaluation import made_run

pytestmark = pytest.mark.gui
NAMES = ("normal", "lesion")


@pytest.fixture
def session(qtbot, tmp_path):
    made = drawn_session(tmp_path, 4, NAMES)
    for seed in (1, 2):
        add_run(made, seed)
    yield made
    made.close()


def add_run(session, seed):
    ids = [image.id for image in session.images()]
    run = made_run(NAMES, ids=ids, labels=[0, 1, 0, 1], training=2, seed=seed)
    session.project.add_run("quick", {"labels": {}}, run, b"")
    session.runs_changed.emit()


def test_the_newest_run_is_shown_until_another_is_chosen(session):
    assert (session.run.number, session.run.numbers) == (2, (2, 1))
    session.run.show(1)
    assert session.run.result.seed == session.project.run_result(1).seed
    add_run(session, 3)
    assert session.run.number == 3


def test_a_class_is_found_in_the_run_by_its_name(session):
    lesion = session.classes()[1]
    assert session.run.position_of(lesion.id) == 1
    assert session.run.position_of(None) is None


def test_the_parts_of_a_page_are_refreshed_in_their_order_when_it_is_seen(session, qtbot):
    page, told = QWidget(), []
    qtbot.addWidget(page)
    session.run.follow(page, lambda: told.append("first"))
    session.run.follow(page, lambda: told.append("second"))
    session.run.show(1)
    assert told == []
    page.show()
    session.run.show(2)
    assert told == ["first", "second"] * 2


def test_another_project_shows_no_run_of_the_one_before(session, tmp_path):
    assert session.new_project(tmp_path / "other.clipsvd")
    assert (session.run.number, session.run.result) == (None, None)
