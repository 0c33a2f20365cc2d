"""How long one training step takes, form against form, in one run.

Every form lives in a process of its own, so that its peak memory is its own, and takes its steps in turn
with the others, so that a busy moment of the machine hits all of them.
"""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING, Any, cast

import torch

from benchmarks.step_forms import FORMS, FormName, StepSettings, step_form
from clipsvd_app.domain.recipe import DeviceName
from clipsvd_app.engine.sigma.basis import load_basis
from clipsvd_app.engine.sigma.warm import WarmBackbones
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.lines import unreported
from clipsvd_app.jobs.requests import BackboneRef

if TYPE_CHECKING:
    from clipsvd_app.jobs.lines import Report

WARM_UP_STEPS = 1
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class StepBench:
    """What ``bench step`` was asked for."""

    backbone: BackboneRef
    batch: int = 16
    classes: int = 4
    dtype: str = "fp32"
    device: DeviceName = "auto"
    steps: int = 3


def step_records(bench: StepBench, report: Report) -> list[dict[str, Any]]:
    """Return one record for each form: median seconds a step, peak memory in MB, trained numbers."""
    # Here, before the forms are timed, because it is computed once and kept.
    load_basis(WarmBackbones().get(bench.backbone, "cpu", report).backbone, report)
    context = multiprocessing.get_context("spawn")
    runners = [_Runner.start(context, form, bench) for form in FORMS]
    try:
        return _in_turn(runners, bench, report)
    finally:
        for runner in runners:
            runner.stop()


def _in_turn(runners: list[_Runner], bench: StepBench, report: Report) -> list[dict[str, Any]]:
    for done, runner in enumerate(runners):
        report("Building the forms", done, len(runners))
        runner.wait_until_built()
    seconds: dict[FormName, list[float]] = {runner.form: [] for runner in runners}
    rounds = WARM_UP_STEPS + bench.steps
    for turn in range(rounds):
        for place, runner in enumerate(runners):
            report("Timing steps", turn * len(runners) + place, rounds * len(runners))
            taken = runner.step()
            if turn >= WARM_UP_STEPS:
                seconds[runner.form].append(taken)
    return [_record(runner, bench, seconds[runner.form]) for runner in runners]


def _record(runner: _Runner, bench: StepBench, seconds: list[float]) -> dict[str, Any]:
    facts = runner.facts()
    return {
        "form": runner.form,
        "backbone": bench.backbone.name,
        "dtype": facts["dtype"],
        "batch": bench.batch,
        "classes": bench.classes,
        "device": facts["device"],
        "threads": facts["threads"],
        "steps": len(seconds),
        "median_step_s": statistics.median(seconds),
        "fastest_step_s": min(seconds),
        "slowest_step_s": max(seconds),
        "peak_memory_mb": facts["peak_memory_mb"],
        "trainable_parameters": facts["trainable_parameters"],
    }


@dataclass(frozen=True, slots=True)
class _Runner:
    """The process of one form, as its parent sees it."""

    form: FormName
    process: SpawnProcess
    pipe: Connection

    @classmethod
    def start(cls, context: Any, form: FormName, bench: StepBench) -> _Runner:  # noqa: ANN401 - a context
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(form, bench, theirs), daemon=True)
        process.start()
        theirs.close()
        return cls(form, process, ours)

    def wait_until_built(self) -> None:
        self._receive()

    def step(self) -> float:
        self.pipe.send("step")
        return cast("float", self._receive())

    def facts(self) -> dict[str, Any]:
        self.pipe.send("facts")
        return cast("dict[str, Any]", self._receive())

    def stop(self) -> None:
        self.pipe.close()
        self.process.terminate()
        self.process.join()

    def _receive(self) -> object:
        try:
            return self.pipe.recv()
        except EOFError as error:
            raise UserError(
                f"The process that takes the steps of “{self.form}” ended early.",
                remedy="Close other programs, or ask for fewer images in a step with --batch.",
                code="bench_process_lost",
            ) from error


def _serve(form: FormName, bench: StepBench, pipe: Connection) -> None:
    """Build a form and take a step whenever asked, until the parent closes the pipe."""
    warm = WarmBackbones().get(bench.backbone, bench.device, unreported)
    settings = StepSettings(bench.batch, bench.classes, _DTYPES[bench.dtype])
    basis = None if form == "frozen" else warm.basis(unreported)
    built = step_form(form, warm.backbone, basis, settings)
    device = warm.backbone.device
    pipe.send("built")
    while True:
        try:
            asked = pipe.recv()
        except EOFError:
            return
        if asked == "step":
            pipe.send(_timed(built.step, device))
        else:
            dtype = next(name for name, kind in _DTYPES.items() if kind == settings.dtype_of(form))
            pipe.send(
                {
                    "dtype": dtype,
                    "device": str(device),
                    "threads": torch.get_num_threads(),
                    "peak_memory_mb": _peak_memory_mb(device),
                    "trainable_parameters": built.trainable_parameters,
                }
            )


def _timed(step: Any, device: torch.device) -> float:  # noqa: ANN401 - called, nothing else
    start = time.perf_counter()
    step()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def _peak_memory_mb(device: torch.device) -> float:
    """Return the most memory so far: of the GPU, or of this process with all that it has mapped."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
