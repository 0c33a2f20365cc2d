"""How many numbers an adaptation trained, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted

if TYPE_CHECKING:
    from clipsvd_app.domain.results.run import RunResult


def trained_words(singular_values: int, matrices: int, head_numbers: int = 0) -> str:
    """Return how many singular values of how many matrices were trained, and how large the class head is."""
    said = f"{singular_values:,} singular values of {counted(matrices, 'matrix', 'matrices')}"
    return f"{said} and a class head of {head_numbers:,} numbers" if head_numbers else said


def run_trained_words(result: RunResult) -> str:
    """Return what a run trained."""
    head = result.head_parameters
    return trained_words(result.trainable_parameters - head, result.matrices, head)
