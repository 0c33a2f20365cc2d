"""What the engine answers: the results of jobs."""

from __future__ import annotations

from msgspec import field

from clipsvd_app.domain.records import Record
from clipsvd_app.jobs.requests import ExportForm, Projection


class PoolItem(Record):
    """What the preview says of one image: probabilities, entropy-based doubt, likeness to the query.

    Without two classes there are no probabilities and no doubt.
    """

    image_id: int
    probabilities: tuple[float, ...]
    uncertainty: float
    text_similarity: float | None
    nearest: tuple[int, ...]


class Obstacle(Record):
    """What keeps the classes from being trained, and what to do about it."""

    message: str
    remedy: str


class PreviewResult(Record):
    """The pool in the light of the labels; ``accuracy`` is leave-one-patient-out, None if too few.

    ``obstacles`` say which prompts the model cannot read or distinguish: then there are no probabilities.
    ``warnings`` say what it misses of the others.
    """

    items: tuple[PoolItem, ...]
    accuracy: float | None
    suggested: tuple[int, ...]
    sentence: str
    obstacles: tuple[Obstacle, ...] = ()
    warnings: tuple[str, ...] = ()


class MapPlace(Record):
    """Where an image lies; the axes have no unit."""

    image_id: int
    x: float
    y: float


class MapResult(Record):
    """The images that could be read, in the plane; ``sentence`` says what their distances are worth."""

    projection: Projection
    places: tuple[MapPlace, ...]
    sentence: str


class PredictedImage(Record):
    """Adapted and base-model probabilities of one image, in class order.

    ``unlike`` names the kind of image (`corpus.MODALITIES`) that one unlike the training images is nearest
    to; None where it is like them or the adapter does not say what they are like.
    """

    image_id: int
    adapted: tuple[float, ...]
    zero_shot: tuple[float, ...]
    unlike: str | None = None


class PredictResult(Record):
    """Answers in the order of the request; unreadable images are listed with one sentence.

    ``warnings`` say what the model misses of the adapter's prompts. ``learnt_kind`` is the kind of image that
    the adapter learnt from, "" where it does not say.
    """

    class_names: tuple[str, ...]
    images: tuple[PredictedImage, ...]
    refused: tuple[tuple[int, str], ...]
    warnings: tuple[str, ...] = ()
    learnt_kind: str = ""


class Check(Record):
    """One thing that verification looked at; a ``deviation`` passes up to ``allowed``."""

    name: str
    passed: bool
    detail: str
    deviation: float | None = None
    allowed: float | None = None


class VerifyResult(Record):
    """All checks of an adapter against its backbone."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """True when every check held."""
        return all(check.passed for check in self.checks)


class ConvertResult(Record):
    """What was written, file by file in bytes, and how far its logits are from the adapter's own.

    ``logit_difference`` is the largest over ``images`` synthetic images and all classes; ``usage`` is a
    sentence on how to load it; ``ranks`` are those of a LoRA by module.
    """

    form: ExportForm
    path: str
    files: tuple[tuple[str, int], ...]
    logit_difference: float
    images: int
    parameters: int
    usage: str
    energy: float | None = None
    ranks: dict[str, int] = field(default_factory=dict)


class AddBackboneResult(Record):
    """A backbone folder that passed every check.

    ``sha256`` is the canonical hash of its tensors, ``source_sha256`` that of the file they came in;
    ``matrices`` are adapted, with ``singular_values`` to train in all.
    """

    name: str
    folder: str
    sha256: str
    source_sha256: str
    architecture: str
    parameters: int
    matrices: int = 0
    singular_values: int = 0
    notes: tuple[str, ...] = ()
