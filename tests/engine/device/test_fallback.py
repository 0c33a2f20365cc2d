"""A GPU whose memory runs out: the job is done on the CPU, once, and says so."""

from __future__ import annotations

import weakref

import pytest
import torch
from support.fake_devices import CARD, FakeProbe

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.domain.results.run import RunNote, RunResult
from clipsvd_app.engine.device.devices import Devices
from clipsvd_app.engine.device.fallback import FALLBACK_STAGE, with_cpu_in_reserve
from clipsvd_app.engine.jobs.job import Engine
from clipsvd_app.engine.sigma.warm import WarmBackbones
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.folders import read_request, read_result, write_request
from clipsvd_app.jobs.requests import BackboneRef, PreviewRequest, TrainRequest

CLASSES = (class_from_name("bright disc"), class_from_name("dark disc"))
REQUEST = PreviewRequest(BackboneRef("none", "none"), CLASSES, ())
FULL = torch.OutOfMemoryError("CUDA out of memory.")


class FullGpu(WarmBackbones):
    """A GPU that has no room for anything; on the CPU all is as always."""

    def get(self, reference, device, report):
        if self.devices.pick(device).type == "cuda":
            raise FULL
        return super().get(reference, device, report)


class Attempts:
    """Does a job, failing on anything but the CPU."""

    def __init__(self, error: RuntimeError):
        self.error, self.devices, self.held = error, [], None

    def __call__(self, request):
        self.devices.append(request.device)
        if request.device != "cpu":
            weights = torch.zeros(3)
            self.held = weakref.ref(weights)
            raise type(self.error)(*self.error.args)
        return "done"


@pytest.fixture
def told():
    return []


@pytest.fixture
def report(told):
    return lambda stage, done, total, metrics=None: told.append(stage)


def gpu() -> Devices:
    return Devices(FakeProbe(CARD))


@pytest.mark.parametrize(
    "error",
    [
        FULL,
        RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
        RuntimeError("CUBLAS_STATUS_ALLOC_FAILED"),
    ],
)
def test_a_full_gpu_hands_the_job_to_the_cpu_and_lets_go_first(error, told, report):
    attempts, dropped = Attempts(error), []

    def let_go(device):
        dropped.append((device.type, told[:], attempts.held()))

    assert with_cpu_in_reserve(REQUEST, gpu(), attempts, let_go, report) == "done"
    assert attempts.devices == ["auto", "cpu"]
    assert dropped == [("cuda", [], None)], "the tensors of the failed attempt are gone by then"
    assert told == [FALLBACK_STAGE]


def test_an_error_that_is_not_about_memory_stays_an_error(report):
    with pytest.raises(RuntimeError, match="illegal"):
        with_cpu_in_reserve(REQUEST, gpu(), Attempts(RuntimeError("illegal access")), lambda _: None, report)


def test_a_full_cpu_has_nothing_to_fall_back_on(report):
    attempts = Attempts(FULL)
    with pytest.raises(torch.OutOfMemoryError):
        with_cpu_in_reserve(REQUEST, Devices(FakeProbe()), attempts, lambda _: None, report)
    assert attempts.devices == ["auto"]


def test_a_run_that_left_the_gpu_says_so_and_keeps_one_curve(tiny_folder, studies, tmp_path, told, report):
    recipe = Recipe(plain=True, steps=2, batch_size=4)
    write_request(
        tmp_path, TrainRequest(BackboneRef("tiny", str(tiny_folder)), CLASSES, studies, recipe, shots=2)
    )
    (tmp_path / "metrics.jsonl").write_text('{"stage": "Training, as far as the GPU came"}\n')
    Engine(FullGpu(devices=gpu())).run(tmp_path, read_request(tmp_path), report)
    result = read_result(tmp_path, RunResult)
    assert RunNote("on_cpu") in result.notes
    assert result.device == "cpu"
    assert FALLBACK_STAGE in told
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == recipe.steps


def test_a_run_beside_an_unusable_gpu_notes_why_it_was_computed_on_the_cpu(
    tiny_folder, studies, tmp_path, report
):
    recipe = Recipe(plain=True, steps=2, batch_size=4)
    broken = Devices(FakeProbe(CARD, off={("cuda", False): 1.0}))
    reference = BackboneRef("tiny", str(tiny_folder))
    write_request(tmp_path, TrainRequest(reference, CLASSES, studies, recipe, shots=2))
    Engine(WarmBackbones(devices=broken)).run(tmp_path, read_request(tmp_path), report)
    assert RunNote("stated", detail=broken.note()) in read_result(tmp_path, RunResult).notes


def test_a_gpu_that_was_asked_for_by_name_and_cannot_be_used_is_refused(
    tiny_folder, studies, tmp_path, report
):
    broken = Devices(FakeProbe(CARD, off={("cuda", False): None}))
    request = PreviewRequest(BackboneRef("tiny", str(tiny_folder)), CLASSES, studies, device="cuda")
    write_request(tmp_path, request)
    with pytest.raises(UserError, match="short test"):
        Engine(WarmBackbones(devices=broken)).run(tmp_path, read_request(tmp_path), report)
