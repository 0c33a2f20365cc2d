"""Where the newest run looked, laid over the image in the viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRectF

from clipsvd_app.domain.view import Crop
from clipsvd_app.services.runs.run_views import views_of_run
from clipsvd_app.ui.kit.plots.saliency import letterboxed_view, upsampled
from clipsvd_app.ui.session.notices import Notice

if TYPE_CHECKING:
    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.domain.results.explanation import CaseExplanation
    from clipsvd_app.ui.run.case_explanations import CaseExplainer
    from clipsvd_app.ui.session.session import Session
    from clipsvd_app.ui.viewer.viewer import ImageViewer

MAP_PX = 256
NOT_SHOWN = (
    "No heat map for this image: masking the highlighted areas lowered the score no faster"
    " than masking random ones."
)
NOT_SHOWN_REMEDY = "Open Explain > This case to see this test and the other maps."


class HeatController(QObject):
    """Asks the engine for the shown image when the user wants its map; a late answer is dropped."""

    def __init__(self, session: Session, viewer: ImageViewer, explainer: CaseExplainer) -> None:
        super().__init__(viewer)
        self._session, self._viewer, self._explainer = session, viewer, explainer
        self._run: int | None = None
        viewer.heat_requested.connect(self._on_requested)
        explainer.explained.connect(self._on_explained)

    def _on_requested(self, wanted: bool) -> None:
        project, frame = self._session.project, self._viewer.frame
        if not wanted or frame is None or project is None or frame.derived:
            self._viewer.set_overlay(None)
            return
        if self._session.reader:
            self._viewer.heat_shown = False
            words = "The heat map is hidden during a second reading."
            self._session.tell(Notice("info", words, "Finish the second reading, then press K."))
            return
        runs = project.runs()
        if not runs:
            self._viewer.heat_shown = False
            self._session.tell(Notice("info", "No model has been trained.", "Train a model, then press K."))
            return
        self._run = runs[-1].number
        self._explainer.explain(self._run, frame.image_id)

    def _on_explained(self, run: int, explanation: CaseExplanation) -> None:
        frame = self._viewer.frame
        image = next((image for image in self._session.images() if image.id == explanation.image_id), None)
        if not self._viewer.heat_shown or frame is None or image is None or run != self._run:
            return
        if frame.image_id == explanation.image_id and not frame.derived:
            if not explanation.saliency_trusted:
                self._viewer.heat_shown = False
                self._session.tell(Notice("info", NOT_SHOWN, NOT_SHOWN_REMEDY, key="heat"))
                return
            heat = upsampled(explanation.saliency, MAP_PX, MAP_PX)
            assert self._session.project is not None
            seen = views_of_run(self._session.project, run).seen(image)
            self._viewer.set_overlay(heat, seen_square(seen))


def seen_square(image: ProjectImage) -> QRectF:
    """Return the square that the model saw, as fractions of the whole frame."""
    crop = image.crop or Crop(0.0, 0.0, 1.0, 1.0)
    columns, rows = max(1, round(image.columns * crop.width)), max(1, round(image.rows * crop.height))
    square = letterboxed_view(columns, rows)
    return QRectF(
        crop.x + square.x() * crop.width,
        crop.y + square.y() * crop.height,
        square.width() * crop.width,
        square.height() * crop.height,
    )
