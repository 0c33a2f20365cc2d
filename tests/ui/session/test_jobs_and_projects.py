"""Every answer belongs to the project that it was asked for: true session, window, process and worker."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QThread
from PySide6.QtWidgets import QLabel
from support.fake_engine import FakeEngine
from support.made_evaluation import made_run
from support.scripted_studio import NAMES, finish, press, start_training

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.jobs.requests import BackboneRef, PreviewRequest
from clipsvd_app.project import open_project
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.services.files import job_folders
from clipsvd_app.services.files.job_folders import new_job, waiting_runs
from clipsvd_app.services.labels.labels import set_labels
from clipsvd_app.ui.session.image_cache import Pictures
from clipsvd_app.ui.session.jobs import EngineJob
from clipsvd_app.ui.session.notices import ELSEWHERE_KEY, START_ENGINE
from clipsvd_app.ui.session.session import Session
from clipsvd_app.ui.train.controller import NEXT_EXPLANATION

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.gui, pytest.mark.timeout(120)]


@pytest.fixture
def studio(scripted_studio):
    return scripted_studio


def runs_of(path: Path) -> int:
    with open_project(path) as project:
        return len(project.runs())


def asked(request, ends):
    """Return a job that notes how it ended."""
    return EngineJob(
        key="test",
        make=lambda: new_job(request),
        read=lambda folder: folder,
        take=lambda _folder: ends.append("answered"),
        failed=lambda _failed: ends.append("failed"),
        cancelled=lambda: ends.append("cancelled"),
    )


def test_a_training_is_recorded_in_its_own_project_while_another_is_open(qtbot, studio, projects, tmp_path):
    first, second = projects
    start_training(qtbot, studio, first)
    assert studio.session.open_project(second)
    stage = studio.pages.train.progress._stage
    qtbot.waitUntil(lambda: stage.text().startswith("“first”: "), timeout=10_000)
    finish(qtbot, studio, tmp_path)
    assert studio.session.project.runs() == ()
    assert runs_of(first) == 1
    done = next(notice for notice in studio.told if notice.key == ELSEWHERE_KEY)
    assert done.message.startswith("“first”: Run 1 finished")
    studio.window.notice_action.emit(done.action)
    assert studio.session.project.path == first
    assert len(studio.session.project.runs()) == 1


def test_the_verdict_stands_beside_the_curves_while_the_run_goes_on(qtbot, studio, projects, tmp_path):
    first, second = projects
    start_training(qtbot, studio, first)
    shown = studio.pages.train.progress.interim
    qtbot.waitUntil(lambda: shown.isVisible(), timeout=10_000)
    assert studio.pages.training.running
    texts = [label.text() for label in shown.findChildren(QLabel)]
    assert any(text.endswith("recommended") for text in texts)
    assert NEXT_EXPLANATION in texts
    assert studio.session.open_project(second)
    assert shown.findChild(QLabel).text().startswith("“first”: ")
    finish(qtbot, studio, tmp_path)
    assert shown.isHidden()


def test_a_training_that_is_cancelled_after_its_verdict_leaves_it_on_the_page(qtbot, studio, projects):
    start_training(qtbot, studio, projects[0])
    shown = studio.pages.train.progress.interim
    qtbot.waitUntil(lambda: shown.isVisible(), timeout=10_000)
    press(studio.pages.train, "Cancel")
    qtbot.waitUntil(lambda: not studio.pages.training.running, timeout=30_000)
    assert shown.isVisible()
    assert NEXT_EXPLANATION not in [label.text() for label in shown.findChildren(QLabel)]
    assert studio.session.project.runs() == ()


def test_a_training_is_recorded_after_its_project_was_opened_again(qtbot, studio, projects, tmp_path):
    first, second = projects
    start_training(qtbot, studio, first)
    assert studio.session.open_project(second)
    assert studio.session.open_project(first)
    assert not studio.session.project.read_only
    finish(qtbot, studio, tmp_path)
    assert len(studio.session.project.runs()) == 1
    assert studio.session.project.run_request(1)["labels"] == {"1": 0, "2": 1, "3": 0, "4": 1}


@pytest.mark.parametrize("why", ["locked", "moved"])
def test_a_run_that_cannot_be_recorded_waits_for_its_project(qtbot, studio, projects, tmp_path, why):
    first, second = projects
    start_training(qtbot, studio, first)
    assert studio.session.open_project(second)
    now = first
    if why == "locked":
        other = open_project(first)
    else:
        now = first.rename(tmp_path / "elsewhere.clipsvd")
    finish(qtbot, studio, tmp_path)
    (waits,) = [notice for notice in studio.told if notice.key == "run_waiting"]
    (folder,) = waiting_runs()
    assert str(folder) in waits.remedy
    assert not (folder / "request.json").exists()
    if why == "locked":
        other.close()
    assert studio.session.open_project(second)
    assert studio.session.project.runs() == ()
    assert studio.session.open_project(now)
    assert len(studio.session.project.runs()) == 1
    assert waiting_runs() == ()
    assert studio.session.open_project(now)
    assert len(studio.session.project.runs()) == 1


@pytest.mark.parametrize("command", [("/no/such/engine",), (sys.executable, "-c", "raise SystemExit(1)")])
def test_without_an_engine_a_training_ends_at_once_and_a_button_starts_the_engine(
    qtbot, studio, projects, command
):
    engine, works = studio.session.engine, studio.session.engine._command
    engine._command = command
    with qtbot.waitSignal(engine.given_up, timeout=30_000):
        engine._process.kill()
    assert studio.session.open_project(projects[0])
    studio.window.show_page("train")
    studio.told.clear()
    press(studio.pages.train, "Train")
    qtbot.waitUntil(lambda: not studio.pages.training.running, timeout=2000)
    told = next(notice for notice in studio.told if notice.action == START_ENGINE)
    assert "engine could not be started" in told.message
    engine._command = works
    with qtbot.waitSignal(engine.ready, timeout=30_000):
        press(studio.window, "Start engine")
    start_training(qtbot, studio, projects[0])


def test_cancelling_a_job_that_waits_for_a_training_leaves_the_training_alone(
    qtbot, studio, projects, tmp_path
):
    start_training(qtbot, studio, projects[0])
    ends = []
    request = PreviewRequest(BackboneRef("none", "none"), (), (), "")
    job = studio.session.jobs.run(asked(request, ends))
    studio.session.jobs.cancel(job)
    qtbot.waitUntil(lambda: bool(ends), timeout=10_000)
    studio.session.engine._kill_if_running(job.number)
    finish(qtbot, studio, tmp_path)
    assert len(studio.session.project.runs()) == 1


def test_nothing_that_was_asked_for_in_a_project_arrives_in_the_next_one(qtbot, studio, projects):
    first, second = projects
    session, pages = studio.session, studio.pages
    assert session.open_project(first)
    ends, answers = [], []
    request = PreviewRequest(BackboneRef("none", "none"), (), (), "")
    folder = session.jobs.run(asked(request, ends)).folder
    session.work(lambda _report: QThread.msleep(200) or "late", answers.append)
    pictures = Pictures(session.background)
    frames = []
    image = session.images()[0]
    pictures.want_frame(image, lambda image_id, _frame: frames.append(image_id))
    pictures.want_picture(image, lambda image_id, _picture: frames.append(image_id))
    pictures.forget()
    assert session.open_project(second)
    assert ends == ["cancelled"]
    assert [answer.cancelled for answer in answers] == [True]
    qtbot.waitUntil(lambda: not session.background.busy and not folder.exists(), timeout=10_000)
    assert (len(ends), len(answers), frames) == (1, 1, [])
    assert pages.preview.result is None


def test_a_label_refreshes_the_page_on_show_alone_and_reads_no_result(qtbot, studio, projects):
    session, pages = studio.session, studio.pages
    assert session.open_project(projects[0])
    result = made_run(NAMES, ids=range(1, 5), labels=[0, 1, 0, 1], training=2)
    session.project.add_run("quick", {"labels": {}}, result, b"")
    session.runs_changed.emit()
    studio.window.show_page("label")
    session.project._last_result = None
    session.project._db.execute("UPDATE run SET result = 'not to be read'")
    before = pages.train.setup.isVisible(), pages.train.runs.isVisible()
    lesion = session.classes()[1]
    session.do(set_labels([1], lesion.id, lesion.name))
    session.undo_stack.undo()
    session.do(AddClass(class_from_name("cyst")))
    assert before == (False, False)
    card = pages.train.setup._classes
    assert not any("cyst" in one.text() for one in card.findChildren(QLabel))
    studio.window.show_page("train")
    assert any("cyst" in one.text() for one in card.findChildren(QLabel))


def test_job_folders_of_ended_processes_go_and_finished_trainings_stay(tmp_path, monkeypatch):
    monkeypatch.setenv("CLIPSVD_HOME", str(tmp_path))
    mine = new_job(PreviewRequest(BackboneRef("none", "none"), (), (), ""))
    ended = tmp_path / "data" / "jobs" / "ended"
    assert mine.parent.parent == ended.parent
    for name in ("preview-1", "train-1", "train-2"):
        (ended / name).mkdir(parents=True)
        (ended / name / "request.json").write_text("{}")
    for name in ("run.json", "result.json"):
        (ended / "train-1" / name).write_text("{}")
    job_folders.clear_old_jobs()
    assert not ended.exists()
    assert mine.exists(), "its process lives"
    assert [folder.name for folder in waiting_runs()] == ["train-1"]


def test_a_damaged_waiting_run_keeps_no_project_from_opening(qtbot, studio, projects, tmp_path, monkeypatch):
    monkeypatch.setenv("CLIPSVD_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "data" / "waiting runs" / "train-x"
    folder.mkdir(parents=True)
    for name in ("run.json", "result.json"):
        (folder / name).write_text("[")
    assert studio.session.open_project(projects[0])
    assert [notice.key for notice in studio.told if notice.kind == "error"] == ["run_unreadable"]
    assert folder.exists()


def test_a_dropped_job_says_nothing_and_leaves_no_folder(tmp_path):
    ends = []
    session = Session(FakeEngine())
    request = PreviewRequest(BackboneRef("none", "none"), (), (), "")
    job = session.jobs.run(asked(request, ends))
    session.jobs.drop(job)
    assert (ends, job.folder.exists(), session.jobs.runs(job)) == ([], False, False)
    session.close()
