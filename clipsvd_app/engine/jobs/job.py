"""Run a job folder: the request in, the result and its files out."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from clipsvd_app.engine.device.fallback import with_cpu_in_reserve
from clipsvd_app.engine.device.torch_setup import default_modes
from clipsvd_app.engine.sigma.warm import WarmBackbone, WarmBackbones
from clipsvd_app.errors import UserError, file_error
from clipsvd_app.jobs.folders import CURVE_FILE, forget_request, write_result
from clipsvd_app.jobs.lines import Announce, Report, unannounced
from clipsvd_app.jobs.requests import (
    AddBackboneRequest,
    ConvertRequest,
    ExplainRequest,
    ExplainRunRequest,
    MapRequest,
    PredictRequest,
    PreviewRequest,
    Request,
    TrainRequest,
    VerifyRequest,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clipsvd_app.jobs.answers import AddBackboneResult
    from clipsvd_app.jobs.requests import DeviceRequest


class Engine:
    """Runs jobs one after another, or a short one inside another's report; backbones stay loaded."""

    def __init__(self, warm: WarmBackbones | None = None) -> None:
        self._warm = warm or WarmBackbones()

    def run(self, folder: Path, request: Request, report: Report, announce: Announce = unannounced) -> None:
        """Carry out the request and write ``result.json``; raises UserError or Cancelled.

        ``announce`` gets the results of a training that are known before its end.
        """
        # As soon as it is begun, because it holds paths.
        forget_request(folder)
        report("Starting", 0, 1)
        with _limits_as_user_errors():
            if isinstance(request, AddBackboneRequest):
                write_result(folder, _add_backbone(request, report))
                return
            answer, clean_up = self._on_its_device(request, folder, report, announce)
            write_result(folder, answer)
            clean_up()

    def _on_its_device(
        self, request: DeviceRequest, folder: Path, report: Report, announce: Announce
    ) -> tuple[object, Callable[[], None]]:
        """Return the answer, and the clean-up for when it is stored."""
        clean_up: list[Callable[[], None]] = []

        def attempt(asked: DeviceRequest) -> object:
            with default_modes(self._warm.devices.pick(asked.device)):
                warm = self._warm.get(asked.backbone, asked.device, report)
                clean_up[:] = [partial(_clean_up, asked, warm)]
                return _answer(asked, folder, warm, report, announce)

        def let_go(device: torch.device) -> None:
            self._warm.forget(device)
            # The curve that the first attempt began is no part of the second.
            (folder / CURVE_FILE).unlink(missing_ok=True)

        return with_cpu_in_reserve(request, self._warm.devices, attempt, let_go, report), clean_up[-1]


def _add_backbone(request: AddBackboneRequest, report: Report) -> AddBackboneResult:
    from clipsvd_app.engine.jobs.add_backbone import run_add

    return run_add(request, report)


def _answer(
    request: DeviceRequest, folder: Path, warm: WarmBackbone, report: Report, announce: Announce
) -> object:
    """Dispatch by kind; each job is imported when it is first needed, so that the engine starts quickly."""
    match request:
        case TrainRequest():
            from clipsvd_app.engine.jobs.train import run_train

            return run_train(request, folder, warm, report, announce)
        case PredictRequest():
            from clipsvd_app.engine.jobs.predict import run_predict

            return run_predict(request, warm, report)
        case PreviewRequest():
            from clipsvd_app.engine.jobs.preview import run_preview

            return run_preview(request, warm, report)
        case MapRequest():
            from clipsvd_app.engine.jobs.map import run_map

            return run_map(request, warm, report)
        case ExplainRequest():
            from clipsvd_app.engine.explain.case import run_explain

            return run_explain(request, warm, report)
        case ExplainRunRequest():
            from clipsvd_app.engine.jobs.explain_run import run_explain_run

            return run_explain_run(request, warm, report)
        case VerifyRequest():
            from clipsvd_app.engine.jobs.verify import run_verify

            return run_verify(request, warm.backbone, report, warm.basis(report))
        case ConvertRequest():
            from clipsvd_app.engine.jobs.convert import run_convert

            return run_convert(request, warm, report)


def _clean_up(request: DeviceRequest, warm: WarmBackbone) -> None:
    """Delete the checkpoints of a run, only once it is stored: a full disk before that loses no training."""
    if isinstance(request, TrainRequest):
        from clipsvd_app.engine.jobs.train import checkpoints_of

        checkpoints_of(request, warm.backbone).clear()


@contextmanager
def _limits_as_user_errors() -> Iterator[None]:
    """Turn full memory or a full disk into one sentence for the user."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise UserError(
            "Not enough memory for this job.",
            remedy="Close other programs, or use the CPU instead of the GPU.",
            code="out_of_memory",
        ) from error
    except OSError as error:
        if error.errno is None:
            raise
        if error.errno != errno.ENOSPC:
            raise file_error(Path(error.filename or "A file"), error) from error
        raise UserError(
            "The disk is full.", remedy="Free some space, then start the job again.", code="disk_full"
        ) from error
