"""A folder of open_clip's own CLIP with random weights: its ViT, its text tower, its tokenizer; tiny."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file

from clipsvd_app.engine.device.torch_setup import import_open_clip

if TYPE_CHECKING:
    from pathlib import Path

SIZE, PATCH, IMAGE_WIDTH, TEXT_WIDTH, LAYERS = 32, 8, 64, 32, 2
MATRICES = 6 * 2 * LAYERS
TRAINED_NUMBERS = 6 * LAYERS * (IMAGE_WIDTH + TEXT_WIDTH)


def model_config(*, custom_text: bool = False) -> dict[str, Any]:
    config: dict[str, Any] = {
        "embed_dim": 24,
        "vision_cfg": {
            "image_size": SIZE,
            "layers": LAYERS,
            "width": IMAGE_WIDTH,
            "patch_size": PATCH,
            "head_width": 16,
        },
        "text_cfg": {
            "context_length": 77,
            "vocab_size": 49408,
            "width": TEXT_WIDTH,
            "heads": 4,
            "layers": LAYERS,
        },
    }
    return config | ({"custom_text": True} if custom_text else {})


def tiny_clip(*, custom_text: bool = False, seed: int = 0) -> torch.nn.Module:
    """Build the stock model."""
    open_clip = import_open_clip()
    config = model_config()
    torch.manual_seed(seed)
    model = (open_clip.CustomTextCLIP if custom_text else open_clip.CLIP)(**config)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim == 2 and len(weight) < 1000:
                weight.normal_(std=weight.shape[1] ** -0.5)
    return model.eval().requires_grad_(False)


def write_tiny_clip(folder: Path, *, custom_text: bool = False, seed: int = 0) -> Path:
    """Write configuration and weights into ``folder`` and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = {
        "model_cfg": model_config(custom_text=custom_text),
        "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]},
    }
    (folder / "open_clip_config.json").write_text(json.dumps(stored), encoding="utf-8")
    state = tiny_clip(custom_text=custom_text, seed=seed).state_dict()
    save_file(
        {name: tensor.contiguous() for name, tensor in state.items()}, folder / "open_clip_model.safetensors"
    )
    return folder
