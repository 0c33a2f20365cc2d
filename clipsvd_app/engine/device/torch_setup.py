"""Import torch, torchvision and open_clip, whichever wheels they came from."""

from __future__ import annotations

import functools
import importlib
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_NMS_MISSING = "operator torchvision::nms does not exist"


@functools.cache
def import_open_clip() -> ModuleType:
    """Import open_clip, also beside a torchvision wheel whose compiled operators do not fit this torch."""
    _import_torchvision()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("open_clip")


def versions() -> dict[str, str]:
    """Return the versions of the numeric libraries without importing them."""
    from importlib.metadata import version

    return {name: version(name) for name in ("torch", "open_clip_torch", "timm", "transformers")}


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread inside the block: for many small factorisations.

    Beside another busy process, MKL's QR of sixty 256 x 64 matrices takes 10 s on two threads, which wait for
    each other, and 0.02 s on one.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def default_modes(device: torch.device) -> Iterator[None]:
    """Compute as a fresh process would, whatever the caller's modes: gradients on, no autocast.

    A short job runs inside a report of a long one, which may be in another mode.
    """
    with (
        torch.inference_mode(mode=False),
        torch.enable_grad(),
        torch.autocast("cpu", enabled=False),
        torch.autocast(device.type, enabled=False),
    ):
        yield


@functools.cache
def _import_torchvision() -> Any:  # noqa: ANN401 - the library handle is only kept alive
    """Import torchvision; return what must stay alive for it to work.

    PyPI's torchvision is linked against CUDA. Beside a CPU build of torch (2.13 with torchvision 0.28) its
    compiled operators do not load, and the import fails at the first of them. Their schemas are enough for
    transforms; they are defined only after that error, because a working build has them already and would
    clash.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if _NMS_MISSING not in str(error):
            raise
    else:
        return None
    # The failed import left half of the package behind, which a second import would take for whole.
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("torchvision")
    return library
