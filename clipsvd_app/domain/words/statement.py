"""Sentences about a result, each with how it is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Topic = Literal["sizes", "classes", "heads", "directions", "answer", "change", "concepts", "map"]


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence and how it is known; the sentence is never more certain than the control behind it."""

    text: str
    how_we_know: str
    topic: Topic | None = None


def about(statements: Iterable[Statement], topic: Topic) -> tuple[Statement, ...]:
    """Return the sentences about a topic."""
    return tuple(statement for statement in statements if statement.topic == topic)
