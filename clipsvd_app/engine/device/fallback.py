"""A job whose GPU runs out of memory is repeated on the CPU, and its result says so."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, TypeVar

import torch
from msgspec.structs import replace

from clipsvd_app.domain.results.run import RunNote, RunResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipsvd_app.engine.device.devices import Devices
    from clipsvd_app.jobs.lines import Report
    from clipsvd_app.jobs.requests import DeviceRequest

FALLBACK_STAGE = "Not enough GPU memory: restarting on the CPU"
# Messages of plain RuntimeErrors for full memory, where torch raises no OutOfMemoryError.
_OTHER_WORDS = ("MPS backend out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
R = TypeVar("R", bound="DeviceRequest")


def with_cpu_in_reserve(
    request: R,
    devices: Devices,
    attempt: Callable[[R], object],
    let_go: Callable[[torch.device], None],
    report: Report,
) -> object:
    """Return the attempt's result, or that of a second attempt on the CPU if the GPU's memory ran out.

    ``let_go`` drops what is loaded on the device that is given up. A note of a run's result says that it was
    computed elsewhere than asked for.
    """
    device = devices.pick(request.device)
    result = _unless_full(lambda: attempt(request), device)
    if result is None:
        let_go(device)
        _release(device)
        report(FALLBACK_STAGE, 0, 1)
        return _noted(attempt(replace(request, device="cpu")), RunNote("on_cpu"))
    why = devices.note() if request.device == "auto" else ""
    return _noted(result, RunNote("stated", detail=why)) if why else result


def _unless_full(attempt: Callable[[], object], device: torch.device) -> object | None:
    """Return None when memory ran out.

    A function of its own, so that the exception, whose frames hold tensors, is gone before the second
    attempt.
    """
    try:
        return attempt()
    except RuntimeError as error:
        if device.type == "cpu" or not is_out_of_memory(error):
            raise
        return None


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether an error of torch says that a device has no memory left."""
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in _OTHER_WORDS)


def _release(device: torch.device) -> None:
    # Reference cycles keep tensors alive until they are collected; only then can the cache be emptied.
    gc.collect()
    if device.type == "cuda" and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def _noted(result: object, note: RunNote) -> object:
    if isinstance(result, RunResult):
        return replace(result, notes=(*result.notes, note))
    return result
