"""Excludes phrases that contain a class name: to explain “nodule” by “a nodule” is circular."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clipsvd_app.corpus.phrases import CorpusPhrase

_WORD = re.compile(r"[a-z0-9]+")


def without_class_names(
    phrases: Iterable[CorpusPhrase], class_names: Iterable[str]
) -> tuple[CorpusPhrase, ...]:
    """Drop phrases that contain a class name.

    A phrase is dropped when it, or a synonym, has every word of a class name, or its last word that is no
    body part, which names the finding (“effusion” of “pleural effusion”, “normal” of “normal
    breast”); plurals count as their singular.
    """
    every = tuple(phrases)
    body = {stem for phrase in every for stem in _stems(phrase.anatomy)}
    names = [words for name in class_names if (words := _stems(name))]
    return tuple(phrase for phrase in every if not any(_says(phrase, words, body) for words in names))


def _says(phrase: CorpusPhrase, name: list[str], body: set[str]) -> bool:
    said = {stem for text in (phrase.text, *phrase.synonyms) for stem in _stems(text)}
    findings = [word for word in name if word not in body]
    return set(name) <= said or bool(findings and findings[-1] in said)


def _stems(text: str) -> list[str]:
    # Words of three letters keep their s: “gas” and “pus” are no plurals.
    return [word.removesuffix("s") if len(word) > 3 else word for word in _WORD.findall(text.lower())]
