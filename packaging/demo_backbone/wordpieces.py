"""The tokenizer: lower-case WordPiece of our own captions and medical words, in BERT's file layout."""

from __future__ import annotations

import json
import string
from collections import Counter
from typing import TYPE_CHECKING

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
MAX_PIECES = 6000


def train_vocabulary(sentences: Iterable[str], words: Iterable[str], size: int = MAX_PIECES) -> list[str]:
    """Return the pieces in order: special, single characters (with and without ##), then words by need.

    Every printable ASCII character is a piece, so no English word becomes [UNK].
    """
    characters = [c for c in string.printable if c.isprintable() and not c.isspace() and not c.isupper()]
    continued = [f"##{c}" for c in characters if c.isalnum()]
    counts = Counter(word for sentence in sentences for word in _split(sentence))
    frequent = [word for word, n in counts.most_common() if n >= 3]
    listed = [word for phrase in words for word in _split(phrase)]
    pieces = list(dict.fromkeys([*SPECIAL, *characters, *continued, *listed, *frequent]))[:size]
    learned = _learned_pieces(Counter(listed) + counts, size)
    return list(dict.fromkeys([*pieces, *learned]))[:size]


def write_tokenizer(folder: Path, pieces: list[str]) -> None:
    """Write vocab.txt, tokenizer.json, tokenizer_config.json and special_tokens_map.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n")
    _tokenizer(pieces).save(str(folder / "tokenizer.json"))
    names = dict(
        zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIAL, strict=True)
    )
    settings = {
        **names,
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": True,
        "do_basic_tokenize": True,
        "strip_accents": None,
        "tokenize_chinese_chars": True,
        "never_split": None,
        "model_max_length": 64,
        "clean_up_tokenization_spaces": True,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    (folder / "special_tokens_map.json").write_text(json.dumps(names, indent=2) + "\n")


def _tokenizer(pieces: list[str]) -> Tokenizer:
    numbers = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(numbers, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(
        ("[SEP]", numbers["[SEP]"]), ("[CLS]", numbers["[CLS]"])
    )
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def _learned_pieces(counts: Counter[str], size: int) -> list[str]:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=SPECIAL, show_progress=False)
    tokenizer.train_from_iterator(
        (word for word, n in sorted(counts.items()) for _ in range(min(n, 5))), trainer
    )
    vocabulary = tokenizer.get_vocab()
    return sorted(vocabulary, key=lambda piece: vocabulary[piece])


def _split(text: str) -> list[str]:
    normal = normalizers.BertNormalizer(lowercase=True).normalize_str(text)
    return [piece for piece, _ in pre_tokenizers.BertPreTokenizer().pre_tokenize_str(normal)]
