"""Bring torch, torchvision and open_clip up, whatever wheels they came from, and pick the device."""

from __future__ import annotations

import functools
import importlib
import sys
import warnings
from typing import TYPE_CHECKING, Any

import torch

from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from types import ModuleType

    from clipsvd_app.domain.recipe import DeviceName

_NMS_MISSING = "operator torchvision::nms does not exist"


@functools.cache
def import_open_clip() -> ModuleType:
    """Import open_clip, curing a torchvision wheel whose compiled operators do not fit this torch."""
    _import_torchvision()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("open_clip")


def pick_device(name: DeviceName | str) -> torch.device:
    """Return the device asked for, or the best one for ``auto``; an absent one is refused."""
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if _is_available(kind)))
    if not _is_available(name):
        raise UserError(
            f"This computer has no usable “{name}” device.",
            remedy="Choose auto or cpu.",
            code="no_such_device",
        )
    return torch.device(name)


def device_title(device: torch.device) -> str:
    """Name a device as runs record it: its kind and, for a GPU, its model."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    return device.type


def describe_device() -> str:
    """Say in a few words what ``auto`` would compute on."""
    device = pick_device("auto")
    precision = "bfloat16" if has_fast_bfloat16(device.type) else "float32"
    threads = torch.get_num_threads()
    return f"{device_title(device)}, trains in {precision}, {threads} thread{'s' * (threads != 1)}"


@functools.cache
def has_fast_bfloat16(kind: str) -> bool:
    """Whether matrix products in bfloat16 run in hardware on this kind of device."""
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if kind == "cpu":
        capabilities = torch.cpu.get_capabilities()
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return False


def versions() -> dict[str, str]:
    """Return the versions of the numeric libraries without importing them."""
    from importlib.metadata import version

    return {name: version(name) for name in ("torch", "open_clip_torch", "timm", "transformers")}


def _is_available(kind: str) -> bool:
    if kind == "cuda":
        return torch.cuda.is_available()
    if kind == "mps":
        return torch.backends.mps.is_available()
    return kind == "cpu"


@functools.cache
def _import_torchvision() -> Any:  # noqa: ANN401 - the library handle is only kept alive
    """Import torchvision; return what must stay alive for it to work.

    The CPU build of torch beside a CUDA build of torchvision lacks the compiled operators, and the
    import fails on the first of them. Their schemas alone are enough for transforms; they are defined
    only on that very error, because a working build has them already and would clash.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if _NMS_MISSING not in str(error):
            raise
    else:
        return None
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("torchvision")
    return library
