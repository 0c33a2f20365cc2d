"""What the Explain page is told to show."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

from clipsvd_app.corpus import PackReport
from clipsvd_app.domain.results.explanation import CaseExplanation, RunExplanation
from clipsvd_app.domain.results.run import Prediction

Progress = tuple[str, int, int]
"""Stage, what is done, of how much; a total of 0 is not known."""


@dataclass(frozen=True, slots=True)
class ExplainState:
    """One run's explanation; ``run`` None when there is no run yet.

    ``titles`` name the cases that can be chosen, by image id; ``progress`` while the run is explained again.
    """

    runs: tuple[int, ...] = ()
    run: int | None = None
    explanation: RunExplanation | None = None
    class_names: tuple[str, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    titles: tuple[tuple[int, str], ...] = ()
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case: explained, or with its ``progress`` while it is being explained.

    ``model_view`` is what the model saw, as fractions of the image; None stands for the image padded
    to a square. Without explanation and without progress the attempt ended without an answer.
    """

    image_id: int
    caption: str
    image: QImage
    explanation: CaseExplanation | None
    label: int | None
    model_view: QRectF | None = None
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class PacksState:
    """The user's own packs of phrases; ``refused`` is the check of one that was not taken."""

    packs: tuple[PackReport, ...] = ()
    refused: PackReport | None = None
    added: str = ""
