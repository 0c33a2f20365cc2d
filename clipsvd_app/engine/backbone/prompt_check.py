"""Whether the model can read the prompts of the classes, and distinguish the classes by them.

A text tower reads a limited number of tokens, and a vocabulary may lack whole scripts. What is lost is lost
silently: two classes then have the same embedding, and a fit runs nevertheless.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipsvd_app.domain.classes import TEMPLATES
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.engine.backbone.tokenizer import TextReading
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clipsvd_app.domain.classes import ClassSpec
    from clipsvd_app.engine.backbone.tokenizer import Tokenizer

_WORD = re.compile(r"\w+")
# If these are the only words of a prompt that the model knows, the prompt says nothing of its class.
_SAID_OF_ANY_CLASS = frozenset(
    _WORD.findall(
        f"{' '.join(TEMPLATES)} the with in on and or there photo photograph picture scan film x ray study"
    )
)
# Sentences stay short: three classes or words are enough to find the fault.
_NAMED = 3
# Characters; a longer quotation would push the reason out of one line.
_LONGEST_QUOTE = 40


@dataclass(frozen=True, slots=True)
class PromptReport:
    """Why the classes cannot be used with a model, and what weakens them, in sentences."""

    refusals: tuple[UserError, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _ReadClass:
    """A class with the model's reading of each of its prompts."""

    name: str
    prompts: tuple[str, ...]
    readings: tuple[TextReading, ...]

    @property
    def seen(self) -> frozenset[tuple[int, ...]]:
        """The different texts that the model sees of the class."""
        return frozenset(reading.ids for reading in self.readings)

    @property
    def unread(self) -> list[str]:
        """The prompts of which the model reads nothing, or only words that fit any class."""
        pairs = zip(self.prompts, self.readings, strict=True)
        return [prompt for prompt, reading in pairs if _says_nothing(reading)]

    @property
    def unknown(self) -> tuple[str, ...]:
        """The words that the vocabulary does not have."""
        return tuple(dict.fromkeys(word for reading in self.readings for word in reading.unknown))


def check_prompts(tokenizer: Tokenizer, classes: Sequence[ClassSpec]) -> PromptReport:
    """Compare the prompts of all classes as this tokenizer reads them."""
    read = _read(tokenizer, classes)
    unread = [entry for entry in read if len(entry.unread) == len(entry.prompts)]
    alike = [group for group in _alike(read) if not all(entry in unread for entry in group)]
    refusals = [_unreadable(unread)] if unread else []
    refusals += [_same_to_the_model(group, tokenizer.context_length) for group in alike]
    if refusals:
        return PromptReport(tuple(refusals))
    warnings = [sentence for entry in read for sentence in _of_class(entry, tokenizer.context_length)]
    return PromptReport(warnings=tuple(_fewer([*warnings, *_shared(read)])))


def require_readable(tokenizer: Tokenizer, classes: Sequence[ClassSpec]) -> tuple[str, ...]:
    """Refuse classes that the model cannot read or distinguish; return warnings about the others."""
    report = check_prompts(tokenizer, classes)
    if report.refusals:
        first = report.refusals[0]
        told = " ".join(error.message for error in report.refusals[:_NAMED])
        raise UserError(told, remedy=first.remedy, code=first.code)
    return report.warnings


def says_nothing(tokenizer: Tokenizer, text: str) -> bool:
    """Return whether the model reads nothing of a text, or only words that fit any class."""
    return _says_nothing(tokenizer.read([text])[0])


def _read(tokenizer: Tokenizer, classes: Sequence[ClassSpec]) -> list[_ReadClass]:
    prompts = [tuple(prompt for prompt in spec.prompts if prompt.strip()) for spec in classes]
    readings = iter(tokenizer.read([prompt for of_class in prompts for prompt in of_class]))
    return [
        _ReadClass(spec.name, of_class, tuple(next(readings) for _ in of_class))
        for spec, of_class in zip(classes, prompts, strict=True)
    ]


def _unreadable(unread: Sequence[_ReadClass]) -> UserError:
    classes = _quoted([entry.name for entry in unread], " and ")
    of, stay = ("class", "the class name need not change")
    if len(unread) > 1:
        of, stay = ("classes", "the class names need not change")
    words = tuple(dict.fromkeys(word for entry in unread for word in entry.unknown))
    why = f"its vocabulary does not have {_quoted(words)}" if words else "they contain no known character"
    return UserError(
        f"The model cannot read the prompts of the {of} {classes}: {why}.",
        remedy=f"Write a prompt in English words for {classes}; {stay}.",
        code="unreadable_prompts",
    )


