"""What the Inspect page is told to show."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

from clipsvd_app.domain.results.comparison import ChangedFact, Flip
from clipsvd_app.domain.results.evaluation import Evaluation, MethodScore
from clipsvd_app.domain.results.explanation import CaseExplanation
from clipsvd_app.domain.results.run import Prediction
from clipsvd_app.figures.case_map import MapDot
from clipsvd_app.jobs.requests import Projection


@dataclass(frozen=True, slots=True)
class CaseNote:
    """What is said of a case beside its prediction: a caption without identity, and flags."""

    image_id: int
    caption: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InspectState:
    """One run with its predictions; ``run`` None when there is none yet, ``start`` says where it started."""

    runs: tuple[int, ...] = ()
    run: int | None = None
    class_names: tuple[str, ...] = ()
    evaluation: Evaluation | None = None
    predictions: tuple[Prediction, ...] = ()
    notes: tuple[CaseNote, ...] = ()
    remarks: tuple[str, ...] = ()
    start: str = ""


@dataclass(frozen=True, slots=True)
class NearCase:
    """A training case that is like the open one."""

    image_id: int
    label: int | None
    caption: str


@dataclass(frozen=True, slots=True)
class CaseSheetState:
    """One opened case.

    ``model_view`` is what the model saw, as fractions of the image; None stands for the image padded
    to a square. ``explaining`` is true while an explanation is being made. ``label`` is the label now,
    which may differ from the one that the run was trained with. ``set_text`` names the classes of the
    conformal set, empty where none was calibrated.
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
    set_text: str = ""
    nearest: tuple[NearCase, ...] = ()


@dataclass(frozen=True, slots=True)
class MapState:
    """The cases in the plane; ``progress`` (stage, done, total) while another plane is computed.

    ``projection`` is what is drawn; without dots there is nothing to draw yet.
    """

    dots: tuple[MapDot, ...] = ()
    projection: Projection = "pca"
    sentence: str = ""
    progress: tuple[str, int, int] | None = None


@dataclass(frozen=True, slots=True)
class ComparisonState:
    """Two runs side by side; ``flips`` None when they know different classes."""

    before: int
    now: int
    class_names: tuple[str, ...]
    facts: tuple[ChangedFact, ...]
    labels: str
    rows: tuple[tuple[str, MethodScore], ...]
    flips: tuple[Flip, ...] | None
    shared: int
    caution: str = ""
