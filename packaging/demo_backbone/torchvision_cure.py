"""Import torchvision where its compiled operators cannot be loaded (its wheel beside a CPU-only torch)."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from typing import Any


@cache
def import_torchvision() -> Any:  # noqa: ANN401
    """Import torchvision; where nms is missing, declare its schema first. Returns what must stay alive."""
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    return _import_with_schemas()


def _import_with_schemas() -> Any:  # noqa: ANN401
    import torch

    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    importlib.import_module("torchvision")
    return library
