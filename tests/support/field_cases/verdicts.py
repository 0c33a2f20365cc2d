"""What a case ends in, and the small questions that judges ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


class WrongError(Exception):
    """The program shows, stores or answers what is not so; its text says what."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One case and what was found. wrong: empty where everything was right."""

    case: str
    wrong: str
    seconds: float


def ensure(truth: object, otherwise: str) -> None:
    """Raise WrongError unless the fact holds."""
    if not truth:
        raise WrongError(otherwise)


def ensure_near(found: object, right: object, tolerance: float, of: str) -> None:
    """Raise WrongError unless two arrays have one shape and differ by no more than the tolerance."""
    a, b = np.asarray(found, float), np.asarray(right, float)
    ensure(a.shape == b.shape, f"{of}: shape {a.shape}, not {b.shape}")
    largest = float(np.abs(a - b).max()) if a.size else 0.0
    ensure(largest <= tolerance, f"{of}: off by up to {largest:.4g}; {a.ravel()[:6].tolist()}…")


def judge(case: Path, judges: dict[str, Callable[[Path], None]]) -> str:
    """Return what is wrong with a case, empty where nothing is."""
    if case.name not in judges:
        return "no judge for this case"
    try:
        judges[case.name](case)
    except WrongError as wrong:
        return str(wrong)
    except Exception as error:  # noqa: BLE001 - whatever the program raises here is a verdict about it
        return f"{type(error).__name__}: {error}"
    return ""


def says(sentences: Sequence[str], *words: str) -> bool:
    """Tell whether one of the sentences holds one of the words."""
    return any(word.casefold() in sentence.casefold() for sentence in sentences for word in words)


def row(picture: Any, number: int = 0) -> list[Any]:
    """Return one row of a picture as a list."""
    return np.asarray(picture)[number].tolist()
