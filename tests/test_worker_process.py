"""The real engine process, driven through its pipes."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image
from support.tiny_backbone import write_tiny_backbone

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.jobs.answers import PreviewResult
from clipsvd_app.jobs.folders import read_result, write_request
from clipsvd_app.jobs.lines import (
    PROTOCOL,
    CancelJob,
    CancelledEvent,
    Failed,
    Finished,
    Progress,
    Ready,
    RunJob,
    decode_event,
    encode_line,
)
from clipsvd_app.jobs.requests import (
    BackboneRef,
    ExplainRequest,
    ImageInput,
    PredictRequest,
    PreviewRequest,
    TrainRequest,
    VerifyRequest,
)

WAIT_S = 120
CLASSES = (class_from_name("one"), class_from_name("two"))


class Process:
    """The engine process and what it has said; a line that is no event fails the test."""

    def __init__(self, *arguments: str):
        command = [sys.executable, *(arguments or ("-m", "clipsvd_app.worker"))]
        self.child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.events: queue.Queue = queue.Queue()
        self.errors: list[str] = []
        self.readers = [threading.Thread(target=t) for t in (self._read_events, self._read_errors)]
        for reader in self.readers:
            reader.start()

    def send(self, command) -> None:
        self.child.stdin.write(encode_line(command))
        self.child.stdin.flush()

    def wait_for(self, wanted):
        """Return the first event that ``wanted`` accepts."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            event = self.events.get(timeout=WAIT_S)
            assert event is not None, "".join(self.errors)
            if wanted(event):
                return event
        raise TimeoutError

    def close(self) -> int:
        self.child.stdin.close()
        return self.child.wait(timeout=WAIT_S)

    def stop(self) -> None:
        """Leave no process, no thread and no open pipe, whatever the test did."""
        self.child.kill()
        self.child.wait()
        for reader in self.readers:
            reader.join()
        with contextlib.suppress(BrokenPipeError):
            self.child.stdin.close()

    def _read_events(self) -> None:
        for line in self.child.stdout:
            self.events.put(decode_event(line))
        self.events.put(None)
        self.child.stdout.close()

    def _read_errors(self) -> None:
        self.errors.extend(self.child.stderr)
        self.child.stderr.close()


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return BackboneRef("tiny", str(write_tiny_backbone(tmp_path_factory.mktemp("backbones") / "tiny")))


