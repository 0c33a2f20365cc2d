"""What the Inspect page is told to show."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

from clipsvd_app.domain.evaluation import Evaluation
from clipsvd_app.domain.explanation import CaseExplanation
from clipsvd_app.domain.results import Prediction


@dataclass(frozen=True, slots=True)
class RunChoice:
    """A run as the selector names it."""

    number: int
    title: str


@dataclass(frozen=True, slots=True)
class CaseNote:
    """What is said of a case beside its prediction: a caption without identity, and flags."""

    image_id: int
    caption: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InspectState:
    """One run with its predictions; ``run`` None when there is none yet."""

    runs: tuple[RunChoice, ...] = ()
    run: int | None = None
    class_names: tuple[str, ...] = ()
    evaluation: Evaluation | None = None
    predictions: tuple[Prediction, ...] = ()
    notes: tuple[CaseNote, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseSheetState:
    """One opened case.

    ``model_view`` is what the model saw, as fractions of the image; None stands for the image padded
    to a square. ``explaining`` is true while an explanation is being made. ``label`` is the label now,
    which may differ from the one that the run was trained with.
    """

    image: QImage
    prediction: Prediction
    class_names: tuple[str, ...]
    label: int | None
    caption: str = ""
    flags: tuple[str, ...] = ()
    explanation: CaseExplanation | None = None
    explaining: bool = False
    model_view: QRectF | None = None
