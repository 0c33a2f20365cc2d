"""What a sigma adapter says about itself: the JSON document in its header, as frozen dataclasses.

Nothing here can hold a patient name, an identifier, a path, a host or a user name; ``contact`` is
what the author typed. Fields added later carry defaults, so that older files stay readable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.results.evaluation import EvaluationKind, Interval, Verdict
from clipsvd_app.domain.words.notice import NOT_FOR_DIAGNOSIS

FORMAT = 1
LayerMethod = Literal["zero_shot", "text_probe", "linear_probe", "gda"]
"""What comes down to one layer on frozen features."""
RecipeValue = bool | int | float | str | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Base:
    """The model that the adapter belongs to; ``sha256`` is the canonical hash of its tensors."""

    name: str
    source: str
    sha256: str
    parameters: int
    architecture: str
    file_sha256: str = ""


@dataclass(frozen=True, slots=True)
class BasisNote:
    """How the base was decomposed; ``fingerprint`` tells two bases of one model apart."""

    algorithm: str
    dtype: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Code:
    """A concept code of a class, for example scheme SCT or RADLEX."""

    scheme: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class AdapterClass:
    """One class in the order of the logits."""

    name: str
    prompts: tuple[str, ...]
    codes: tuple[Code, ...] = ()

    def spec(self) -> ClassSpec:
        """Return the class as the engine takes it."""
        return ClassSpec(self.name, self.prompts)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns logits into probabilities: logits are divided by ``temperature``."""

    temperature: float = 1.0
    conformal_quantiles: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an image must reach the model: ``size`` is (rows, columns), mean and std per channel."""

    size: tuple[int, int]
    interpolation: str
    resize: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    dicom_window: str = "the window of the header, else the full range"
    crop: str = "none"
    laterality: str = "as stored"


@dataclass(frozen=True, slots=True)
class Training:
    """How the singular values were trained; no image, patient or file is named.

    ``recipe`` holds the settings by name, as they were called when the file was made.
    """

    recipe: dict[str, RecipeValue]
    learning_rate: float
    seed: int
    shots: int | None
    images_per_class: tuple[int, ...]
    patients: int
    split_sha256: str
    device: str
    seconds: float


@dataclass(frozen=True, slots=True)
class EvaluatedMethod:
    """Balanced accuracy of one method on the evaluated patients, as a fraction."""

    method: str
    balanced_accuracy: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class EvaluationNote:
    """What evaluation on unseen patients showed; ``kind`` none says that there was none."""

    kind: EvaluationKind
    images: int = 0
    patients: int = 0
    methods: tuple[EvaluatedMethod, ...] = ()
    verdict: Verdict = "not_shown"
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Canary:
    """A synthetic input, named by its seed, and the logits that it must give."""

    seed: int
    logits: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Canaries:
    """Synthetic inputs by the documented generator; logits agree within ``tolerance`` each."""

    items: tuple[Canary, ...] = ()
    tolerance: float = 0.02
    generator: Literal["splitmix64-blocks-1"] = "splitmix64-blocks-1"


@dataclass(frozen=True, slots=True)
class Probes:
    """Probes agree within ``tolerance`` times the Euclidean norm of the matrix's sigma."""

    tolerance: float = 1e-5
    generator: Literal["splitmix64-signs-1"] = "splitmix64-signs-1"


@dataclass(frozen=True, slots=True)
class Card:
    """What a person must know before using the adapter."""

    intended_use: str = "Research and teaching on images like those it was trained on."
    limits: str = "Unproven on other scanners, sites, populations and findings."
    licence: str = "Not stated"
    contact: str = ""
    notice: Literal["Not for diagnostic use."] = NOT_FOR_DIAGNOSIS


@dataclass(frozen=True, slots=True)
class AdapterDocument:
    """All metadata of one adapter; ``created`` is a day (YYYY-MM-DD), never a time."""

    created: str
    app_version: str
    libraries: dict[str, str]
    base: Base
    basis: BasisNote
    classes: tuple[AdapterClass, ...]
    logit_scale: float
    preprocessing: Preprocessing
    training: Training
    evaluation: EvaluationNote
    canaries: Canaries = Canaries()
    probes: Probes = Probes()
    calibration: Calibration = Calibration()
    card: Card = Card()
    format: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class ClassifierDocument:
    """All metadata of one classifier; ``created`` is a day (YYYY-MM-DD), never a time."""

    created: str
    app_version: str
    libraries: dict[str, str]
    base: Base
    method: LayerMethod
    classes: tuple[AdapterClass, ...]
    preprocessing: Preprocessing
    training: Training
    evaluation: EvaluationNote
    canaries: Canaries = Canaries()
    card: Card = Card()
    format: Literal[1] = 1
