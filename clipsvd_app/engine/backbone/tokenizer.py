"""Words to token ids, with the tokenizer that belongs to the backbone and no other.

Signs of a wrong vocabulary are checked on every load: more pieces than the text tower has rows, or far fewer;
special tokens in other places; words that it cannot spell; two files that disagree. A vocabulary of about the
right size that spells English and has its special tokens in the usual places passes. For a release that the
program knows, ``intake`` therefore compares the pieces themselves.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from clipsvd_app.engine.device import torch_setup
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from clipsvd_app.engine.backbone.folder import BackboneFolder

VOCABULARY_FILES = ("vocab.txt", "tokenizer.json")
# Every file that decides how words become ids, and how the text tower reads them.
TOKENIZER_FILES = (
    *VOCABULARY_FILES,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
    "config.json",
)
# The last two are what transformers writes for any tokenizer.json.
_TOKENIZER_CLASSES = ("BertTokenizer", "BertTokenizerFast", "PreTrainedTokenizerFast", "TokenizersBackend")
# Plain English in lower and mixed case, which any vocabulary of a medical model can spell.
_PROBES = ("a medical image of the chest", "An Image Showing A Finding")
# BiomedCLIP has 28,895 pieces for 30,522 rows: embedding matrices are made larger than they need to be.
_LEAST_SHARE_OF_ROWS = 0.9


@dataclass(frozen=True, slots=True)
class TextReading:
    """What a model reads of a text: its ids without special tokens, and what is lost.

    whole: the ids that there would be if texts were never cut; known: the text without what is missed;
    unknown: what the vocabulary does not have; lost: the part of the text beyond the context length.
    """

    ids: tuple[int, ...]
    whole: tuple[int, ...]
    known: str
    unknown: tuple[str, ...] = ()
    lost: str = ""


class Tokenizer(Protocol):
    """Turns texts into ids (texts, length) int64, of at most ``context_length`` tokens each."""

    @property
    def context_length(self) -> int:
        """The longest text that the model takes, in tokens."""

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Tokenize a batch of texts."""

    def read(self, texts: Sequence[str]) -> list[TextReading]:
        """Return for each text what the model reads of it."""


@dataclass(frozen=True, slots=True)
class HuggingFaceTokenizer:
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

    def read(self, texts: Sequence[str]) -> list[TextReading]:
        """Return for each text what the model reads of it."""
        clean = [" ".join(text.split()) for text in texts]
        if not clean:
            return []
        encoded = self.inner(
            clean, add_special_tokens=False, truncation=False, return_offsets_mapping=True, verbose=False
        )
        room = self.context_length - self.inner.num_special_tokens_to_add()
        rows = zip(clean, encoded["input_ids"], encoded["offset_mapping"], strict=True)
        return [_reading(text, ids, places, room, self.inner.unk_token_id) for text, ids, places in rows]


