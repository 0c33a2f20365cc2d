"""What a sigma adapter says about itself: the JSON document in its header, as records.

Nothing here can hold a patient name, an identifier, a path, a host or a user name; ``contact`` is
what the author typed. The published schemas are made of these types.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from clipsvd_app.adapter_file.plain_text import HIDDEN
from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.records import Record
from clipsvd_app.domain.results.evaluation import Interval, Verdict
from clipsvd_app.domain.words.notice import NOT_FOR_DIAGNOSIS

# One more for any change that readers of a format would refuse or misread. Format 2 is format 1 with a class
# head, and only files with a head have it, so that readers of format 1 still read all others.
FORMAT, FORMAT_WITH_HEAD = 1, 2
# These and the bounds below are part of format 1 and of its published schemas: other bounds would accept
# files that other readers refuse. They keep a foreign file from filling memory or a screen.
MOST_CLASSES, MOST_PROMPTS_OF_A_CLASS, LONGEST_LINE = 256, 128, 2000
LayerMethod = Literal["zero_shot", "text_probe", "linear_probe", "gda"]
"""What comes down to one layer on frozen features."""

# The end of a pattern is written as "nothing follows": in Python, $ lets a line break through.
_SHOWN, _HASH, _END = rf"^(?![\s\S]*[{HIDDEN}])", "[0-9a-f]{64}", r"(?![\s\S])"
Word = Annotated[str, Meta(max_length=128, pattern=_SHOWN)]
Line = Annotated[str, Meta(max_length=LONGEST_LINE, pattern=_SHOWN)]
FilledLine = Annotated[str, Meta(min_length=1, max_length=LONGEST_LINE, pattern=rf"{_SHOWN}[\s\S]*\S")]
Name = Annotated[str, Meta(max_length=64, pattern=_SHOWN)]
Sha256 = Annotated[str, Meta(max_length=64, pattern=f"^{_HASH}{_END}")]
Sha256OrNone = Annotated[str, Meta(max_length=64, pattern=f"^({_HASH})?{_END}")]
Day = Annotated[
    str,
    Meta(
        max_length=10,
        pattern="^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
        description="The day on which the file was made; never a time.",
    ),
]
Count = Annotated[int, Meta(ge=0, le=10**9)]
Seed = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Number = Annotated[float, Meta(ge=-1e6, le=1e6)]
Factor = Annotated[float, Meta(gt=0, le=10_000)]
Side = Annotated[int, Meta(ge=8, le=4096, description="Pixels.")]
Spread = Annotated[float, Meta(gt=0, le=1000)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
RecipeValue = (
    bool
    | Annotated[int, Meta(ge=-(10**6), le=10**6)]
    | Number
    | Word
    | Annotated[tuple[Number, ...], Meta(max_length=64)]
)
Libraries = Annotated[dict[Name, Word], Meta(max_length=32, description="Library name to version.")]


class Base(Record):
    """The model that the adapter belongs to; ``sha256`` is the canonical hash of its tensors."""

    name: Word
    source: Annotated[Line, Meta(description="Where the public may find the model; never a local path.")]
    sha256: Annotated[Sha256, Meta(description="Canonical hash of the base tensors.")]
    parameters: Annotated[int, Meta(ge=1, le=10**12)]
    architecture: Word
    file_sha256: Annotated[Sha256OrNone, Meta(description="Hash of the weights file, for information.")] = ""


class BasisNote(Record):
    """How the base was decomposed; ``fingerprint`` tells two bases of one model apart."""

    algorithm: Word
    dtype: Word
    fingerprint: Word


class Code(Record):
    """A concept code of a class, for example scheme SCT or RADLEX."""

    scheme: Word
    value: Word
    meaning: Line


class AdapterClass(Record):
    """One class in the order of the logits."""

    name: FilledLine
    prompts: Annotated[tuple[FilledLine, ...], Meta(min_length=1, max_length=MOST_PROMPTS_OF_A_CLASS)]
    codes: Annotated[tuple[Code, ...], Meta(max_length=16)] = ()

    def spec(self) -> ClassSpec:
        """Return the class as the engine takes it."""
        return ClassSpec(self.name, self.prompts)


Classes = Annotated[
    tuple[AdapterClass, ...],
    Meta(min_length=2, max_length=MOST_CLASSES, description="The classes in the order of the logits."),
]


class Calibration(Record):
    """What turns logits into probabilities: logits are divided by ``temperature``."""

    temperature: Factor = 1.0
    conformal_quantiles: Annotated[tuple[Number, ...], Meta(max_length=256)] = ()


class Preprocessing(Record):
    """How an image must reach the model: ``size`` is (rows, columns), mean and std per channel."""

    size: tuple[Side, Side]
    interpolation: Word
    resize: Word
    mean: tuple[Number, Number, Number]
    std: tuple[Spread, Spread, Spread]
    dicom_window: Line = "the window of the header, else the full range"
    crop: Line = "none"
    laterality: Line = "as stored"


class Training(Record):
    """How the singular values were trained; no image, patient or file is named.

    ``recipe`` holds the settings by name, as they were called when the file was made.
    """

    recipe: Annotated[dict[Name, RecipeValue], Meta(max_length=64)]
    learning_rate: Annotated[float, Meta(ge=0, le=1000)]
    seed: Seed
    shots: Count | None
    images_per_class: Annotated[tuple[Count, ...], Meta(max_length=MOST_CLASSES)]
    patients: Count
    split_sha256: Sha256OrNone
    device: Word
    seconds: Annotated[float, Meta(ge=0, le=1e8)]


class AccuracyInterval(Interval):
    """A 95 % interval of an accuracy."""

    low: Fraction
    high: Fraction


class EvaluatedMethod(Record):
    """Balanced accuracy of one method on the evaluated patients, as a fraction."""

    method: Word
    balanced_accuracy: Fraction
    interval: AccuracyInterval


class EvaluationNote(Record):
    """What evaluation on unseen patients showed; ``kind`` none says that there was none."""

    kind: Literal["held_out", "cross_validated", "none"]
    images: Count = 0
    patients: Count = 0
    methods: Annotated[tuple[EvaluatedMethod, ...], Meta(max_length=16)] = ()
    verdict: Verdict = "not_shown"
    sentence: Line = ""


class Canary(Record):
    """A synthetic input, named by its seed, and the logits that it must give."""

    seed: Seed
    logits: Annotated[tuple[Number, ...], Meta(max_length=MOST_CLASSES)]


class Canaries(Record):
    """Synthetic inputs by the documented generator; logits agree within ``tolerance`` each."""

    items: Annotated[tuple[Canary, ...], Meta(max_length=16)] = ()
    tolerance: Annotated[float, Meta(gt=0, le=0.1)] = 0.02
    generator: Literal["splitmix64-blocks-1"] = "splitmix64-blocks-1"


class Probes(Record):
    """Probes agree within ``tolerance`` times the Euclidean norm of the matrix's sigma."""

    tolerance: Annotated[float, Meta(gt=0, le=0.001)] = 1e-5
    generator: Literal["splitmix64-signs-1"] = "splitmix64-signs-1"


