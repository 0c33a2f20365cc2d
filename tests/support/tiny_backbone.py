"""A backbone folder with random weights, in the form of a BiomedCLIP download and a hundredth of its size."""

from __future__ import annotations

import json
import string
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file

from clipsvd_app.engine.device.torch_setup import import_open_clip

if TYPE_CHECKING:
    from pathlib import Path

IMAGE_SIZE, EMBEDDING, TEXT_WIDTH, CONTEXT_LENGTH = 64, 32, 48, 24
IMAGE_BLOCKS, TEXT_LAYERS = 6, 2
MATRICES = 6 * (IMAGE_BLOCKS + TEXT_LAYERS)
TRAINED_NUMBERS = IMAGE_BLOCKS * 6 * 64 + TEXT_LAYERS * 6 * TEXT_WIDTH

_WORDS = [
    "a",
    "an",
    "image",
    "of",
    "medical",
    "showing",
    "this",
    "shows",
    "is",
    "present",
    "bright",
    "dark",
    "disc",
    "finding",
    "normal",
    "scan",
    "the",
]


def write_tiny_backbone(folder: Path, seed: int = 0, *, text_width: int = TEXT_WIDTH, heads: int = 4) -> Path:
    """Write configuration, tokenizer and random weights into ``folder`` and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = _write_tokenizer(folder)
    _write_json(folder / "config.json", bert_config(vocabulary, text_width, heads))
    _write_json(folder / "open_clip_config.json", clip_config())
    _write_weights(folder, seed)
    return folder


def clip_config() -> dict[str, Any]:
    return {
        "model_cfg": {
            "embed_dim": EMBEDDING,
            "vision_cfg": {
                "timm_model_name": "test_vit",
                "timm_model_pretrained": False,
                "timm_pool": "",
                "timm_proj": "linear",
                "image_size": IMAGE_SIZE,
            },
            "text_cfg": {
                "hf_model_name": "tiny",
                "hf_tokenizer_name": "tiny",
                "hf_proj_type": "mlp",
                "hf_pooler_type": "cls_last_hidden_state_pooler",
                "context_length": CONTEXT_LENGTH,
            },
        },
        "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "interpolation": "bicubic"},
    }


def bert_config(vocabulary: int, width: int = TEXT_WIDTH, heads: int = 4) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": vocabulary,
        "hidden_size": width,
        "num_hidden_layers": TEXT_LAYERS,
        "num_attention_heads": heads,
        "intermediate_size": 2 * width,
        "max_position_embeddings": CONTEXT_LENGTH,
        "pad_token_id": 0,
    }


def _write_tokenizer(folder: Path) -> int:
    letters = [*string.ascii_lowercase, *string.digits, *string.punctuation]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters]
    pieces += [f"##{letter}" for letter in letters] + [word for word in _WORDS if len(word) > 1]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    _write_json(folder / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "do_lower_case": True})
    return len(pieces)


def _write_weights(folder: Path, seed: int) -> None:
    open_clip = import_open_clip()
    config = clip_config()["model_cfg"]
    config["text_cfg"] |= {
        "hf_model_name": str(folder),
        "hf_tokenizer_name": str(folder),
        "hf_model_pretrained": False,
    }
    torch.manual_seed(seed)
    model = open_clip.CustomTextCLIP(**config)
    with torch.no_grad():
        # Random towers of the usual small deviation answer every image alike; wider ones do not.
        for name, weight in model.named_parameters():
            if weight.ndim == 2:
                weight.normal_(std=weight.shape[1] ** -0.5)
            elif name.endswith("pos_embed"):
                weight.mul_(0.1)
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(state, folder / "open_clip_model.safetensors", metadata={"format": "pt"})


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")
