"""Checks of a pack: faults that exclude it, and warnings for its author."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipsvd_app.corpus.packs import bundled_phrases, place_of, read_pack
from clipsvd_app.corpus.phrases import DIAGNOSIS
from clipsvd_app.domain.words.counting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clipsvd_app.corpus.phrases import CorpusPhrase

# Words by which a phrase names a diagnosis though its axis says otherwise; a warning only, so that the list
# need not be complete.
DIAGNOSES = (
    "abscess",
    "adenoma",
    "aneurysm",
    "benign",
    "cancer",
    "carcinoma",
    "cirrhosis",
    "colitis",
    "emphysema",
    "fibroadenoma",
    "glaucoma",
    "glioma",
    "infarct",
    "lymphoma",
    "malignant",
    "melanoma",
    "metastasis",
    "metastases",
    "pneumonia",
    "pneumothorax",
    "retinopathy",
    "sarcoma",
    "stroke",
    "tuberculosis",
    "tumour",
    "tumor",
)
# From four phrases that differ in the last word only, a pack looks filled in from a template
# (docs/corpus.md).
_ALIKE = 4
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class PackReport:
    """The content of a pack and its faults; with any fault it cannot be used.

    Warnings do not exclude it: a diagnosis among the descriptions, many phrases that differ in one word,
    texts that the bundled packs already have.
    """

    name: str
    phrases: int
    controls: int
    disabled: int
    by_modality: dict[str, int]
    by_axis: dict[str, int]
    faults: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def is_usable(self) -> bool:
        """Whether the pack has no fault."""
        return not self.faults


def check_pack(path: Path) -> PackReport:
    """Read a pack and check it against the bundled corpus."""
    pack = read_pack(path)
    faults = [f"{place_of(pack, fault)} {fault.what}." for fault in pack.faults]
    if not pack.phrases and not faults:
        faults.append(f"The pack “{pack.name}.csv” has no enabled phrase.")
    controls = sum(phrase.is_control for phrase in pack.phrases)
    return PackReport(
        name=pack.name,
        phrases=len(pack.phrases) - controls,
        controls=controls,
        disabled=pack.disabled,
        by_modality=_counts(phrase.modality for phrase in pack.phrases if not phrase.is_control),
        by_axis=_counts(phrase.axis for phrase in pack.phrases),
        faults=tuple(faults),
        warnings=tuple(_warnings(pack.phrases)),
    )


def _counts(values: Iterator[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def _warnings(phrases: tuple[CorpusPhrase, ...]) -> Iterator[str]:
    for phrase in phrases:
        if phrase.axis == DIAGNOSIS:
            yield f"“{phrase.text}” names a diagnosis; explaining a class by its own name is circular."
        elif named := next((word for word in _words(phrase.text) if word in DIAGNOSES), ""):
            yield f"“{phrase.text}” says “{named}”: describe what is visible, or use the axis diagnosis."
    starts = Counter(tuple(_words(phrase.text)[:-1]) for phrase in phrases)
    for start, count in starts.items():
        if count >= _ALIKE:
            yield (
                f"{counted(count, 'phrase')} differ only in the last word (“{' '.join(start)} …”):"
                f" write each independently."
            )
    ours = {phrase.text.lower() for phrase in bundled_phrases()}
    if known := sum(phrase.text.lower() in ours for phrase in phrases):
        which = counted(known, "phrase is", "phrases are")
        yield f"{which} already in the corpus and skipped."


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
