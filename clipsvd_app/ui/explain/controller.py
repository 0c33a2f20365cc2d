"""The Explain page: what a run changed, and the case that was asked for last."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.ui.explain.state import CaseView, ExplainState

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.domain.results.explanation import CaseExplanation
    from clipsvd_app.ui.explain.page import ExplainPage
    from clipsvd_app.ui.run.case_explanations import CaseExplainer
    from clipsvd_app.ui.session.image_cache import Pictures
    from clipsvd_app.ui.session.session import Session

DROPPED = "A dropped file"


class ExplainController(QObject):
    """Shows a run, and within it one case at a time; a late answer for another case is dropped."""

    def __init__(
        self, session: Session, page: ExplainPage, pictures: Pictures, explainer: CaseExplainer
    ) -> None:
        super().__init__(page)
        self._session, self._page = session, page
        self._pictures, self._explainer = pictures, explainer
        self._case: int | None = None
        self._picture: QImage | None = None
        self._images: dict[int, ProjectImage] = {}
        self._shown = session.run.follow(page, self.refresh)
        self._connect()

    def refresh(self) -> None:
        """Show what the displayed run changed."""
        run = self._session.run
        result, self._case, self._picture = run.result, None, None
        if result is None:
            self._page.set_state(ExplainState())
            return
        self._images = {image.id: image for image in self._session.images()}
        titles = tuple((image.id, image.title) for image in self._images.values())
        self._page.set_state(
            ExplainState(
                run.numbers,
                run.number,
                result.explanation,
                result.class_names,
                result.predictions,
                titles,
            )
        )

    def open_case(self, image_id: int) -> None:
        """Show a case and explain it."""
        self._shown.catch_up()
        run = self._session.run.number
        image = None if run is None else self._explainer.image(run, image_id)
        if run is None or image is None:
            return
        self._case, self._picture = image_id, None
        self._page.show_tab("case")
        self._pictures.want_picture(image, self._keep_picture)
        self._explainer.explain(run, image_id)

    def take_file(self, path: str) -> None:
        """Explain a dropped file: the project's own image, or one that is in no project."""
        self.open_case(self._explainer.take_file(Path(path)))

    def _connect(self) -> None:
        page, session, explainer = self._page, self._session, self._explainer
        page.run_chosen.connect(session.run.show)
        page.case_opened.connect(self.open_case)
        page.file_dropped.connect(self.take_file)
        page.thumbnails_wanted.connect(self._want_thumbnails)
        page.case.occlusion_wanted.connect(self._make_occlusion)
        page.case.cancel_requested.connect(self._cancel)
        page.failed.connect(lambda error: session.report(error, "picture"))
        page.empty_action.connect(session.action_requested)
        self._pictures.thumbnail_ready.connect(page.set_thumbnail)
        explainer.explained.connect(self._on_explained)
        explainer.pending_changed.connect(self._on_pending)
        explainer.advanced.connect(self._on_pending)
        session.image_requested.connect(self.open_case)
        session.project_opened.connect(self._on_opened)

    def _on_explained(self, run: int, explanation: CaseExplanation) -> None:
        """Follow what is opened on Inspect, unless a case was chosen here."""
        self._shown.catch_up()
        if run != self._session.run.number:
            return
        if self._case is None:
            self._case = explanation.image_id
            image = self._explainer.image(run, explanation.image_id)
            if image is not None:
                self._pictures.want_picture(image, self._keep_picture)
        elif explanation.image_id == self._case:
            self._show_case()

    def _keep_picture(self, image_id: int, picture: QImage) -> None:
        if image_id == self._case:
            self._picture = picture
            self._show_case()

    def _on_pending(self, image_id: int) -> None:
        run = self._session.run.number
        if image_id != self._case or run is None:
            return
        if self._explainer.known(run, image_id) is not None and self._page.case.image_id == image_id:
            self._page.case.map.set_progress(self._explainer.progress(run, image_id))
        else:
            self._show_case()

    def _show_case(self) -> None:
        run = self._session.run.number
        if self._case is None or run is None or self._picture is None:
            return
        found = self._explainer.known(run, self._case)
        image = self._images.get(self._case)
        view = CaseView(
            image_id=self._case,
            caption=image.title if image is not None else DROPPED,
            image=self._picture,
            explanation=found,
            label=None if found is None or image is None else self._session.run.position_of(image.class_id),
            progress=self._explainer.progress(run, self._case),
        )
        self._page.set_case(view)

    def _make_occlusion(self, image_id: int) -> None:
        if self._session.run.number is not None:
            self._explainer.explain(self._session.run.number, image_id, occlusion=True)

    def _cancel(self, image_id: int) -> None:
        if self._session.run.number is not None:
            self._explainer.cancel(self._session.run.number, image_id)

    def _want_thumbnails(self, image_ids: tuple[int, ...]) -> None:
        self._pictures.want_thumbnails([self._images[i] for i in image_ids if i in self._images])

    def _on_opened(self) -> None:
        self._case = self._picture = None
        self._page.set_state(ExplainState())
        self._page.show_tab("change")
