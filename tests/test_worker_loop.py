"""The order of things in the engine process, with a fake engine."""

from __future__ import annotations

import queue
import shutil
from pathlib import Path

import pytest

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.domain.results.evaluation import Evaluation
from clipsvd_app.domain.results.run import StepMetrics
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.folders import read_interim, write_request
from clipsvd_app.jobs.lines import CancelJob, CancelledEvent, Failed, Finished, Interim, Progress, RunJob
from clipsvd_app.jobs.requests import (
    AddBackboneRequest,
    BackboneRef,
    ExplainRequest,
    ImageInput,
    PredictRequest,
    PreviewRequest,
    TrainRequest,
    VerifyRequest,
)
from clipsvd_app.worker import SHORT_PREDICTION, Worker

BASE = BackboneRef("none", "none")
CLASSES = (class_from_name("one"), class_from_name("two"))


class FakeEngine:
    """Runs the script of a folder's name: what it does at each of three steps."""

    def __init__(self):
        self.scripts = {}
        self.log = []

    def run(self, folder, request, report, announce):
        self.log.append(f"start {folder.name}")
        for step in range(3):
            self.scripts.get((folder.name, step), lambda: None)()
            report("Working", step, 3, StepMetrics(step, 1.0, 0.5, 0.1))
        self.log.append(f"end {folder.name}")


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def events():
    return []


@pytest.fixture
def inbox():
    return queue.SimpleQueue()


@pytest.fixture
def worker(engine, events, inbox):
    return Worker(engine, events.append, inbox)


@pytest.fixture
def job(tmp_path):
    def make(name: str, *, long: bool = False) -> str:
        request = TrainRequest(BASE, CLASSES, (), Recipe()) if long else PreviewRequest(BASE, CLASSES, ())
        write_request(tmp_path / name, request)
        return str(tmp_path / name)

    return make


def endings(events):
    return [event for event in events if not isinstance(event, Progress)]


def test_jobs_run_in_order_and_each_ends_once(worker, events, inbox, job):
    for number, name in enumerate(("a", "b"), start=1):
        inbox.put(RunJob(number, job(name)))
    inbox.put(CancelJob(99))

    def close(event):
        events.append(event)
        if event == Finished(2):
            inbox.put(None)

    worker.send = close
    worker.serve()
    assert endings(events) == [Finished(1), Finished(2)]


def test_a_short_job_is_answered_between_the_steps_of_a_training(worker, engine, events, inbox, job):
    train, short = job("train", long=True), job("short")
    engine.scripts["train", 1] = lambda: inbox.put(RunJob(2, short))
    inbox.put(RunJob(1, train))
    serve_until(worker, events, inbox, Finished(1))
    assert engine.log == ["start train", "start short", "end short", "end train"]
    assert endings(events) == [Finished(2), Finished(1)]


IMAGES = tuple(ImageInput(number, f"{number}.png", 0, "p") for number in range(SHORT_PREDICTION + 1))


@pytest.mark.parametrize(
    "request_",
    [
        PreviewRequest(BASE, CLASSES, IMAGES),
        PreviewRequest(BASE, (), IMAGES, "a bright disc"),
        ExplainRequest(BASE, "a", IMAGES[0]),
        VerifyRequest(BASE, "a"),
        PredictRequest(BASE, "a", IMAGES[:SHORT_PREDICTION]),
    ],
    ids=["preview", "search", "explain", "verify", "predict"],
)
def test_a_short_request_waits_for_one_step_of_a_training_and_no_more(
    worker, engine, events, inbox, job, tmp_path, request_
):
    write_request(tmp_path / "short", request_)
    engine.scripts["train", 1] = lambda: inbox.put(RunJob(2, str(tmp_path / "short")))
    engine.scripts["train", 2] = lambda: engine.log.append("next step")
    inbox.put(RunJob(1, job("train", long=True)))
    serve_until(worker, events, inbox, Finished(1))
    assert engine.log == ["start train", "start short", "end short", "next step", "end train"]


def test_a_prediction_of_many_images_waits_for_the_training_and_lets_short_ones_through(
    worker, engine, events, inbox, job, tmp_path
):
    write_request(tmp_path / "many", PredictRequest(BASE, "a", IMAGES))
    short = job("short")
    engine.scripts["train", 0] = lambda: inbox.put(RunJob(2, str(tmp_path / "many")))
    engine.scripts["many", 1] = lambda: inbox.put(RunJob(3, short))
    inbox.put(RunJob(1, job("train", long=True)))
    serve_until(worker, events, inbox, Finished(2))
    assert engine.log == ["start train", "end train", "start many", "start short", "end short", "end many"]


def test_a_second_training_waits_for_the_first(worker, engine, events, inbox, job):
    one, two = job("one", long=True), job("two", long=True)
    engine.scripts["one", 0] = lambda: inbox.put(RunJob(2, two))
    inbox.put(RunJob(1, one))
    serve_until(worker, events, inbox, Finished(2))
    assert engine.log == ["start one", "end one", "start two", "end two"]


def test_a_short_job_is_answered_while_a_backbone_is_added(worker, engine, events, inbox, job, tmp_path):
    write_request(tmp_path / "add", AddBackboneRequest("from", "to", "name"))
    short = job("short")
    engine.scripts["add", 1] = lambda: inbox.put(RunJob(2, short))
    inbox.put(RunJob(1, str(tmp_path / "add")))
    serve_until(worker, events, inbox, Finished(1))
    assert engine.log == ["start add", "start short", "end short", "end add"]


