"""One phrase of the corpus and the rules for its line in a pack.

Columns: id, text, modality, anatomy, axis, polarity, synonyms (separated by |), code_scheme, code,
source, licence, enabled (true or false). Phrases describe what is visible. Those that name a diagnosis have
an axis of their own and are not enabled in the bundled packs: a class explained by its own name is not
explained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

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
CONTROL, DIAGNOSIS = "control", "diagnosis"
ANY, NONE = "any", "none"
AXES = frozenset(
    {
        "artefact",
        "calcification",
        "colour",
        CONTROL,
        "density",
        "device",
        DIAGNOSIS,
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
    "mammography": "a mammogram of the breast",
    "dermoscopy": "a dermoscopic photograph of the skin",
    "fundus": "a colour photograph of the retina",
    "oct": "an optical coherence tomography of the retina",
    "endoscopy": "an endoscopic photograph of the bowel",
    "histology": "a stained tissue section under the microscope",
}
_POLARITIES = frozenset({"present", "absent", "neutral"})
# 3 to 10, as docs/corpus.md tells the authors of packs.
_WORDS_ALLOWED = range(3, 11)


@dataclass(frozen=True, slots=True)
class CorpusPhrase:
    """One phrase; ``modality`` is one of MODALITIES, ``any``, or ``none``.

    A control describes no medical image (``none``), or one of another modality: then it is a control for
    images of every modality but the one it names.
    """

    id: str
    text: str
    modality: str
    anatomy: str
    axis: str
    polarity: str
    synonyms: tuple[str, ...]

    @property
    def is_control(self) -> bool:
        """Whether the phrase is a control, which must not be found to describe a class."""
        return self.axis == CONTROL

    def applies_to(self, modalities: Collection[str]) -> bool:
        """Whether the phrase is used to explain images of one of these modalities."""
        if self.is_control:
            return self.modality not in modalities
        return self.modality == ANY or self.modality in modalities


def phrase_from_row(row: Mapping[str, str]) -> CorpusPhrase | str:
    """Return the phrase of a line, or its fault as the end of a sentence."""
    if None in row.values() or None in row:
        return "does not have one value for each column"
    if (
        row["axis"] not in AXES
        or row["polarity"] not in _POLARITIES
        or row["enabled"] not in {"true", "false"}
    ):
        return "has an unknown axis, polarity or enabled value"
    if row["modality"] not in {*MODALITIES, ANY, NONE}:
        return "has an unknown modality"
    if row["axis"] == CONTROL and row["modality"] == ANY:
        return "is a control for no image: its modality must be none, or the one that it describes"
    if row["axis"] != CONTROL and row["modality"] == NONE:
        return "must be a control when its modality is none"
    if not row["id"] or len(row["text"].split()) not in _WORDS_ALLOWED:
        return "needs an id and a phrase of 3 to 10 words"
    synonyms = tuple(part.strip() for part in row["synonyms"].split("|") if part.strip())
    return CorpusPhrase(
        row["id"], row["text"], row["modality"], row["anatomy"], row["axis"], row["polarity"], synonyms
    )
