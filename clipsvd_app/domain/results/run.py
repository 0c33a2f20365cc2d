"""What a finished run leaves behind: its predictions, its evaluation, its explanation.

Every probability is a fraction from 0 to 1.
"""

from __future__ import annotations

from typing import Literal

from clipsvd_app.domain.recipe import StartName
from clipsvd_app.domain.records import Record
from clipsvd_app.domain.results.evaluation import Evaluation
from clipsvd_app.domain.results.explanation import RunExplanation

Role = Literal["train", "test", "out_of_fold", "pool"]
Doubt = Literal["far_from_training", "other_modality", "set_not_single", "nearly_as_likely"]
"""Why a prediction is not to be trusted as it stands."""


class Prediction(Record):
    """Class probabilities of one image, in class order.

    ``role`` says what the image was to the model that predicted it: only ``test`` and
    ``out_of_fold`` say anything about unseen patients. ``nearest`` are the training images most like it,
    ``conformal`` the classes of its set (None: no set could be calibrated), ``place`` its point of the map
    of frozen features (first two principal components), ``suspicion`` how much the evidence of other
    patients speaks against its label (0 to 1, None without label or honest estimate).
    """

    image_id: int
    role: Role
    label: int | None
    adapted: tuple[float, ...]
    zero_shot: tuple[float, ...]
    calibrated: tuple[float, ...] | None = None
    conformal: tuple[int, ...] | None = None
    doubts: tuple[Doubt, ...] = ()
    nearest: tuple[int, ...] = ()
    place: tuple[float, float] | None = None
    suspicion: float | None = None


class StepMetrics(Record):
    """One point of the live curves; a step that was not finite has neither loss nor accuracy."""

    step: int
    loss: float | None
    accuracy: float | None
    learning_rate: float


NoteCode = Literal[
    "few_images",
    "few_patients",
    "smaller_parts",
    "recomputed",
    "lower_recomputed",
    "lower_on_disk",
    "not_finite",
    "unread",
    "replaced",
    "fixed_test_set",
    "blank",
    "resumed",
    "no_checkpoints",
    "on_cpu",
    "stated",
]


class RunNote(Record):
    """Something to know of how a run was made; ``detail`` is the sentence of a ``stated`` one."""

    code: NoteCode
    count: int = 0
    of: int = 0
    detail: str = ""


class RunResult(Record):
    """All that a finished run leaves beside its adapter."""

    class_names: tuple[str, ...]
    backbone_name: str
    backbone_sha256: str
    trainable_parameters: int
    matrices: int
    train_images: int
    train_patients: int
    shots: int | None
    seed: int
    learning_rate: float
    device: str
    seconds: float
    evaluation: Evaluation
    predictions: tuple[Prediction, ...]
    explanation: RunExplanation
    curve: tuple[StepMetrics, ...]
    notes: tuple[RunNote, ...] = ()
    head_parameters: int = 0
    """Those of ``trainable_parameters`` that are a class head's, not singular values."""
    plain: bool = False
    """Whether it is plain CLIP-SVD, as in the paper."""
    start: StartName = "text"
    probe: str = ""
    """The method on frozen features at whose answers training started."""
    share: float = 1.0
    """How much of the trained change of the singular values was kept."""
    choice_folds: int = 0
    """Folds of the training patients on which that was chosen; 0 where it was not chosen."""
