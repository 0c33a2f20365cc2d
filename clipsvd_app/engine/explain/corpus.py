"""The corpus: short descriptive phrases in CSV packs, read and checked.

Columns: id, text, modality, anatomy, axis, polarity, synonyms (parted by |), code_scheme, code,
source, licence, enabled (true or false). Phrases describe what is seen; they name no diagnosis.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipsvd_app.errors import UserError
from clipsvd_app.resources import resource_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

COLUMNS = (
    "id",
    "text",
    "modality",
    "anatomy",
    "axis",
    "polarity",
    "synonyms",
    "code_scheme",
    "code",
    "source",
    "licence",
    "enabled",
)
CONTROL = "control"
AXES = frozenset(
    {
        "artefact",
        "calcification",
        "colour",
        CONTROL,
        "density",
        "device",
        "distribution",
        "enhancement",
        "laterality",
        "margin",
        "shape",
        "sign",
        "texture",
        "tissue",
        "vascular",
    }
)
MODALITIES = {
    "radiography": "a radiograph",
    "ultrasound": "an ultrasound image",
    "ct": "a computed tomography slice",
    "mr": "a magnetic resonance image",
    "dermoscopy": "a dermoscopic photograph of the skin",
    "fundus": "a colour photograph of the retina",
    "histology": "a stained tissue section under the microscope",
}
_POLARITIES = frozenset({"present", "absent", "neutral"})
_WORDS_ALLOWED = range(3, 11)
_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class CorpusPhrase:
    """One phrase; ``modality`` is one of MODALITIES, ``any``, or ``none`` for a negative control."""

    id: str
    text: str
    modality: str
    anatomy: str
    axis: str
    polarity: str
    synonyms: tuple[str, ...]

    @property
    def is_control(self) -> bool:
        """True for a phrase that describes no medical image and so must not win."""
        return self.axis == CONTROL


def load_corpus(folder: Path | None = None) -> tuple[CorpusPhrase, ...]:
    """Read every enabled phrase of every pack, by default the bundled ones, in the order of the ids.

    Refuses a pack with other columns, an unknown axis or modality, a phrase outside 3-10 words, and
    an id or text that appears twice.
    """
    packs = sorted((folder or resource_path("corpus")).glob("*.csv"))
    phrases = [phrase for pack in packs for phrase in _read_pack(pack)]
    for name, values in (("id", [p.id for p in phrases]), ("text", [p.text.lower() for p in phrases])):
        if twice := _first_repeated(values):
            raise _refusal("The corpus", f"has the {name} “{twice}” twice")
    return tuple(sorted(phrases, key=lambda phrase: phrase.id))


def without_class_names(
    phrases: Iterable[CorpusPhrase], class_names: Iterable[str]
) -> tuple[CorpusPhrase, ...]:
    """Drop phrases that say a class by name: to explain “nodule” by “a nodule” is circular.

    A phrase goes when it, or a synonym, holds every word of a class name, or the last word that is no
    body part, which names the finding (“effusion” of “pleural effusion”, “normal” of “normal
    breast”); plurals count as their singular.
    """
    every = tuple(phrases)
    body = {stem for phrase in every for stem in _stems(phrase.anatomy)}
    names = [words for name in class_names if (words := _stems(name))]
    return tuple(phrase for phrase in every if not any(_says(phrase, words, body) for words in names))


def _says(phrase: CorpusPhrase, name: list[str], body: set[str]) -> bool:
    said = {stem for text in (phrase.text, *phrase.synonyms) for stem in _stems(text)}
    findings = [word for word in name if word not in body]
    return set(name) <= said or bool(findings and findings[-1] in said)


def _stems(text: str) -> list[str]:
    return [word.removesuffix("s") if len(word) > 3 else word for word in _WORD.findall(text.lower())]


def _read_pack(pack: Path) -> Iterator[CorpusPhrase]:
    try:
        with pack.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file, strict=True)
            if tuple(rows.fieldnames or ()) != COLUMNS:
                raise _refusal(f"The pack “{pack.name}”", "does not have the columns of the corpus")
            for number, row in enumerate(rows, start=2):
                phrase = _phrase(row, f"Line {number} of the pack “{pack.name}”")
                if row["enabled"] == "true":
                    yield phrase
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _refusal(f"The pack “{pack.name}”", "is not a readable CSV file") from error


def _phrase(row: dict[str, str], where: str) -> CorpusPhrase:
    if None in row.values() or None in row:
        raise _refusal(where, "does not have one value for each column")
    if (
        row["axis"] not in AXES
        or row["polarity"] not in _POLARITIES
        or row["enabled"] not in {"true", "false"}
    ):
        raise _refusal(where, "has an unknown axis, polarity or enabled value")
    if row["modality"] not in {*MODALITIES, "any", "none"}:
        raise _refusal(where, "has an unknown modality")
    if (row["axis"] == CONTROL) != (row["modality"] == "none"):
        raise _refusal(where, "must be a control exactly when its modality is none")
    if not row["id"] or len(row["text"].split()) not in _WORDS_ALLOWED:
        raise _refusal(where, "needs an id and a phrase of 3 to 10 words")
    synonyms = tuple(part.strip() for part in row["synonyms"].split("|") if part.strip())
    return CorpusPhrase(
        row["id"], row["text"], row["modality"], row["anatomy"], row["axis"], row["polarity"], synonyms
    )


def _first_repeated(values: list[str]) -> str | None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None


def _refusal(where: str, what: str) -> UserError:
    return UserError(
        f"{where} {what}.", remedy="Mend the pack, or take it out of the corpus folder.", code="corpus"
    )
