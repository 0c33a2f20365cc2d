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


def percent(fraction: float) -> str:
    """Return a share with one decimal; what rounds to nothing is said to be small."""
    return f"{100 * fraction:.1f} %" if fraction >= 0.001 or fraction == 0 else "under 0.1 %"
