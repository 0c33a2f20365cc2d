"""What must lie in a backbone folder, read and checked before any model is built.

Two kinds of text tower are known: Hugging Face's, with its own vocabulary in the folder, and open_clip's own,
whose tokenizer is part of open_clip.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from clipsvd_app.errors import UserError

WEIGHT_FILES = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
)
TokenizerKind = Literal["hf", "clip"]
CLIP_VOCABULARY = 49408
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
    """A folder that passed its checks; ``model_config`` is what open_clip's model class is to be given.

    ``pad_id`` is the token that the text tower takes for padding.
    """

    folder: Path
    weights: Path
    model_config: dict[str, Any]
    tokenizer_kind: TokenizerKind
    preprocessing: Preprocessing
    vocabulary_rows: int
    context_length: int
    pad_id: int = 0


def read_folder(folder: Path, weights: Path | None = None) -> BackboneFolder:
    """Read and check a backbone folder; each lack is refused with one sentence.

    weights: where they are, or will be, if not in the folder.
    """
    stored = _json_object(folder, "open_clip_config.json")
    model = dict(_object(folder, stored, "model_cfg"))
    model["vision_cfg"] = vision = dict(_object(folder, model, "vision_cfg"))
    if "timm_model_name" in vision:
        vision["timm_model_pretrained"] = False
    preprocessing = _preprocessing(folder, stored, vision)
    model["text_cfg"] = text = present_spelling(_object(folder, model, "text_cfg"))
    if "multimodal_cfg" in model:
        raise _refusal(
            folder, "has a third tower that writes captions, which cannot be adapted", "backbone_config"
        )
    read_text = _hugging_face_text if text.get("hf_model_name") else _own_text
    kind, rows, context_length, pad_id = read_text(folder, text)
    return BackboneFolder(
        folder, weights or find_weights(folder), model, kind, preprocessing, rows, context_length, pad_id
    )


def present_spelling(text: dict[str, Any]) -> dict[str, Any]:
    """Return a text configuration in the spelling that open_clip 3 reads."""
    return {_OLD_TEXT_KEYS.get(key, key): value for key, value in text.items()}


def find_weights(folder: Path) -> Path:
    """Return the weights file of a backbone folder, safetensors first."""
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
    raise _refusal(folder, f"has no weights ({WEIGHT_FILES[0]})", "backbone_weights")


def _hugging_face_text(folder: Path, text: dict[str, Any]) -> tuple[TokenizerKind, int, int, int]:
    if "hf_pooler_type" not in text:
        # open_clip would take the mean of all tokens, and no shape would tell.
        raise _refusal(folder, "does not say how its text tower pools its tokens", "backbone_config")
    language = _json_object(folder, "config.json")
    rows = language.get("vocab_size")
    if not isinstance(rows, int) or rows < 1:
        raise _refusal(folder, "states no vocabulary size in config.json", "backbone_config")
    text |= {"hf_model_name": str(folder), "hf_tokenizer_name": str(folder), "hf_model_pretrained": False}
    return "hf", rows, _context_length(text, language), int(language.get("pad_token_id") or 0)


def _own_text(folder: Path, text: dict[str, Any]) -> tuple[TokenizerKind, int, int, int]:
    rows = text.get("vocab_size", CLIP_VOCABULARY)
    foreign = text.get("hf_tokenizer_name") or text.get("tokenizer_kwargs") or text.get("tokenizer_mode")
    if foreign or rows != CLIP_VOCABULARY:
        raise _refusal(
            folder, "needs another tokenizer than CLIP's own for its text tower", "backbone_tokenizer"
        )
    return "clip", CLIP_VOCABULARY, int(text.get("context_length", _DEFAULT_CONTEXT_LENGTH)), 0


def _context_length(text: dict[str, Any], language: dict[str, Any]) -> int:
    wanted = int(text.get("context_length", _DEFAULT_CONTEXT_LENGTH))
    return min(wanted, int(language.get("max_position_embeddings", wanted)))


def _preprocessing(folder: Path, stored: dict[str, Any], vision: dict[str, Any]) -> Preprocessing:
    chosen = stored.get("preprocess_cfg")
    if not isinstance(chosen, dict):
        raise _refusal(folder, "states no preprocessing (preprocess_cfg)", "backbone_preprocessing")
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