class Card(Record):
    """What a person must know before using the adapter."""

    intended_use: Line = "Research and teaching on images like those it was trained on."
    limits: Line = "Unproven on other scanners, sites, populations and findings."
    licence: Line = "Not stated"
    contact: Line = ""
    notice: Literal["Not for diagnostic use."] = NOT_FOR_DIAGNOSIS


class AdapterDocument(Record, tag_field="format", tag=FORMAT):
    """All metadata of one adapter; ``created`` is a day (YYYY-MM-DD), never a time."""

    created: Day
    app_version: Word
    libraries: Libraries
    base: Base
    basis: BasisNote
    classes: Classes
    logit_scale: Annotated[Factor, Meta(description="Cosines are multiplied by this.")]
    preprocessing: Preprocessing
    training: Training
    evaluation: EvaluationNote
    canaries: Canaries = Canaries()
    probes: Probes = Probes()
    calibration: Calibration = Calibration()
    card: Card = Card()


class HeadNote(Record):
    """What is known of the class head: the method on frozen features that training started it from."""

    start: Word


class HeadedDocument(AdapterDocument, tag_field="format", tag=FORMAT_WITH_HEAD, kw_only=True):
    """All metadata of one adapter with a class head."""

    head: HeadNote


class ClassifierDocument(Record, tag_field="format", tag=FORMAT):
    """All metadata of one classifier; ``created`` is a day (YYYY-MM-DD), never a time."""

    created: Day
    app_version: Word
    libraries: Libraries
    base: Base
    method: LayerMethod
    classes: Classes
    preprocessing: Preprocessing
    training: Training
    evaluation: EvaluationNote
    canaries: Canaries = Canaries()
    card: Card = Card()