@pytest.fixture
def images(tmp_path):
    generator = np.random.default_rng(0)
    inputs = []
    for place in range(8):
        path = tmp_path / f"{place}.png"
        Image.fromarray(generator.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
        inputs.append(ImageInput(place, str(path), 0, f"p{place}", place % 2))
    return tuple(inputs)


@pytest.fixture
def started():
    """Start engine processes that are gone after the test."""
    processes = []

    def start(*arguments):
        processes.append(Process(*arguments))
        return processes[-1]

    yield start
    for process in processes:
        process.stop()


@pytest.fixture
def process(started):
    return started()


def of(kind):
    return lambda event: isinstance(event, kind)


def is_over(event):
    return isinstance(event, Finished | Failed | CancelledEvent)


def test_the_process_serves_cancels_and_ends_with_its_input(process, reference, images, tmp_path):
    ready = process.wait_for(of(Ready))
    assert ready.protocol == PROTOCOL
    assert "torch" in ready.versions
    assert "cpu" in ready.devices
    assert "trains in" in ready.device

    endless = Recipe(plain=True, steps=100_000, batch_size=4)
    write_request(tmp_path / "train", TrainRequest(reference, CLASSES, images, endless, shots=2))
    write_request(tmp_path / "preview", PreviewRequest(reference, CLASSES, images))
    process.send(RunJob(1, str(tmp_path / "train")))
    progress = process.wait_for(lambda event: isinstance(event, Progress) and event.stage == "Training")
    assert progress.metrics.loss > 0

    process.send(RunJob(2, str(tmp_path / "preview")))
    assert process.wait_for(is_over) == Finished(2)
    assert len(read_result(tmp_path / "preview", PreviewResult).items) == len(images)

    process.send(CancelJob(1))
    assert process.wait_for(is_over) == CancelledEvent(1)
    assert not (tmp_path / "train" / "result.json").exists()

    process.send(RunJob(3, str(tmp_path / "nothing")))
    failed = process.wait_for(is_over)
    assert (failed.job, failed.code) == (3, "bad_request")
    assert process.close() == 0


def test_every_short_request_is_answered_between_two_steps_of_a_training(
    process, reference, images, tmp_path
):
    once = Recipe(plain=True, steps=1, batch_size=2)
    write_request(tmp_path / "first", TrainRequest(reference, CLASSES, images, once, shots=2))
    process.send(RunJob(1, str(tmp_path / "first")))
    assert process.wait_for(is_over) == Finished(1)
    adapter = str(tmp_path / "first" / "adapter.safetensors")

    endless = Recipe(plain=True, steps=100_000, batch_size=4)
    write_request(tmp_path / "train", TrainRequest(reference, CLASSES, images, endless, shots=2))
    process.send(RunJob(2, str(tmp_path / "train")))
    process.wait_for(lambda event: isinstance(event, Progress) and event.stage == "Training")
    requests = (
        PreviewRequest(reference, (), images, "a bright disc"),
        PredictRequest(reference, adapter, images),
        VerifyRequest(reference, adapter),
        ExplainRequest(reference, adapter, images[0]),
    )
    for number, request in enumerate(requests, start=3):
        write_request(tmp_path / type(request).__name__, request)
        process.send(RunJob(number, str(tmp_path / type(request).__name__)))
        process.wait_for(lambda event, job=number: event.job == job)
        # Once begun it has the engine to itself, and then the training goes on.
        assert process.wait_for(lambda event, job=number: event.job != job or is_over(event)) == Finished(
            number
        )
        assert process.wait_for(of(Progress)).job == 2
    process.send(CancelJob(2))
    assert process.wait_for(is_over) == CancelledEvent(2)


def test_a_process_whose_window_is_gone_ends_in_the_middle_of_training(process, reference, images, tmp_path):
    endless = Recipe(plain=True, steps=100_000, batch_size=4)
    write_request(tmp_path / "train", TrainRequest(reference, CLASSES, images, endless, shots=2))
    process.send(RunJob(1, str(tmp_path / "train")))
    process.wait_for(lambda event: isinstance(event, Progress) and event.stage == "Training")
    assert process.close() == 0


def test_a_killed_process_leaves_nobody_behind(process, reference, images, tmp_path):
    process.wait_for(of(Ready))
    process.child.send_signal(signal.SIGKILL)
    assert process.child.wait(timeout=WAIT_S) == -signal.SIGKILL
    with pytest.raises(ChildProcessError):
        os.waitpid(process.child.pid, os.WNOHANG)


NOISY = """
import os, sys
from clipsvd_app import worker
from clipsvd_app.engine.jobs import job

class Noisy(job.Engine):
    def run(self, folder, request, report, announce):
        print("a stray print")
        os.write(1, b"a stray write of a library\\n")
        report("Working", 1, 1)

job.Engine = Noisy
sys.exit(worker.main())
"""


def test_stray_prints_do_not_reach_the_protocol(started, tmp_path):
    process = started("-c", NOISY)
    process.wait_for(of(Ready))
    write_request(tmp_path, VerifyRequest(BackboneRef("none", ""), ""))
    process.send(RunJob(1, str(tmp_path)))
    assert process.wait_for(is_over) == Finished(1)
    assert process.close() == 0
    process.stop()
    assert "a stray print\n" in process.errors
    assert "a stray write of a library\n" in process.errors


def test_a_line_that_is_no_command_is_dropped(process, tmp_path):
    process.wait_for(of(Ready))
    process.child.stdin.write("no json\n")
    process.send(RunJob(5, str(tmp_path)))
    assert process.wait_for(is_over).job == 5
