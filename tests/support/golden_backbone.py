"""The frozen backbone of the golden adapter: weights made again, bit for bit, from SplitMix64.

``tests/golden/backbone_format1`` holds configuration, vocabulary and ``tensors.json``, which names every
tensor with its shape, an offset and the binary logarithm of a scale. Number i of tensor NAME is
offset + 2^log2_scale * u, where u = (top 24 bits of number i of the stream of "golden/1/NAME") / 2^23 - 1.
"""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from clipsvd_app.adapter_file.generator import seed_of, splitmix64

GOLDEN = Path(__file__).parents[1] / "golden"
FROZEN = GOLDEN / "backbone_format1"
ADAPTER = GOLDEN / "adapter_format1_verified.sigma.safetensors"
CARD = GOLDEN / "adapter_format1_verified.card.txt"
HEADED = GOLDEN / "adapter_format2_verified.sigma.safetensors"
HEADED_CARD = GOLDEN / "adapter_format2_verified.card.txt"
SHA256 = "48e972867a887a3f3b1ea16f4a8c2710cdb3d0b2c14c4024d96fb4eafe2e603f"


def write_golden_backbone(folder: Path) -> Path:
    """Copy the frozen files into ``folder``, write the weights beside them, and return it."""
    shutil.copytree(FROZEN, folder, dirs_exist_ok=True)
    recipe = json.loads((FROZEN / "tensors.json").read_text(encoding="utf-8"))
    tensors = {name: _tensor(name, **entry) for name, entry in recipe.items()}
    save_file(tensors, folder / "open_clip_model.safetensors", metadata={"format": "pt"})
    return folder


def _tensor(name: str, shape: list[int], offset: float, log2_scale: int) -> np.ndarray:
    stream = splitmix64(seed_of(f"golden/1/{name}"), math.prod(shape))
    unit = (stream >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1.0
    return (offset + 2.0**log2_scale * unit).astype(np.float32).reshape(shape)
