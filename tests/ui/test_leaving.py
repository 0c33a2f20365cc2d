"""Leaving and coming back: nothing that is under way ends unasked, and what was stopped can go on."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from support.scripted_studio import finish, press, start_training

from clipsvd_app.errors import UserError
from clipsvd_app.project.changes import RemoveImages
from clipsvd_app.project.reading_changes import Settle
from clipsvd_app.services.files import job_folders
from clipsvd_app.services.labels.labels import set_labels
from clipsvd_app.services.labels.second_reader import set_readings
from clipsvd_app.services.runs.stopped_training import prepare_again, stopped_trainings
from clipsvd_app.services.runs.training_folder import run_file
from clipsvd_app.ui.session.state import LongJob
from clipsvd_app.ui.shell.job_button import JobButton

pytestmark = [pytest.mark.gui, pytest.mark.timeout(120)]


@pytest.fixture
def studio(scripted_studio, tmp_path, monkeypatch):
    monkeypatch.setenv("CLIPSVD_HOME", str(tmp_path / "home"))
    return scripted_studio


def answer_with(button: str, seen: list[str]) -> None:
    """Press a button of the question that the next close asks."""

    def press_it() -> None:
        found = QApplication.activeModalWidget()
        buttons = {one.text(): one for one in found.buttons()}
        seen.extend((found.text(), found.defaultButton().text(), found.escapeButton().text()))
        buttons.get(button, found.escapeButton()).click()

    QTimer.singleShot(0, press_it)


def stop(qtbot, studio) -> None:
    press(studio.pages.train, "Cancel")
    qtbot.waitUntil(lambda: not studio.pages.training.running, timeout=10_000)


def mark_stopped(studio) -> None:
    studio.pages.train.runs._table.selectRow(0)


def cells(studio) -> list[str]:
    table = studio.pages.train.runs._table
    return [table.item(0, column).text() for column in range(table.columnCount())] if table.rowCount() else []


def test_closing_while_a_training_runs_asks_and_keeping_it_is_the_default(qtbot, studio, projects):
    start_training(qtbot, studio, projects[0])
    seen: list[str] = []
    answer_with("Keep training", seen)
    assert not studio.window.close()
    assert seen == ["Training is still running.", "Keep training", "Keep training"]
    assert studio.window.isVisible()
    assert studio.pages.training.running
    answer_with("Stop and quit", seen)
    assert studio.window.close()
    assert not studio.pages.training.running


def test_closing_asks_nothing_when_nothing_runs(studio, projects):
    assert studio.session.open_project(projects[0])
    assert studio.window.close()


def test_closing_asks_about_every_kind_of_long_job_and_no_longer_once_it_has_ended(studio):
    for key in ("one", "other"):
        studio.session.long_jobs.begin(key, LongJob("settings", key, "It is lost."))
    seen: list[str] = []
    answer_with("Keep window open", seen)
    assert not studio.window.close()
    assert seen[0] == "2 jobs are still running."
    QTimer.singleShot(0, lambda: [studio.session.long_jobs.end(key) for key in ("one", "other")])
    assert not studio.window.close(), "what it asked about ended meanwhile, and was never to be stopped"
    assert studio.window.close()


def test_a_training_is_seen_on_every_page_and_a_click_leads_to_it(qtbot, studio, projects):
    start_training(qtbot, studio, projects[0])
    studio.window.show_page("label")
    (shown,) = studio.window.findChildren(JobButton)
    assert shown.isVisible()
    assert shown.text().startswith("Training")
    assert studio.window._rail._buttons["train"].accessibleDescription().startswith("Training, ")
    shown.click()
    assert studio.window.current_page == "train"
    stop(qtbot, studio)
    assert not shown.isVisible()
    assert studio.window._rail._buttons["train"].accessibleDescription() == ""


def test_a_stopped_training_is_a_row_that_resumes_as_it_was_asked_for(qtbot, studio, projects, tmp_path):
    start_training(qtbot, studio, projects[0])
    session, page = studio.session, studio.pages.train
    stop(qtbot, studio)
    row = cells(studio)
    assert (row[0], row[2], row[3], row[4]) == ("–", "4", "all", "Standard")
    assert row[-1].startswith("Stopped at step 1 of ")
    (stopped,) = stopped_trainings(session.project)
    assert "in/" not in stopped.file.read_text()
    assert all(image.path == "" for image in stopped.request.images)
    lesion = session.classes()[1]
    session.do(set_labels([1, 2, 3], lesion.id, lesion.name))  # changed since: the stopped one does not care
    mark_stopped(studio)
    press(page, "Resume")
    folder = studio.pages.training._job.folder
    assert cells(studio) == []
    assert run_file(folder)["request"]["labels"] == {"1": 0, "2": 1, "3": 0, "4": 1}
    finish(qtbot, studio, tmp_path)
    assert session.project.run_request(1)["labels"] == {"1": 0, "2": 1, "3": 0, "4": 1}
    assert stopped_trainings(session.project) == ()


def test_training_again_with_nothing_changed_takes_the_stopped_row_along(qtbot, studio, projects):
    start_training(qtbot, studio, projects[0])
    stop(qtbot, studio)
    press(studio.pages.train, "Train")
    assert cells(studio) == []
    stop(qtbot, studio)
    assert len(stopped_trainings(studio.session.project)) == 1


def test_a_discarded_training_is_gone(qtbot, studio, projects):
    start_training(qtbot, studio, projects[0])
    stop(qtbot, studio)
    mark_stopped(studio)
    press(studio.pages.train, "Discard")
    assert cells(studio) == []
    assert job_folders.stopped_files() == ()


def test_a_lost_engine_leaves_a_training_that_can_go_on(qtbot, studio, projects):
    start_training(qtbot, studio, projects[0])
    studio.session.engine._process.kill()
    qtbot.waitUntil(lambda: not studio.pages.training.running, timeout=10_000)
    assert cells(studio)[-1].startswith("Stopped at step 1 of ")


def test_a_training_cut_short_with_the_window_can_go_on(qtbot, studio, projects):
    start_training(qtbot, studio, projects[0])
    answer_with("Stop and quit", [])
    assert studio.window.close()
    assert len(job_folders.stopped_files()) == 1


def test_a_training_cut_short_with_the_process_can_go_on_and_a_cut_line_counts_for_nothing(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("CLIPSVD_HOME", str(tmp_path))
    folder = tmp_path / "data" / "jobs" / "ended" / "train-1"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text('{"project": "p", "stages": []}')
    (folder / "metrics.jsonl").write_text('{"stage": "Training", "done": 7, "total": 9}\n{"stage": "Tra')
    job_folders.clear_old_jobs()
    (kept,) = job_folders.stopped_files()
    assert json.loads(kept.read_text())["stages"] == [["Training", 7, 9]]
    assert not folder.exists()


def test_a_training_that_failed_before_its_first_step_is_no_row(tmp_path, monkeypatch):
    monkeypatch.setenv("CLIPSVD_HOME", str(tmp_path))
    folder = tmp_path / "train-1"
    folder.mkdir()
    (folder / "run.json").write_text('{"stages": []}')
    assert not job_folders.put_aside(folder, failed=True)
    assert job_folders.stopped_files() == ()


def test_a_training_whose_images_are_gone_says_so_and_comes_back_with_them(qtbot, studio, projects):
    start_training(qtbot, studio, projects[0])
    stop(qtbot, studio)
    session = studio.session
    session.do(RemoveImages((1,)))
    (stopped,) = stopped_trainings(session.project)
    with pytest.raises(UserError, match="1 of the 4 images of this training"):
        prepare_again(session.project, session.settings, stopped)
    assert len(stopped_trainings(session.project)) == 1
    session.undo_stack.undo()
    job_folders.forget_job(prepare_again(session.project, session.settings, stopped))


def test_opening_the_open_project_changes_nothing_and_says_so(studio, projects):
    session = studio.session
    assert session.open_project(projects[0])
    lesion = session.classes()[1]
    session.do(set_labels([1], lesion.id, lesion.name))
    opened = session.project
    told = len(studio.told)
    studio.window.recent_requested.emit(str(projects[0]))
    studio.pages.importing.take([str(projects[0])])
    assert session.project is opened
    assert not session.project.read_only
    assert session.undo_stack.canUndo()
    assert {notice.message for notice in studio.told[told:]} == {"“first” is already open."}
    assert studio.told[-1].kind == "info"


def test_a_second_reader_reads_on_after_another_page_and_sees_no_label_there(studio, projects):
    session, window = studio.session, studio.window
    assert session.open_project(projects[0])
    studio.pages.reading.read("B")
    for page in ("train", "inspect", "explain", "export", "settings", "label"):
        window.show_page(page)
        assert session.reader == "B"
        hidden = page in ("inspect", "explain", "export")
        assert getattr(studio.pages, page).isVisible() != hidden
        assert window.current_page == page
    window.show_page("train")
    assert not studio.pages.train.setup._train.isEnabled()
    window.show_page("inspect")
    press(window, "End reading")
    assert session.reader == ""
    assert studio.pages.inspect.isVisible()


def test_each_reader_has_an_undo_of_their_own_that_outlives_pages_and_readings(studio, projects):
    session = studio.session
    assert session.open_project(projects[0])
    lesion = session.classes()[1]
    session.do(set_labels([1], lesion.id, lesion.name))
    studio.pages.reading.read("B")
    assert not session.undo.canUndo()
    session.do(set_readings("B", [1, 2], lesion.id))
    session.undo_stack.undo()
    session.do(set_readings("B", [3], lesion.id))
    studio.window.show_page("train")
    studio.window.show_page("label")
    studio.pages.reading.close()
    assert session.undo.canUndo()
    studio.window.action_triggered.emit("edit.undo")
    assert session.images()[0].class_id == session.classes()[0].id
    studio.pages.reading.read("B")
    assert [image.class_id for image in session.images()] == [None, None, lesion.id, None]
    studio.window.action_triggered.emit("edit.undo")
    assert session.readings() == ()


def test_what_was_done_on_top_of_what_is_gone_is_refused_in_a_sentence(studio, projects):
    session = studio.session
    assert session.open_project(projects[0])
    studio.pages.reading.read("B")
    session.do(set_readings("B", [1], session.classes()[1].id))
    session.undo_stack.undo()
    studio.pages.reading.close()
    session.do(RemoveImages((1,)))
    studio.pages.reading.read("B")
    session.undo_stack.redo()
    assert "was removed or replaced" in studio.told[-1].message
    assert session.readings() == ()


def test_taking_a_settlement_back_leaves_the_readers_newer_word(studio, projects):
    session = studio.session
    assert session.open_project(projects[0])
    normal, lesion = session.classes()
    session.do(set_readings("B", [1], lesion.id))
    session.do(Settle(1, "B", lesion.id))
    studio.pages.reading.read("B")
    session.do(set_readings("B", [1], normal.id))
    studio.pages.reading.close()
    session.undo_stack.undo()
    assert [reading.class_id for reading in session.readings()] == [normal.id]
    assert session.images()[0].class_id == normal.id
