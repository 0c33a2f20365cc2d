"""The files that a backbone folder must hold, read and checked before any model is built.

Two kinds of text tower are known: Hugging Face's, with its own vocabulary in the folder, and open_clip's own,
whose tokenizer is part of open_clip.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipsvd_app.engine.backbone.json_values import json_object, object_in, refusal
from clipsvd_app.engine.backbone.text_config import TextConfig, read_text_config

# In this order: safetensors cannot hold code and is mapped without reading a pickle.
WEIGHT_FILES = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
)
INTERPOLATIONS = ("bicubic", "bilinear")
# Beyond these a configuration is damaged: no patch grid fits, or its position table alone fills the memory.
_SMALLEST_IMAGE, _LARGEST_IMAGE = 8, 2048
_TIMM_NAME = re.compile(r"[A-Za-z0-9_.]+")


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Square size in pixels, and mean and standard deviation of greys scaled to 0-1, one for each channel."""

    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str


@dataclass(frozen=True, slots=True)
class BackboneFolder:
    """A folder that passed its checks; ``model_config`` is what open_clip's model class is to be given."""

    folder: Path
    weights: Path
    model_config: dict[str, Any]
    text: TextConfig
    preprocessing: Preprocessing


def read_folder(folder: Path, weights: Path | None = None) -> BackboneFolder:
    """Read and check a backbone folder; each lack is refused with one sentence.

    weights: where they are, or will be, if not in the folder.
    """
    stored = json_object(folder, "open_clip_config.json")
    model = dict(object_in(folder, stored, "model_cfg"))
    if "multimodal_cfg" in model:
        raise refusal(folder, "has a caption decoder, which is not supported")
    vision = _vision(folder, object_in(folder, model, "vision_cfg"))
    preprocessing = _preprocessing(folder, stored, vision)
    text = read_text_config(folder, object_in(folder, model, "text_cfg"))
    return BackboneFolder(
        folder=folder,
        weights=weights or find_weights(folder),
        model_config={**model, "vision_cfg": vision, "text_cfg": text.config},
        text=text,
        preprocessing=preprocessing,
    )


def find_weights(folder: Path) -> Path:
    """Return the weights file of a backbone folder, safetensors first."""
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
    raise refusal(folder, f"has no weights ({WEIGHT_FILES[0]})", "backbone_weights")


def _vision(folder: Path, vision: dict[str, Any]) -> dict[str, Any]:
    if "timm_model_name" not in vision:
        return dict(vision)
    name = vision["timm_model_name"]
    if not isinstance(name, str) or not _TIMM_NAME.fullmatch(name):
        # A name with a scheme, such as hf-hub:, would make timm look elsewhere, the network included.
        raise refusal(folder, "names no timm model for its image encoder")
    return {**vision, "timm_model_pretrained": False}


def _preprocessing(folder: Path, stored: dict[str, Any], vision: dict[str, Any]) -> Preprocessing:
    chosen = stored.get("preprocess_cfg")
    if not isinstance(chosen, dict):
        raise refusal(folder, "states no preprocessing (preprocess_cfg)", "backbone_preprocessing")
    size = vision.get("image_size")
    mean, std = _three(chosen.get("mean")), _three(chosen.get("std"))
    interpolation = chosen.get("interpolation", "bicubic")
    if not isinstance(size, int) or not _SMALLEST_IMAGE <= size <= _LARGEST_IMAGE:
        raise refusal(folder, "states no usable image size", "backbone_preprocessing")
    if mean is None or std is None or min(std) <= 0:
        raise refusal(folder, "states no usable mean and std", "backbone_preprocessing")
    if interpolation not in INTERPOLATIONS:
        raise refusal(folder, "asks for an unknown interpolation", "backbone_preprocessing")
    return Preprocessing(size, mean, std, interpolation)


def _three(value: object) -> tuple[float, float, float] | None:
    if not isinstance(value, list) or len(value) != 3:
        return None
    if not all(isinstance(item, int | float) and math.isfinite(item) for item in value):
        return None
    return float(value[0]), float(value[1]), float(value[2])
