"""What the Explain page is told to show."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

from clipsvd_app.domain.explanation import CaseExplanation, RunExplanation
from clipsvd_app.ui.inspect_page.state import RunChoice


@dataclass(frozen=True, slots=True)
class ExplainState:
    """One run's explanation; ``run`` None when there is no run yet."""

    runs: tuple[RunChoice, ...] = ()
    run: int | None = None
    explanation: RunExplanation | None = None


@dataclass(frozen=True, slots=True)
class CaseView:
    """One explained case.

    ``model_view`` is what the model saw, as fractions of the image; None stands for the image padded
    to a square.
    """

    caption: str
    image: QImage
    explanation: CaseExplanation
    label: int | None
    model_view: QRectF | None = None
