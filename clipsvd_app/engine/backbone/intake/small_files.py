"""The small files of a complete folder: configurations made explicit, and the tokenizer's files."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

from clipsvd_app.engine.backbone.text_config import present_spelling
from clipsvd_app.engine.backbone.tokenizer import VOCABULARY_FILES
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from clipsvd_app.engine.backbone.intake.known import KnownRelease
    from clipsvd_app.engine.backbone.intake.sources import Source

_CONFIG = "open_clip_config.json"
_COPIED = (*VOCABULARY_FILES, "tokenizer_config.json", "special_tokens_map.json", "LICENSE", "LICENSE.md")
SMALL_FILES = (_CONFIG, "config.json", *VOCABULARY_FILES, "tokenizer_config.json")
_BERT = "text.transformer"
_LAYER = re.compile(re.escape(f"{_BERT}.encoder.layer.") + r"(\d+)\.")
# BERT's own (768 / 12 and 1024 / 16), and that of every model derived from it in the usual way.
_HEAD_WIDTH = 64
# The defaults of transformers' BertConfig, written out so that another version's defaults change nothing.
_BERT_DEFAULTS = {"hidden_act": "gelu", "layer_norm_eps": 1e-12, "pad_token_id": 0, "initializer_range": 0.02}


def write_small_files(
    source: Source, state: Mapping[str, Tensor], folder: Path, release: KnownRelease | None
) -> None:
    """Write everything but the weights into ``folder``.

    The size of the text tower is read from its tensors, because a download seldom carries its config.json;
    one that is there and says otherwise is refused.
    """
    config = _open_clip_config(source, release)
    _write(folder / _CONFIG, config)
    if not config["model_cfg"]["text_cfg"].get("hf_model_name"):
        return
    for name in _COPIED:
        if (source.folder / name).is_file():
            shutil.copyfile(source.folder / name, folder / name)
    if not (folder / "tokenizer_config.json").is_file() and (folder / "vocab.txt").is_file():
        _write(folder / "tokenizer_config.json", _tokenizer_config(folder / "vocab.txt"))
    _write(folder / "config.json", _bert_config(source.folder, state))


def _open_clip_config(source: Source, release: KnownRelease | None) -> dict[str, Any]:
    """Return the model's configuration in the present spelling, with nothing left to be fetched."""
    path = source.folder / _CONFIG
    stored = _read(path) if path.is_file() else (release.config if release else {})
    if not stored:
        raise UserError(
            f"“{source.folder.name}” has no {_CONFIG}, which states the preprocessing.",
            remedy="Copy the file of the same release next to the weights.",
            code="backbone_preprocessing",
        )
    model = stored.get("model_cfg")
    if not isinstance(model, dict) or not all(
        isinstance(model.get(k), dict) for k in ("vision_cfg", "text_cfg")
    ):
        raise _refusal(f"{_CONFIG} describes no model with an image and a text tower")
    vision, text = dict(model["vision_cfg"]), present_spelling(model["text_cfg"])
    if "timm_model_name" in vision:
        vision["timm_model_pretrained"] = False
    if text.get("hf_model_name"):
        text["hf_model_pretrained"] = False
    return {**stored, "model_cfg": {**model, "vision_cfg": vision, "text_cfg": text}}


def _bert_config(folder: Path, state: Mapping[str, Tensor]) -> dict[str, Any]:
    path = folder / "config.json"
    stated = _read(path) if path.is_file() else {}
    if (
        stated.get("model_type", "bert") != "bert"
        or f"{_BERT}.embeddings.word_embeddings.weight" not in state
    ):
        raise UserError(
            "The text encoder of this model is neither BERT nor CLIP's own, and is not supported.",
            remedy="Choose a model with a BERT text encoder, such as BiomedCLIP, or CLIP's own.",
            code="unknown_architecture",
        )
    sizes = _bert_sizes(state)
    for name, size in sizes.items():
        # vocab_size is left out of the comparison: releases pad the embedding matrix beyond their vocabulary.
        if name in stated and name != "vocab_size" and stated[name] != size:
            raise _refusal(f"config.json states {name} {stated[name]}, but the weights have {size}")
    heads = {} if "num_attention_heads" in stated else {"num_attention_heads": _heads(sizes["hidden_size"])}
    bert = {"architectures": ["BertModel"], "model_type": "bert"}
    return {**bert, **_BERT_DEFAULTS, **heads, **stated, **sizes}


def _heads(width: int) -> int:
    """Return the number of heads of a usual BERT, which the shapes of its tensors do not show."""
    if width % _HEAD_WIDTH:
        raise UserError(
            f"The number of attention heads of the text encoder (width {width}) is not known without"
            f" config.json.",
            remedy="Copy BERT's config.json of the same release next to the weights.",
            code="backbone_config",
        )
    return width // _HEAD_WIDTH


def _bert_sizes(state: Mapping[str, Tensor]) -> dict[str, int]:
    """Return the sizes that the shapes of the text tower's tensors show."""
    rows, width = _shape(state, "embeddings.word_embeddings.weight")
    return {
        "vocab_size": rows,
        "hidden_size": width,
        "num_hidden_layers": len({found[1] for name in state if (found := _LAYER.match(name))}),
        "intermediate_size": _shape(state, "encoder.layer.0.intermediate.dense.weight")[0],
        "max_position_embeddings": _shape(state, "embeddings.position_embeddings.weight")[0],
        "type_vocab_size": _shape(state, "embeddings.token_type_embeddings.weight")[0],
    }


def _shape(state: Mapping[str, Tensor], name: str) -> tuple[int, int]:
    tensor = state.get(f"{_BERT}.{name}")
    if tensor is None or tensor.ndim != 2:
        raise _refusal(f"the weights contain no matrix “{_BERT}.{name}”")
    return tensor.shape[0], tensor.shape[1]


def _tokenizer_config(vocabulary: Path) -> dict[str, Any]:
    """Return BERT's tokenizer settings; a vocabulary without a capital letter is a lower-case one."""
    pieces = vocabulary.read_text(encoding="utf-8").split("\n")
    # Special tokens such as [CLS] are in capitals in every vocabulary.
    words = [piece for piece in pieces if not piece.startswith("[")]
    lower = all(word == word.lower() for word in words)
    return {"tokenizer_class": "BertTokenizer", "do_lower_case": lower}


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _refusal(f"{path.name} cannot be read") from error
    if not isinstance(value, dict):
        raise _refusal(f"{path.name} cannot be read")
    return value


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")


def _refusal(fault: str) -> UserError:
    return UserError(
        f"The model cannot be added: {fault}.",
        remedy="Download the folder again, with configuration and weights of one version.",
        code="backbone_config",
    )
