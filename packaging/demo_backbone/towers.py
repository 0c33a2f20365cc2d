"""The two towers: their configuration, their folder in BiomedCLIP's layout, and how weights go in and out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file

from .torchvision_cure import import_torchvision

import_torchvision()

import open_clip  # noqa: E402
from timm.layers import resample_abs_pos_embed  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

IMAGE_SIZE = 128
NATIVE_SIZE = 224
CONTEXT_LENGTH = 64
EMBED_DIM = 256
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
NAME = "clip-svd-studio-demo"
TEXT_FILES = (
    "open_clip_config.json",
    "config.json",
    "vocab.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
)


def clip_config() -> dict[str, Any]:
    """Return open_clip_config.json.

    timm's model is built for 224 pixels; the loader must pass ``force_image_size=image_size`` to reach 128.
    """
    return {
        "model_cfg": {
            "embed_dim": EMBED_DIM,
            "vision_cfg": {
                "timm_model_name": "vit_tiny_patch16_224",
                "timm_model_pretrained": False,
                "timm_pool": "",
                "timm_proj": "linear",
                "image_size": IMAGE_SIZE,
            },
            "text_cfg": {
                "hf_model_name": NAME,
                "hf_tokenizer_name": NAME,
                "hf_model_pretrained": False,
                "hf_proj_type": "mlp",
                "hf_pooler_type": "cls_last_hidden_state_pooler",
                "context_length": CONTEXT_LENGTH,
            },
        },
        "preprocess_cfg": {
            "mean": list(MEAN),
            "std": list(STD),
            "interpolation": "bicubic",
            "resize_mode": "shortest",
        },
    }


def bert_config(vocab_size: int) -> dict[str, Any]:
    """Return config.json of the text tower: a BERT of 4 layers, 256 wide, 4 heads."""
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": vocab_size,
        "hidden_size": 256,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "intermediate_size": 1024,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "max_position_embeddings": CONTEXT_LENGTH,
        "type_vocab_size": 2,
        "initializer_range": 0.02,
        "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
    }


def write_configs(folder: Path, vocab_size: int) -> None:
    """Write both configurations into the folder that already holds the tokenizer."""
    _write_json(folder / "open_clip_config.json", clip_config())
    _write_json(folder / "config.json", bert_config(vocab_size))


def build_model(folder: Path) -> Any:  # noqa: ANN401
    """Build the untrained model of a folder at its own image size."""
    cfg = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
    cfg["text_cfg"] |= {"hf_model_name": str(folder), "hf_tokenizer_name": str(folder)}
    model = open_clip.CustomTextCLIP(**cfg)
    model.visual.set_input_size(cfg["vision_cfg"]["image_size"])
    return model


def load_model(folder: Path) -> tuple[Any, Any]:
    """Load model and preprocessing as any user of open_clip does."""
    cfg = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
    cfg["text_cfg"] |= {"hf_model_name": str(folder), "hf_tokenizer_name": str(folder)}
    model, preprocess = open_clip.create_model_from_pretrained(
        f"local-dir:{folder}", text_cfg=cfg["text_cfg"], force_image_size=cfg["vision_cfg"]["image_size"]
    )
    return model.eval(), preprocess


def save_weights(folder: Path, state: dict[str, torch.Tensor]) -> None:
    """Write the weights as float16, with the position grid that resamples to the trained one."""
    stored = {
        name: value.detach().clone() for name, value in state.items() if not name.endswith("position_ids")
    }
    key = "visual.trunk.pos_embed"
    stored[key] = native_position_grid(stored[key].float())
    half = {name: value.to(torch.float16).contiguous() for name, value in stored.items()}
    partial = folder / "open_clip_model.safetensors.partial"
    save_file(half, partial, metadata={"format": "pt"})
    partial.chmod(0o644)
    partial.replace(folder / "open_clip_model.safetensors")


def native_position_grid(trained: torch.Tensor) -> torch.Tensor:
    """Return the smallest 14x14 grid that timm's resampling turns into the trained 8x8 grid.

    trained: (1, 1 + 64, width), CLS first. Returns (1, 1 + 196, width). timm resamples linearly, hence a
    pseudo-inverse is exact.
    """
    native, small = NATIVE_SIZE // 16, IMAGE_SIZE // 16
    unit = torch.eye(native * native).reshape(1, native * native, native * native)
    resample = resample_abs_pos_embed(unit, [small, small], num_prefix_tokens=0)[0].double()
    grid = torch.linalg.pinv(resample) @ trained[0, 1:].double()
    return torch.cat([trained[:, :1].double(), grid[None]], dim=1).float()


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
