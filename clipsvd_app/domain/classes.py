"""A class is a finding with a name and the sentences that the text tower reads for it."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from clipsvd_app.domain.records import Record
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

TEMPLATES = (
    "{}",
    "an image of {}",
    "a medical image showing {}",
    "this image shows {}",
    "{} is present",
)


_JOINERS = "\u200c\u200d"
"""Invisible, yet part of the spelling in Persian and in scripts of India."""


def clean_name(name: str) -> str:
    """Return a class name as it is kept: composed (NFC), single blanks, nothing invisible."""
    composed = unicodedata.normalize("NFC", " ".join(name.split()))
    shown = (c for c in composed if c in _JOINERS or unicodedata.category(c) not in ("Cc", "Cf"))
    return " ".join("".join(shown).split())


def class_key(name: str) -> str:
    """Return what the spellings of one class share; names that look the same on the screen are one class."""
    folded = clean_name(name).casefold()
    for joiner in _JOINERS:
        folded = folded.replace(joiner, "")
    return unicodedata.normalize("NFC", folded)


def require_distinct(specs: Sequence[ClassSpec]) -> None:
    """Refuse two classes of one name."""
    seen: dict[str, str] = {}
    for spec in specs:
        key = class_key(spec.name)
        if key in seen:
            raise class_exists(seen[key])
        seen[key] = spec.name


def class_exists(name: str) -> UserError:
    """Say that a name is taken, by the class as it is written."""
    return UserError(
        f"There is a class “{name}” already.", remedy="Choose another name.", code="class_exists"
    )


class ClassSpec(Record):
    """One class: its name as shown, and the prompts whose mean embedding stands for it."""

    name: str
    prompts: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise UserError("A class needs a name.", remedy="Type the finding as you would dictate it.")
        if not any(prompt.strip() for prompt in self.prompts):
            raise UserError(
                f"The class “{self.name}” has no prompt.", remedy="Write at least one sentence for it."
            )


def class_from_name(name: str) -> ClassSpec:
    """Return a class with the general templates filled with its name."""
    clean = clean_name(name)
    spoken = clean.replace("_", " ").lower()
    return ClassSpec(clean, tuple(template.format(spoken) for template in TEMPLATES))