@dataclass(frozen=True, slots=True)
class ClipTokenizer:
    """CLIP's own tokenizer, which comes with open_clip, cut and padded likewise."""

    inner: Any
    context_length: int

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Return ids (texts, longest) int64."""
        ids = self.inner(list(texts), context_length=self.context_length)
        assert isinstance(ids, Tensor)
        # CLIP pads with 0; cut to the longest text of the batch.
        return ids[:, : int((ids != 0).sum(dim=1).max())]

    def read(self, texts: Sequence[str]) -> list[TextReading]:
        """Return for each text what the model reads of it; every byte has a piece, so no word is unknown."""
        room = self.context_length - 2  # the start and the end of the text
        found = []
        for text in texts:
            whole = tuple(self.inner.encode(text))
            known, lost = (self.inner.decode(part).strip() for part in (whole[:room], whole[room:]))
            found.append(TextReading(whole[:room], whole, known, (), lost))
        return found


def load_tokenizer(checked: BackboneFolder) -> Tokenizer:
    """Load the tokenizer of a backbone folder and check it against the text tower.

    A folder without its vocabulary is refused, because every word would silently be unknown.
    """
    open_clip = torch_setup.import_open_clip()
    if checked.text.tokenizer_kind == "clip":
        return ClipTokenizer(open_clip.SimpleTokenizer(), checked.text.context_length)
    inner = _load_hugging_face(checked.folder)
    if fault := _fault(inner, checked):
        raise _refusal(checked.folder, fault)
    return HuggingFaceTokenizer(inner, checked.text.context_length)


def _reading(
    text: str, ids: Sequence[int], places: Sequence[tuple[int, int]], room: int, unknown: int
) -> TextReading:
    end = len(text) if len(ids) <= room else places[room][0]
    missed: list[tuple[int, int]] = []
    for piece, (first, last) in zip(ids[:room], places, strict=False):
        if piece == unknown and missed and missed[-1][1] == first:
            missed[-1] = missed[-1][0], last  # characters of one word, as in Chinese
        elif piece == unknown:
            missed.append((first, last))
    starts, ends = [0, *(last for _, last in missed)], [*(first for first, _ in missed), end]
    known = " ".join(text[first:last] for first, last in zip(starts, ends, strict=True))
    lost = text[text.rfind(" ", 0, end) + 1 :] if end < len(text) else ""
    words = dict.fromkeys(text[first:last] for first, last in missed)
    return TextReading(tuple(ids[:room]), tuple(ids), known, tuple(words), lost)


def vocabulary_sha256(pieces: Mapping[str, int]) -> str:
    """Hash the pieces in the order of their ids, one a line, whatever file they came in."""
    ordered = sorted(pieces, key=lambda piece: pieces[piece])
    return hashlib.sha256("".join(f"{piece}\n" for piece in ordered).encode()).hexdigest()


def _load_hugging_face(folder: Path) -> Any:  # noqa: ANN401 - a library object
    if not any((folder / name).is_file() for name in VOCABULARY_FILES):
        raise _refusal(folder, "has no vocabulary (vocab.txt)")
    if fault := _fault_of_files(folder):
        raise _refusal(folder, fault)
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoTokenizer

    try:
        # Warnings of transformers are meant for programmers; what is wrong is checked below.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StrictDataclassError) as error:
        raise _refusal(folder, "has a tokenizer that cannot be read") from error


def _fault(inner: Any, checked: BackboneFolder) -> str:  # noqa: ANN401
    """Return the sign of a wrong tokenizer; empty when there is none."""
    rows = checked.text.vocabulary_rows
    if len(inner) > rows:
        return "has a vocabulary larger than its text encoder"
    if len(inner) < _LEAST_SHARE_OF_ROWS * rows:
        return f"has a vocabulary of {len(inner):,} pieces where its text tower has {rows:,}"
    known = [inner(text, add_special_tokens=False)["input_ids"] for text in _PROBES]
    if not all(known) or any(inner.unk_token_id in ids for ids in known):
        return "has a tokenizer that cannot spell English words"
    first, *_, last = inner(_PROBES[0])["input_ids"]
    expected = (inner.cls_token_id, inner.sep_token_id, checked.text.pad_id)
    if (first, last, inner.pad_token_id) != expected:
        return "has a tokenizer whose [CLS], [SEP] or [PAD] is not where its text encoder expects it"
    return ""


def _fault_of_files(folder: Path) -> str:
    """Check the files themselves, before a library fills what they lack; empty when they are in order."""
    listed, tabled, kind = None, None, "BertTokenizer"
    try:
        if (lines := folder / "vocab.txt").is_file():
            listed = set(lines.read_text(encoding="utf-8").split("\n")) - {""}
        if (table := folder / "tokenizer.json").is_file():
            tabled = set(json.loads(table.read_text(encoding="utf-8"))["model"]["vocab"])
        if (usage := folder / "tokenizer_config.json").is_file():
            kind = dict(json.loads(usage.read_text(encoding="utf-8"))).get("tokenizer_class", kind)
    except (OSError, ValueError, KeyError, TypeError):
        return "has a tokenizer that cannot be read"
    if kind not in _TOKENIZER_CLASSES:
        return "does not use BERT's tokenizer"
    if listed is not None and tabled is not None and listed != tabled:
        return "has a vocab.txt and a tokenizer.json that contradict each other"
    return ""


def _refusal(folder: Path, lack: str) -> UserError:
    return UserError(
        f"The backbone “{folder.name}” {lack}.",
        remedy="Add vocab.txt and tokenizer_config.json of the model's own release to the folder.",
        code="backbone_tokenizer",
    )
