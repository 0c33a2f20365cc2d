"""Words to token ids, with the tokenizer that lies in the backbone folder and no other."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from clipsvd_app.engine import torch_setup
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_VOCABULARY_FILES = ("vocab.txt", "tokenizer.json")
_PROBE_SENTENCE = "a medical image"


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """A Hugging Face tokenizer that cuts at ``context_length`` and pads to the longest of a batch."""

    inner: Any
    context_length: int

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Return ids (texts, longest) int64; runs of white space count as one blank.

        Padding to the longest gives what padding to the context length gives, the mask hiding the
        rest, and is many times faster for prompts.
        """
        clean = [" ".join(text.split()) for text in texts]
        encoded = self.inner(
            clean, max_length=self.context_length, padding="longest", truncation=True, return_tensors="pt"
        )
        ids = encoded["input_ids"]
        assert isinstance(ids, Tensor)
        return ids.to(torch.int64)


def load_tokenizer(folder: Path, vocabulary_rows: int, context_length: int) -> Tokenizer:
    """Load the tokenizer of a backbone folder and check it against the model's embedding matrix.

    A folder without its vocabulary would make every word unknown, without a word: refused.
    """
    if not any((folder / name).is_file() for name in _VOCABULARY_FILES):
        raise _refusal(folder, "has no vocabulary (vocab.txt)")
    torch_setup.import_open_clip()
    from transformers import AutoTokenizer

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            inner = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise _refusal(folder, "has a tokenizer that cannot be read") from error
    if len(inner) > vocabulary_rows:
        raise _refusal(folder, "has a vocabulary larger than its text tower")
    known = inner(_PROBE_SENTENCE, add_special_tokens=False)["input_ids"]
    if not known or all(token == inner.unk_token_id for token in known):
        raise _refusal(folder, "has a tokenizer that knows no English word")
    return Tokenizer(inner, context_length)


def _refusal(folder: Path, lack: str) -> UserError:
    return UserError(
        f"The backbone “{folder.name}” {lack}.",
        remedy="Add vocab.txt and tokenizer_config.json of the model's own release to the folder.",
        code="backbone_tokenizer",
    )