def _alike(read: Sequence[_ReadClass]) -> list[list[_ReadClass]]:
    groups: dict[frozenset[tuple[int, ...]], list[_ReadClass]] = defaultdict(list)
    for entry in read:
        groups[entry.seen].append(entry)
    return [group for group in groups.values() if len(group) > 1]


def _same_to_the_model(group: Sequence[_ReadClass], context_length: int) -> UserError:
    names = _quoted([entry.name for entry in group], " and ")
    wholes = {frozenset(reading.whole for reading in entry.readings) for entry in group}
    texts = {frozenset(" ".join(prompt.split()) for prompt in entry.prompts) for entry in group}
    unknown = tuple(dict.fromkeys(word for entry in group for word in entry.unknown))
    if len(wholes) > 1:
        why = f"their prompts differ only after {context_length} tokens, the most that it reads"
        remedy = "Shorten the prompts, or begin with what distinguishes the classes."
    elif len(texts) == 1:
        why, remedy = "they have the same prompts", "Write different prompts."
    elif unknown:
        why = f"their prompts differ only in words outside its vocabulary, such as {_quoted(unknown)}"
        remedy = "Write a prompt in English words for each of them; the class names need not change."
    else:
        why = "their prompts differ only in case, accents or spaces"
        remedy = "Write prompts with different words."
    return UserError(
        f"The model cannot distinguish the classes {names}: {why}.", remedy=remedy, code="same_prompts"
    )


def _of_class(entry: _ReadClass, context_length: int) -> Iterator[str]:
    """Yield warnings about one class that can be read."""
    unread, of_all = len(entry.unread), counted(len(entry.prompts), "prompt")
    if entry.unknown:
        without = (
            f"; {unread} of its {of_all} {'says' if unread == 1 else 'say'} nothing without" if unread else ""
        )
        yield f"The model does not know {_quoted(entry.unknown)} in the prompts of “{entry.name}”{without}."
    elif unread:
        yield f"The model can read nothing of {unread} of the {of_all} of “{entry.name}”."
    cut = [reading for reading in entry.readings if reading.lost]
    if cut:
        which = "The prompt" if len(entry.prompts) == 1 else f"{len(cut)} of {of_all}"
        verb = "is" if len(cut) == 1 else "are"
        name = _spoken(entry.name)
        named = any(name in r.lost.casefold() and name not in r.known.casefold() for r in cut)
        part = f"“{_short(cut[0].lost)}”" + (", and with it the name of the class," if named else "")
        yield (
            f"{which} of “{entry.name}” {verb} truncated: the model reads {context_length} tokens,"
            f" and {part} is lost."
        )


def _shared(read: Sequence[_ReadClass]) -> Iterator[str]:
    """Yield a sentence for each pair of classes that share a prompt as the model reads it."""
    owners: dict[tuple[int, ...], _ReadClass] = {}
    named: set[tuple[str, str]] = set()
    for entry in read:
        for prompt, reading in zip(entry.prompts, entry.readings, strict=True):
            owner = owners.setdefault(reading.ids, entry)
            if owner is not entry and (owner.name, entry.name) not in named:
                named.add((owner.name, entry.name))
                yield f"“{owner.name}” and “{entry.name}” share a prompt: “{_short(prompt)}”."


def _fewer(sentences: Sequence[str]) -> list[str]:
    if len(sentences) <= 2 * _NAMED:
        return list(sentences)
    rest = len(sentences) - 2 * _NAMED
    more = counted(rest, "more class has prompts", "more classes have prompts")
    return [*sentences[: 2 * _NAMED], f"{more} that are only partly read."]


def _says_nothing(reading: TextReading) -> bool:
    words = frozenset(_WORD.findall(reading.known.casefold()))
    return not reading.ids or (bool(reading.unknown) and words <= _SAID_OF_ANY_CLASS)


def _spoken(name: str) -> str:
    return " ".join(name.replace("_", " ").split()).casefold()


def _quoted(words: Sequence[str], last: str = ", ") -> str:
    shown = [f"“{_short(word)}”" for word in words[:_NAMED]]
    if len(words) > _NAMED:
        return f"{', '.join(shown)} and {len(words) - _NAMED} more"
    return last.join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE else f"{text[: _LONGEST_QUOTE - 1].rstrip()}…"
