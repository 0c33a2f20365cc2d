"""What must lie in a backbone folder, read and checked before any model is built."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipsvd_app.errors import UserError

WEIGHT_FILES = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
)
INTERPOLATIONS = ("bicubic", "bilinear")
# The spelling of the 2023 hub configurations, which open_clip 3 no longer reads.
_OLD_TEXT_KEYS = {"proj": "hf_proj_type", "pooler_type": "hf_pooler_type"}
_DEFAULT_CONTEXT_LENGTH = 77


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Square size in pixels, and mean and standard deviation of greys scaled to 0-1, one for each channel."""

    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str


@dataclass(frozen=True, slots=True)
class BackboneFolder:
    """A folder that passed its checks; ``text_config`` is what open_clip is to be given."""

    folder: Path
    weights: Path
    text_config: dict[str, Any]
    preprocessing: Preprocessing
    vocabulary_rows: int
    context_length: int


def read_folder(folder: Path) -> BackboneFolder:
    """Read and check a backbone folder; each lack is refused with one sentence."""
    stored = _json_object(folder, "open_clip_config.json")
    model = _object(folder, stored, "model_cfg")
    text = dict(_object(folder, model, "text_cfg"))
    if "hf_model_name" not in text:
        raise _refusal(folder, "has no Hugging Face text tower", "backbone_config")
    for old, new in _OLD_TEXT_KEYS.items():
        if old in text:
            text[new] = text.pop(old)
    language = _json_object(folder, "config.json")
    rows = language.get("vocab_size")
    if not isinstance(rows, int) or rows < 1:
        raise _refusal(folder, "states no vocabulary size in config.json", "backbone_config")
    text |= {"hf_model_name": str(folder), "hf_tokenizer_name": str(folder), "hf_model_pretrained": False}
    return BackboneFolder(
        folder=folder,
        weights=find_weights(folder),
        text_config=text,
        preprocessing=_preprocessing(folder, stored, _object(folder, model, "vision_cfg")),
        vocabulary_rows=rows,
        context_length=_context_length(text, language),
    )


def find_weights(folder: Path) -> Path:
    """Return the weights file of a backbone folder, safetensors first."""
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
    raise _refusal(folder, f"has no weights ({WEIGHT_FILES[0]})", "backbone_weights")


def _context_length(text: dict[str, Any], language: dict[str, Any]) -> int:
    wanted = int(text.get("context_length", _DEFAULT_CONTEXT_LENGTH))
    return min(wanted, int(language.get("max_position_embeddings", wanted)))


def _preprocessing(folder: Path, stored: dict[str, Any], vision: dict[str, Any]) -> Preprocessing:
    chosen = _object(folder, stored, "preprocess_cfg")
    size = vision.get("image_size")
    mean, std = _three(chosen.get("mean")), _three(chosen.get("std"))
    interpolation = chosen.get("interpolation", "bicubic")
    if not isinstance(size, int) or mean is None or std is None or min(std) <= 0:
        raise _refusal(folder, "states no usable image size, mean and std", "backbone_preprocessing")
    if interpolation not in INTERPOLATIONS:
        raise _refusal(folder, "asks for an unknown interpolation", "backbone_preprocessing")
    return Preprocessing(size, mean, std, interpolation)


def _three(value: object) -> tuple[float, float, float] | None:
    if not isinstance(value, list) or len(value) != 3:
        return None
    if not all(isinstance(item, int | float) and math.isfinite(item) for item in value):
        return None
    return float(value[0]), float(value[1]), float(value[2])


def _json_object(folder: Path, name: str) -> dict[str, Any]:
    try:
        value = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _refusal(folder, f"has no readable {name}", "backbone_config") from error
    if not isinstance(value, dict):
        raise _refusal(folder, f"has no readable {name}", "backbone_config")
    return value


def _object(folder: Path, parent: dict[str, Any], key: str) -> dict[str, Any]:
    value = parent.get(key)
    if not isinstance(value, dict):
        raise _refusal(folder, f"lacks “{key}” in its configuration", "backbone_config")
    return value


def _refusal(folder: Path, lack: str, code: str) -> UserError:
    return UserError(
        f"The backbone “{folder.name}” {lack}.",
        remedy="Point to a complete open_clip folder: configuration, weights, vocabulary and config.json.",
        code=code,
    )