def test_a_waiting_short_job_can_be_cancelled_while_another_runs_beside_a_training(
    worker, engine, events, inbox, job
):
    train, first, second = job("train", long=True), job("first"), job("second")

    def ask() -> None:
        inbox.put(RunJob(2, first))
        inbox.put(RunJob(3, second))

    engine.scripts["train", 1] = ask
    engine.scripts["first", 1] = lambda: inbox.put(CancelJob(3))
    inbox.put(RunJob(1, train))
    serve_until(worker, events, inbox, Finished(1))
    assert engine.log == ["start train", "start first", "end first", "end train"]
    assert endings(events) == [CancelledEvent(3), Finished(2), Finished(1)]


def test_a_short_job_is_not_interrupted_by_another(worker, engine, events, inbox, job):
    train, first, second = job("train", long=True), job("first"), job("second")
    engine.scripts["train", 0] = lambda: inbox.put(RunJob(2, first))
    engine.scripts["first", 0] = lambda: inbox.put(RunJob(3, second))
    inbox.put(RunJob(1, train))
    serve_until(worker, events, inbox, Finished(1))
    assert engine.log == [
        "start train",
        "start first",
        "end first",
        "start second",
        "end second",
        "end train",
    ]


def test_a_cancelled_job_stops_at_its_next_report_and_the_next_job_runs(worker, engine, events, inbox, job):
    engine.scripts["train", 1] = lambda: inbox.put(CancelJob(1))
    inbox.put(RunJob(1, job("train", long=True)))
    inbox.put(RunJob(2, job("next")))
    serve_until(worker, events, inbox, Finished(2))
    assert endings(events)[0] == CancelledEvent(1) or endings(events)[-1] == CancelledEvent(1)
    assert "end train" not in engine.log


def test_a_job_cancelled_before_its_turn_never_starts(worker, engine, events, inbox, job):
    waiting = job("waiting", long=True)
    engine.scripts["train", 0] = lambda: [inbox.put(RunJob(2, waiting)), inbox.put(CancelJob(2))]
    inbox.put(RunJob(1, job("train", long=True)))
    serve_until(worker, events, inbox, CancelledEvent(2))
    assert "start waiting" not in engine.log


def test_a_user_error_carries_sentence_and_remedy(worker, engine, events, inbox, job):
    def refuse():
        raise UserError("It is full.", remedy="Empty it.", code="full")

    engine.scripts["a", 0] = refuse
    inbox.put(RunJob(1, job("a")))
    inbox.put(RunJob(2, job("b")))
    serve_until(worker, events, inbox, Finished(2))
    assert endings(events)[0] == Failed(1, "full", "It is full.", "Empty it.")


def test_a_bug_says_its_kind_and_nothing_of_its_data(worker, engine, events, inbox, job, capsys):
    def break_down():
        raise ValueError("/home/someone/Doe^Jane.dcm")

    engine.scripts["a", 0] = break_down
    inbox.put(RunJob(1, job("a")))
    inbox.put(RunJob(2, job("b")))
    serve_until(worker, events, inbox, Finished(2))
    failed = endings(events)[0]
    assert (failed.code, failed.message) == ("bug", "Something went wrong inside the engine (ValueError).")
    shown = capsys.readouterr().err
    assert "ValueError" in shown
    assert "break_down" in shown
    assert "Doe" not in shown
    assert str(Path.cwd()) not in shown


def test_the_end_of_input_stops_the_running_job(worker, engine, events, inbox, job):
    engine.scripts["train", 0] = lambda: inbox.put(None)
    inbox.put(RunJob(1, job("train", long=True)))
    worker.serve()
    assert endings(events) == [CancelledEvent(1)]


def test_what_is_known_early_lies_in_the_folder_when_it_is_told(worker, events, inbox, job):
    class Early:
        def run(self, folder, request, report, announce):
            announce(Evaluation("none"))

    worker.runner = Early()
    folder = job("a")
    inbox.put(RunJob(1, folder))
    serve_until(worker, events, inbox, Finished(1))
    assert events == [Interim(1), Finished(1)]
    assert read_interim(Path(folder)) == Evaluation("none")


def test_what_cannot_be_written_early_ends_no_job(worker, events, inbox, job):
    class Early:
        def run(self, folder, request, report, announce):
            shutil.rmtree(folder)
            announce(Evaluation("none"))

    worker.runner = Early()
    inbox.put(RunJob(1, job("a")))
    serve_until(worker, events, inbox, Finished(1))
    assert events == [Finished(1)]


@pytest.mark.parametrize("text", ['{"kind": "train"}', '{"kind": "sing"}', "{", ""])
def test_a_request_that_cannot_be_read_fails_at_once(worker, events, inbox, tmp_path, text):
    (tmp_path / "request.json").write_text(text)
    inbox.put(RunJob(1, str(tmp_path)))
    inbox.put(None)
    worker.serve()
    assert [(event.job, event.code) for event in events] == [(1, "bad_request")]


def test_progress_is_thinned_but_first_and_last_arrive(worker, engine, events, inbox, job):
    class Busy:
        def run(self, folder, request, report, announce):
            for step in range(1000):
                report("Working", step + 1, 1000)
            report("Saving", 0, 1)

    worker.runner = Busy()
    inbox.put(RunJob(1, job("a")))
    serve_until(worker, events, inbox, Finished(1))
    progress = [event for event in events if isinstance(event, Progress)]
    assert len(progress) < 30
    assert [(p.stage, p.done) for p in (progress[0], *progress[-2:])] == [
        ("Working", 1),
        ("Working", 1000),
        ("Saving", 0),
    ]


def serve_until(worker, events, inbox, last):
    """Serve until an event, then end the input."""

    def record(event):
        events.append(event)
        if event == last:
            inbox.put(None)

    worker.send = record
    worker.serve()
