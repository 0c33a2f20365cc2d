"""Whatever a long job is in the middle of, a short one answered between its steps says what it says alone."""

from __future__ import annotations

import queue

import pytest
from support.tiny_backbone import write_tiny_backbone

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.domain.results.explanation import RunExplanation
from clipsvd_app.domain.results.run import RunResult
from clipsvd_app.engine.explain.model import embedded_corpus
from clipsvd_app.engine.jobs.job import Engine
from clipsvd_app.engine.sigma.warm import WarmBackbones
from clipsvd_app.jobs.answers import PredictResult
from clipsvd_app.jobs.folders import RESULT_FILE, read_request, read_result, write_request
from clipsvd_app.jobs.lines import Finished, Interim, Progress, RunJob
from clipsvd_app.jobs.requests import BackboneRef, ExplainRunRequest, PredictRequest, TrainRequest
from clipsvd_app.worker import Worker

CLASSES = (class_from_name("bright disc"), class_from_name("dark disc"))
RECIPE = Recipe(steps=4, choice_steps=2, batch_size=4, folds=2)
LONG = 1


class Inbox:
    """The inbox of a worker in which a new short job lies at every look between two steps."""

    def __init__(self, long, short, folder):
        self.first, self.short, self.folder = long, short, folder
        self.predictions = []
        self.turn = False

    def get(self):
        first, self.first = self.first, None
        return first

    def get_nowait(self):
        self.turn = not self.turn
        # One at a time: the short job looks into the inbox too.
        waits = self.predictions and not (self.predictions[-1] / RESULT_FILE).exists()
        if self.short is None or not self.turn or waits:
            raise queue.Empty
        folder = self.folder / f"short {len(self.predictions)}"
        write_request(folder, self.short)
        self.predictions.append(folder)
        return RunJob(LONG + len(self.predictions), str(folder))


@pytest.fixture(scope="module")
def engine():
    return Engine()


@pytest.fixture(scope="module")
def reference(tiny_folder):
    return BackboneRef("tiny", str(tiny_folder))


@pytest.fixture(scope="module")
def training(reference, studies):
    return TrainRequest(reference, CLASSES, studies, RECIPE, shots=2, seed=7)


@pytest.fixture(scope="module")
def trained(engine, training, tmp_path_factory):
    """The folder of the training when nothing else runs."""
    folder = tmp_path_factory.mktemp("train")
    write_request(folder, training)
    engine.run(folder, read_request(folder), lambda *_: None)
    return folder


@pytest.fixture(scope="module")
def adapter(trained):
    return str(trained / "adapter.safetensors")


def do(engine, long, short, folder):
    """Do a long job with the short one at each of its reports; return its folder and the short answers."""
    write_request(folder / "long", long)
    events = []
    inbox = Inbox(RunJob(LONG, str(folder / "long")), short, folder)
    Worker(engine, events.append, inbox).serve()
    ended = [event for event in events if not isinstance(event, Progress | Interim)]
    assert all(isinstance(event, Finished) for event in ended), ended
    return folder / "long", [read_result(place, PredictResult) for place in inbox.predictions]


@pytest.fixture
def alone(engine, reference, adapter, studies, tmp_path):
    """The short job and its answer when nothing else runs."""
    request = PredictRequest(reference, adapter, studies[:3])
    write_request(tmp_path / "alone", request)
    engine.run(tmp_path / "alone", read_request(tmp_path / "alone"), lambda *_: None)
    answer = read_result(tmp_path / "alone", PredictResult)
    assert any(image.adapted != image.zero_shot for image in answer.images)
    return request, answer


def test_explaining_a_run_and_predicting_with_its_adapter_leave_each_other_alone(
    engine, reference, adapter, studies, alone, tmp_path, monkeypatch
):
    request, expected = alone
    long = ExplainRunRequest(reference, adapter, studies)
    found = []
    for name, short in (("busy", request), ("quiet", None)):
        monkeypatch.setattr(embedded_corpus, "cache_folder", lambda name=name: tmp_path / name)
        folder, answers = do(engine, long, short, tmp_path / f"jobs {name}")
        assert answers == [expected] * len(answers)
        assert bool(answers) == (short is not None)
        found.append(read_result(folder, RunExplanation))
    assert found[0] == found[1]


def test_a_training_and_predictions_between_its_steps_leave_each_other_alone(
    engine, training, trained, alone, tmp_path
):
    request, expected = alone
    folder, answers = do(engine, training, request, tmp_path)
    assert answers
    assert answers == [expected] * len(answers)
    busy, quiet = read_result(folder, RunResult), read_result(trained, RunResult)
    assert (busy.predictions, busy.curve) == (quiet.predictions, quiet.curve)
    assert busy.explanation == quiet.explanation


def test_a_backbone_in_use_survives_short_jobs_that_load_others(tmp_path):
    backbones = [
        BackboneRef(f"tiny {seed}", str(write_tiny_backbone(tmp_path / str(seed), seed))) for seed in range(3)
    ]
    warm = WarmBackbones(kept=1)

    def meanwhile(*_):
        for other in backbones[1:]:
            warm.get(other, "cpu", lambda *_: None)

    assert warm.get(backbones[0], "cpu", meanwhile).backbone.name == "tiny 0"
