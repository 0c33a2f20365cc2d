"""Small pieces of sentences about a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.explanation import PartKind, Phrase, ScorePart

PART_KINDS: dict[PartKind, str] = {
    "q": "query",
    "k": "key",
    "v": "value",
    "o": "output projection",
    "fc1": "first MLP matrix",
    "fc2": "second MLP matrix",
    "head": "attention",
    "head_constant": "value bias",
    "output_bias": "output bias",
    "mlp": "MLP",
    "embedding": "patch and position embeddings",
    "shift": "bias of the final LayerNorm",
    "class_head": "class head",
    "class_bias": "bias of the class head",
}


def quoted(phrases: Sequence[Phrase]) -> str:
    """Return phrases in quotation marks."""
    return ", ".join(f"“{phrase.text}”" for phrase in phrases)


def part_title(part: ScorePart) -> str:
    """Return “Image layer 3, head 2, attention”; terms outside the layers have no place."""
    kind = PART_KINDS[part.kind]
    if part.layer is None:
        return kind[:1].upper() + kind[1:]
    assert part.tower is not None, "a layer is in a tower"
    head = "" if part.head is None else f", head {part.head + 1}"
    return f"{part.tower.capitalize()} layer {part.layer + 1}{head}, {kind}"
