"""Small pieces of sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.explanation import Phrase

MATRIX_KINDS = {
    "q": "query",
    "k": "key",
    "v": "value",
    "o": "output projection",
    "fc1": "first MLP matrix",
    "fc2": "second MLP matrix",
}


def quoted(phrases: Sequence[Phrase]) -> str:
    """Return phrases in quotation marks."""
    return ", ".join(f"“{phrase.text}”" for phrase in phrases)
