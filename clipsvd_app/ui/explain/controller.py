"""The Explain page: what a run changed, and the case that was asked for last."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.ui.explain.state import CaseView, ExplainState
from clipsvd_app.ui.run.state import RunChoice
from clipsvd_app.ui.session.when_shown import WhenShown

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from clipsvd_app.domain.results.explanation import CaseExplanation
    from clipsvd_app.domain.study import ProjectImage
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
        self._run: int | None = None
        self._case: int | None = None
        self._picture: QImage | None = None
        self._images: dict[int, ProjectImage] = {}
        self._newest = WhenShown(page, self._show_newest)
        self._connect()

    @property
    def run(self) -> int | None:
        """The number of the run on show."""
        return self._run

    def show_run(self, number: int) -> None:
        """Show what a run changed."""
        project = self._session.project
        if project is None:
            return
        self._run, self._case, self._picture = number, None, None
        self._images = {image.id: image for image in self._session.images()}
        result = project.run_result(number)
        runs = tuple(RunChoice(run.number, f"Run {run.number}") for run in reversed(project.runs()))
        titles = tuple((image.id, image.title) for image in self._images.values())
        self._page.set_state(
            ExplainState(runs, number, result.explanation, result.class_names, result.predictions, titles)
        )

    def open_case(self, image_id: int) -> None:
        """Show a case and explain it."""
        self._newest.catch_up()
        image = None if self._run is None else self._explainer.image(self._run, image_id)
        if self._run is None or image is None:
            return
        self._case, self._picture = image_id, None
        self._page.show_tab("case")
        self._pictures.want_picture(image, self._keep_picture)
        self._explainer.explain(self._run, image_id)

    def take_file(self, path: str) -> None:
        """Explain a dropped file: the project's own image, or one that is in no project."""
        self.open_case(self._explainer.take_file(Path(path)))

    def _connect(self) -> None:
        page, session, explainer = self._page, self._session, self._explainer
        page.run_chosen.connect(self.show_run)
        page.case_opened.connect(self.open_case)
        page.file_dropped.connect(self.take_file)
        page.thumbnails_wanted.connect(self._want_thumbnails)
        page.occlusion_wanted.connect(self._make_occlusion)
        page.case_cancelled.connect(self._cancel)
        page.trouble.connect(lambda error: session.report(error, "picture"))
        page.empty_action.connect(session.page_requested)
        self._pictures.thumbnail_ready.connect(page.set_thumbnail)
        explainer.explained.connect(self._on_explained)
        explainer.pending_changed.connect(self._on_pending)
        explainer.advanced.connect(self._on_pending)
        session.image_requested.connect(self.open_case)
        session.project_opened.connect(self._on_opened)
        session.runs_changed.connect(self._newest.ask)

    def _on_explained(self, run: int, explanation: CaseExplanation) -> None:
        """Follow what is opened on Inspect, unless a case was chosen here for this run."""
        self._newest.catch_up()
        if self._case is None or run != self._run:
            if run != self._run:
                self.show_run(run)
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
        if image_id != self._case or self._run is None:
            return
        if self._explainer.known(self._run, image_id) is not None and self._page.case.image_id == image_id:
            self._page.set_case_progress(self._explainer.progress(self._run, image_id))
        else:
            self._show_case()

    def _show_case(self) -> None:
        if self._case is None or self._run is None or self._picture is None:
            return
        found = self._explainer.known(self._run, self._case)
        image = self._images.get(self._case)
        view = CaseView(
            image_id=self._case,
            caption=image.title if image is not None else DROPPED,
            image=self._picture,
            explanation=found,
            label=None if found is None or image is None else self._label(image, found.class_names),
            progress=self._explainer.progress(self._run, self._case),
        )
        self._page.set_case(view)

    def _label(self, image: ProjectImage, class_names: tuple[str, ...]) -> int | None:
        names = {known.id: known.name for known in self._session.classes()}
        name = names.get(image.class_id) if image.class_id is not None else None
        return class_names.index(name) if name in class_names else None

    def _make_occlusion(self, image_id: int) -> None:
        if self._run is not None:
            self._explainer.explain(self._run, image_id, occlusion=True)

    def _cancel(self, image_id: int) -> None:
        if self._run is not None:
            self._explainer.cancel(self._run, image_id)

    def _want_thumbnails(self, image_ids: tuple[int, ...]) -> None:
        self._pictures.want_thumbnails([self._images[i] for i in image_ids if i in self._images])

    def _on_opened(self) -> None:
        self._run = self._case = self._picture = None
        self._page.set_state(ExplainState())
        self._page.show_tab("change")
        self._newest.ask()

    def _show_newest(self) -> None:
        project = self._session.project
        if project is not None and (runs := project.runs()):
            self.show_run(runs[-1].number)
