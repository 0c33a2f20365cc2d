"""What became of everything that was found, so that nothing vanishes without a count."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """Found is taken, known already, and left out by reason; nothing else.

    Files that were read count by their images, every other file counts as one. left_out: counts by code.
    """

    found: int
    taken: int
    known: int
    left_out: dict[str, int]

    def __post_init__(self) -> None:
        assert self.found == self.taken + self.known + sum(self.left_out.values())
