"""Packs of phrases: the bundled ones and the user's own."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipsvd_app.corpus.phrases import COLUMNS, CorpusPhrase, phrase_from_row
from clipsvd_app.errors import UserError
from clipsvd_app.resources import resource_path
from clipsvd_app.settings import data_folder

if TYPE_CHECKING:
    from pathlib import Path

# Far more than phrases can need, and little enough to read whole: the bundled packs have 0.15 MB in all.
_LARGEST_PACK_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a pack: a line number, or 0 for the whole pack, and the end of a sentence."""

    line: int
    what: str


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack as it was read; ``disabled`` counts its phrases that are not used."""

    name: str
    phrases: tuple[CorpusPhrase, ...]
    disabled: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Corpus:
    """All enabled phrases in the order of their ids, and the names of user packs that could not be used."""

    phrases: tuple[CorpusPhrase, ...]
    left_out: tuple[str, ...] = ()


def user_folder() -> Path:
    """Return the folder of the user's own packs."""
    return data_folder() / "corpus"


def load_corpus(bundled: Path | None = None, own: Path | None = None) -> Corpus:
    """Read every enabled phrase of the bundled packs and of the user's.

    A fault in a bundled pack is refused. A user's pack with a fault is left out and named, because a finished
    training must not fail because of it; no text is taken twice.
    """
    phrases = bundled_phrases(bundled)
    left_out = []
    for pack in _packs(own or user_folder()):
        if pack.faults:
            left_out.append(pack.name)
            continue
        known = {phrase.text.lower() for phrase in phrases}
        phrases += [phrase for phrase in pack.phrases if phrase.text.lower() not in known]
    return Corpus(tuple(sorted(phrases, key=lambda phrase: phrase.id)), tuple(left_out))


def bundled_phrases(folder: Path | None = None) -> list[CorpusPhrase]:
    """Return the enabled phrases of the bundled packs; a fault or a repeated id or text is refused."""
    packs = [_sound(pack) for pack in _packs(folder or resource_path("corpus"))]
    phrases = [phrase for pack in packs for phrase in pack.phrases]
    for name, values in (("id", [p.id for p in phrases]), ("text", [p.text.lower() for p in phrases])):
        if twice := first_repeated(values):
            raise refusal("The corpus", f"has the {name} “{twice}” twice")
    return phrases


def read_pack(path: Path) -> Pack:
    """Read one pack with all its faults; nothing is refused here."""
    try:
        if path.stat().st_size > _LARGEST_PACK_BYTES:
            return _unreadable(path, "is too large")
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file, strict=True)
            if tuple(rows.fieldnames or ()) != COLUMNS:
                return _unreadable(path, "has the wrong columns")
            lines = [(rows.line_num, row) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error):
        return _unreadable(path, "is not a readable CSV file")
    read = [(line, row["enabled"], phrase_from_row(row)) for line, row in lines]
    faults = [Fault(line, found) for line, _, found in read if isinstance(found, str)]
    phrases = [(enabled, found) for _, enabled, found in read if isinstance(found, CorpusPhrase)]
    for name, values in (
        ("id", [phrase.id for _, phrase in phrases]),
        ("text", [phrase.text.lower() for _, phrase in phrases]),
    ):
        if twice := first_repeated(values):
            faults.append(Fault(0, f"has the {name} “{twice}” twice"))
    enabled = tuple(phrase for enabled, phrase in phrases if enabled == "true")
    return Pack(path.stem, enabled, len(phrases) - len(enabled), tuple(faults))


def refusal(where: str, what: str) -> UserError:
    """Return the error for a pack that cannot be used."""
    return UserError(
        f"{where} {what}.", remedy="Fix the pack, or remove it from the corpus folder.", code="corpus"
    )


def first_repeated(values: list[str]) -> str | None:
    """Return the first value that occurs twice."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None


def place_of(pack: Pack, fault: Fault) -> str:
    """Return the place of a fault, as the subject of a sentence."""
    whole = f"the pack “{pack.name}.csv”"
    return f"Line {fault.line} of {whole}" if fault.line else whole.capitalize()


def _packs(folder: Path) -> list[Pack]:
    return [read_pack(path) for path in sorted(folder.glob("*.csv"))] if folder.is_dir() else []


def _sound(pack: Pack) -> Pack:
    if pack.faults:
        raise refusal(place_of(pack, pack.faults[0]), pack.faults[0].what)
    return pack


def _unreadable(path: Path, what: str) -> Pack:
    return Pack(path.stem, (), 0, (Fault(0, what),))
