"""What the Explain page is told to show."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

from clipsvd_app.domain.results import CaseExplanation, RunExplanation
from clipsvd_app.ui.inspect_page.state import RunChoice


@dataclass(frozen=True, slots=True)
class ExplainState:
    """One run's explanation; ``run`` None when there is no run yet."""

    runs: tuple[RunChoice, ...] = ()
    run: int | None = None
    explanation: RunExplanation | None = None


@dataclass(frozen=True, slots=True)
class CaseView:
    """One explained case; ``model_view`` is the part of the image the model saw, as fractions of it."""

    caption: str
    image: QImage
    explanation: CaseExplanation
    label: int | None
    model_view: QRectF | None = None
