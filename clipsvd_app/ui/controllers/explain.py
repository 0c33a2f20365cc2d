"""The Explain page: what a run changed, and the case that was asked for last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.services.run_views import views_of_run
from clipsvd_app.ui.explain_page.state import CaseView, ExplainState
from clipsvd_app.ui.inspect_page.state import RunChoice

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from clipsvd_app.domain.explanation import CaseExplanation
    from clipsvd_app.ui.controllers.cases import CaseExplainer
    from clipsvd_app.ui.explain_page.page import ExplainPage
    from clipsvd_app.ui.pictures import Pictures
    from clipsvd_app.ui.session import Session


class ExplainController(QObject):
    """Shows a run, and within it the newest explained case."""

    def __init__(
        self, session: Session, page: ExplainPage, pictures: Pictures, explainer: CaseExplainer
    ) -> None:
        super().__init__(page)
        self._session, self._page = session, page
        self._pictures, self._explainer = pictures, explainer
        self._run: int | None = None
        page.run_chosen.connect(self.show_run)
        page.trouble.connect(session.tell)
        page.empty_action.connect(session.page_requested)
        explainer.explained.connect(self._show_case)
        session.image_requested.connect(self._ask)
        session.project_opened.connect(self._on_opened)
        session.runs_changed.connect(self._show_newest)

    def show_run(self, number: int) -> None:
        """Show what a run changed."""
        project = self._session.project
        if project is None:
            return
        self._run = number
        runs = tuple(RunChoice(run.number, f"Run {run.number}") for run in reversed(project.runs()))
        self._page.set_state(ExplainState(runs, number, project.run_result(number).explanation))

    def _ask(self, image_id: int) -> None:
        if self._run is not None:
            self._explainer.explain(self._run, image_id)

    def _show_case(self, run: int, explanation: CaseExplanation) -> None:
        project = self._session.project
        if project is None:
            return
        if run != self._run:
            self.show_run(run)
        found = project.images([explanation.image_id])
        if not found:
            return
        image = views_of_run(project, run).seen(found[0])
        names = {known.id: known.name for known in self._session.classes()}
        name = names.get(image.class_id) if image.class_id is not None else None
        label = explanation.class_names.index(name) if name in explanation.class_names else None

        def show(_image_id: int, picture: QImage) -> None:
            self._page.set_case(CaseView(image.title, picture, explanation, label))

        self._pictures.want_picture(image, show)

    def _on_opened(self) -> None:
        self._run = None
        self._page.set_state(ExplainState())
        self._page.set_case(None)
        self._show_newest()

    def _show_newest(self) -> None:
        project = self._session.project
        if project is not None and (runs := project.runs()):
            self.show_run(runs[-1].number)
