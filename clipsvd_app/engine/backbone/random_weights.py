"""The true architectures with random weights: for tests of shape, memory and speed, on any machine.

Nothing comes from outside the program. BiomedCLIP's own vocabulary is replaced by a generated one of the same
size, which spells every word letter by letter where it does not know it whole.
"""

from __future__ import annotations

import json
import string
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import torch

from clipsvd_app import settings
from clipsvd_app.engine.backbone.backbone import build_model
from clipsvd_app.engine.backbone.folder import WEIGHT_FILES, BackboneFolder, read_folder
from clipsvd_app.engine.backbone.intake.known import BIOMEDCLIP_CONFIG
from clipsvd_app.engine.backbone.weights import write_state
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
RandomKind = Literal["biomedclip", "ViT-B-16"]
RANDOM_KINDS: tuple[RandomKind, ...] = get_args(RandomKind)
# Any fixed number: weights and cache folder follow from it, so that measurements can be repeated.
SEED = 20260101
_VERSION = 1  # of how the weights and the vocabulary are made
# BiomedCLIP's sizes: pieces of its vocabulary, rows of its embedding matrix, and longest text.
VOCABULARY_PIECES, EMBEDDING_ROWS, CONTEXT_LENGTH = 28_895, 30_522, 256
# OpenAI's ViT-B/16, as open_clip configures it.
_CLIP_VIT_B_16 = {
    "embed_dim": 512,
    "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12},
}
_SYLLABLES = [a + b + c for a in "bcdfglmnprstv" for b in "aeiou" for c in "lmnrstxd"]


def make_random(kind: RandomKind, folder: Path) -> Path:
    """Write a complete backbone folder with random fp32 weights and return it; it must be new or empty."""
    if folder.exists() and any(folder.iterdir()):
        raise UserError(
            f"The folder “{folder.name}” is not empty.",
            remedy="Choose a new folder for the random backbone.",
            code="folder_not_empty",
        )
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(folder, "open_clip_config.json", _config(kind))
    if kind == "biomedclip":
        _write_language(folder)
    _write_weights(read_folder(folder, folder / WEIGHT_FILES[0]))
    return folder


def random_backbone_folder(kind: RandomKind) -> Path:
    """Return the folder of a random backbone in the cache, made the first time it is asked for."""
    recipe = sha256(json.dumps([SEED, _VERSION, _config(kind)], sort_keys=True).encode()).hexdigest()
    folder = settings.cache_folder() / "random_backbones" / f"{kind}-{recipe[:12]}"
    if not (folder / WEIGHT_FILES[0]).is_file():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".", suffix=".part") as room:
            made = make_random(kind, Path(room) / kind)
            if not folder.exists():  # another process may have been quicker
                made.rename(folder)
    return folder


def _config(kind: RandomKind) -> dict[str, Any]:
    return BIOMEDCLIP_CONFIG if kind == "biomedclip" else {**BIOMEDCLIP_CONFIG, "model_cfg": _CLIP_VIT_B_16}


def vocabulary() -> list[str]:
    """Return 28,895 WordPieces: special tokens in BERT's order, characters, continuations, syllables."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    characters = [*string.punctuation, *string.digits, *string.ascii_lowercase]
    pieces += [*characters, *(f"##{character}" for character in characters)]
    syllables = _joined_syllables()
    return pieces + [next(syllables) for _ in range(VOCABULARY_PIECES - len(pieces))]


def _joined_syllables() -> Iterator[str]:
    yield from _SYLLABLES
    yield from (f"##{syllable}" for syllable in _SYLLABLES)
    yield from (one + other for one in _SYLLABLES for other in _SYLLABLES)


def _write_weights(checked: BackboneFolder) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = build_model(checked)
    write_state(checked.weights, model.state_dict())


def _write_language(folder: Path) -> None:
    (folder / "vocab.txt").write_text("\n".join(vocabulary()) + "\n", encoding="utf-8")
    tokenizer = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": True,
        "model_max_length": CONTEXT_LENGTH,
    }
    _write_json(folder, "tokenizer_config.json", tokenizer)
    # BERT-base (768 wide, 12 layers and heads, 512 positions), as in BiomedBERT's config.json.
    bert = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": EMBEDDING_ROWS,
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
        "pad_token_id": 0,
    }
    _write_json(folder, "config.json", bert)


def _write_json(folder: Path, name: str, value: Any) -> None:  # noqa: ANN401 - any JSON value
    (folder / name).write_text(json.dumps(value, indent=1), encoding="utf-8")
