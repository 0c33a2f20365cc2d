"""The configuration of the text tower: Hugging Face's BERT, or CLIP's own.

Everything that would let a library silently load something else is refused here, before it is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from clipsvd_app.engine.backbone.json_values import count_in, json_object, refusal

if TYPE_CHECKING:
    from pathlib import Path

TokenizerKind = Literal["hf", "clip"]
# Byte pairs of CLIP's own tokenizer, start and end token included.
CLIP_VOCABULARY = 49408
# The spelling of the 2023 hub configurations, which open_clip 3 no longer reads.
_OLD_KEYS = {"proj": "hf_proj_type", "pooler_type": "hf_pooler_type"}
# open_clip's default, that of OpenAI's CLIP.
_DEFAULT_CONTEXT_LENGTH = 77
# Start, end and a few words: below that every prompt would be cut before its class name.
_SHORTEST_CONTEXT = 8
_BERT_COUNTS = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")


@dataclass(frozen=True, slots=True)
class TextConfig:
    """A checked text tower. ``config`` is what open_clip is to be given; ``pad_id`` is taken for padding."""

    config: dict[str, Any]
    tokenizer_kind: TokenizerKind
    vocabulary_rows: int
    context_length: int
    pad_id: int = 0


def present_spelling(text: dict[str, Any]) -> dict[str, Any]:
    """Return a text configuration in the spelling that open_clip 3 reads."""
    return {_OLD_KEYS.get(key, key): value for key, value in text.items()}


def read_text_config(folder: Path, stored: dict[str, Any]) -> TextConfig:
    """Check the ``text_cfg`` of a folder and, for BERT, its config.json."""
    text = present_spelling(stored)
    length = count_in(folder, text, "context_length", _DEFAULT_CONTEXT_LENGTH, least=_SHORTEST_CONTEXT)
    return _bert(folder, text, length) if text.get("hf_model_name") else _own(folder, text, length)


def _bert(folder: Path, text: dict[str, Any], length: int) -> TextConfig:
    if not isinstance(text.get("hf_pooler_type"), str):
        # open_clip would average all tokens, and no shape of a tensor would show it.
        raise refusal(folder, "does not state how its text encoder pools tokens")
    language = json_object(folder, "config.json")
    if language.get("model_type") != "bert":
        raise refusal(
            folder, "has a text encoder that is neither BERT nor CLIP's own", "unknown_architecture"
        )
    rows = count_in(folder, language, "vocab_size")
    width, _, heads, _ = (count_in(folder, language, name) for name in _BERT_COUNTS)
    if width % heads:
        raise refusal(folder, f"states {heads} attention heads for a text encoder of width {width}")
    longest = count_in(folder, language, "max_position_embeddings")
    pad_id = count_in(folder, language, "pad_token_id", default=0, least=0)
    names = {"hf_model_name": str(folder), "hf_tokenizer_name": str(folder), "hf_model_pretrained": False}
    return TextConfig({**text, **names}, "hf", rows, min(length, longest), pad_id)


def _own(folder: Path, text: dict[str, Any], length: int) -> TextConfig:
    foreign = text.get("hf_tokenizer_name") or text.get("tokenizer_kwargs") or text.get("tokenizer_mode")
    if foreign or text.get("vocab_size", CLIP_VOCABULARY) != CLIP_VOCABULARY:
        fault = "does not use CLIP's own tokenizer for its text encoder"
        raise refusal(folder, fault, "backbone_tokenizer")
    if text.get("no_causal_mask") or text.get("embed_cls") or text.get("pool_type", "argmax") != "argmax":
        fault = "has an unknown text encoder"
        raise refusal(folder, fault, "unknown_architecture")
    return TextConfig(text, "clip", CLIP_VOCABULARY, length)
