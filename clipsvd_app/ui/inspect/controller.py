"""The Inspect page: one run's evidence and its cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.domain.results.cases import doubts
from clipsvd_app.domain.words.case import DOUBT_SENTENCES, set_sentence
from clipsvd_app.domain.words.notes import note_text
from clipsvd_app.domain.words.trained import start_sentence
from clipsvd_app.errors import UserError
from clipsvd_app.services.labels.kept_labels import keep_label, kept_labels
from clipsvd_app.services.labels.labels import set_labels
from clipsvd_app.services.runs.run_views import RunViews, views_of_run
from clipsvd_app.ui.run.state import CaseNote, CaseSheetState, InspectState, NearCase
from clipsvd_app.ui.session.when_shown import WhenShown

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.domain.results.explanation import CaseExplanation
    from clipsvd_app.domain.results.run import Prediction, RunResult
    from clipsvd_app.ui.inspect.page import InspectPage
    from clipsvd_app.ui.run.case_explanations import CaseExplainer
    from clipsvd_app.ui.session.image_cache import Pictures
    from clipsvd_app.ui.session.session import Session

NEAREST_SHOWN = 4


class InspectController(QObject):
    """Keeps the page on the displayed run and, within it, on a case."""

    def __init__(
        self, session: Session, page: InspectPage, pictures: Pictures, explainer: CaseExplainer
    ) -> None:
        super().__init__(page)
        self._session, self._page = session, page
        self._pictures, self._explainer = pictures, explainer
        self._result: RunResult | None = None
        self._images: dict[int, ProjectImage] = {}
        self._views = RunViews(frozenset(), None)
        self._case: int | None = None
        session.run.follow(page, self._show)
        self._changes = WhenShown(page, self._on_changed)
        page.run_chosen.connect(session.run.show)
        page.case_opened.connect(self.open_case)
        page.case_sheet.explain_requested.connect(self._explain)
        page.relabel_requested.connect(self._relabel)
        page.failures.cases.mistakes.keep_requested.connect(self._keep)
        page.thumbnails_wanted.connect(self._want_thumbnails)
        page.failed.connect(lambda error: session.report(error, "picture"))
        page.empty_action.connect(session.action_requested)
        pictures.thumbnail_ready.connect(page.set_thumbnail)
        explainer.explained.connect(self._on_explained)
        explainer.pending_changed.connect(self._on_pending)
        session.project_opened.connect(self._on_opened)
        session.project_changed.connect(self._changes.ask)

    def _show(self) -> None:
        project, number = self._session.project, self._session.run.number
        self._case, self._result = None, self._session.run.result
        if project is None or number is None or self._result is None:
            self._page.set_state(InspectState())
            return
        self._images = {image.id: image for image in self._session.images()}
        self._views = views_of_run(project, number)
        known = tuple(p for p in self._result.predictions if p.image_id in self._images)
        self._page.set_state(
            InspectState(
                runs=self._session.run.numbers,
                run=number,
                class_names=self._result.class_names,
                evaluation=self._result.evaluation,
                predictions=known,
                notes=tuple(
                    CaseNote(p.image_id, self._images[p.image_id].title, _doubt_lines(p)) for p in known
                ),
                remarks=tuple(map(note_text, self._result.notes)),
                start=start_sentence(self._result),
            )
        )
        self._show_settled()

    def open_case(self, image_id: int) -> None:
        """Open a case in the sheet and explain it."""
        run = self._session.run.number
        if run is None or image_id not in self._images:
            return
        self._case = image_id
        self._pictures.want_picture(self._views.seen(self._images[image_id]), self._show_case)
        self._explainer.explain(run, image_id)

    def _show_case(self, image_id: int, picture: QImage) -> None:
        run = self._session.run.number
        if image_id != self._case or self._result is None or run is None:
            return
        prediction = next(p for p in self._result.predictions if p.image_id == image_id)
        sets, names = self._result.evaluation.conformal, self._result.class_names
        self._page.set_case(
            CaseSheetState(
                image=picture,
                prediction=prediction,
                class_names=names,
                label=self._label_now(image_id),
                caption=self._images[image_id].title,
                flags=self._flags(prediction),
                explanation=self._explainer.known(run, image_id),
                explaining=self._explainer.pending(run, image_id),
                set_text="" if sets is None else set_sentence(prediction, names, sets.alpha),
                nearest=self._nearest(prediction),
            )
        )

    def _nearest(self, prediction: Prediction) -> tuple[NearCase, ...]:
        assert self._result is not None
        judged = {other.image_id for other in self._result.predictions}
        known = [image_id for image_id in prediction.nearest if image_id in judged & self._images.keys()]
        return tuple(
            NearCase(image_id, self._label_now(image_id), self._images[image_id].title)
            for image_id in known[:NEAREST_SHOWN]
        )

    def _label_now(self, image_id: int) -> int | None:
        return self._session.run.position_of(self._images[image_id].class_id)

    def _flags(self, prediction: Prediction) -> tuple[str, ...]:
        now = self._images[prediction.image_id]
        then = self._views.seen(now)
        notes = ("This image may contain burned-in text.",) if now.burned_in_text else ()
        if (now.window, now.crop) != (then.window, then.crop):
            notes = (*notes, "Shown with the window and region used in the run; they have changed since.")
        return (*_doubt_lines(prediction), *notes)

    def _explain(self, image_id: int) -> None:
        if self._session.run.number is not None:
            self._explainer.explain(self._session.run.number, image_id)
            self._session.image_requested.emit(image_id)
            self._session.action_requested.emit("explain")

    def _relabel(self, image_id: int, position: int) -> None:
        project = self._session.project
        if project is None or self._result is None or position >= len(self._result.class_names):
            return
        try:
            chosen = project.class_named(self._result.class_names[position])
        except UserError as error:  # the class was renamed or removed since the run
            self._session.tell(error, "change")
            return
        self._session.do(set_labels([image_id], chosen.id, chosen.name))

    def _keep(self, image_id: int) -> None:
        project = self._session.project
        if project is None or self._images[image_id].class_id is None:
            return
        try:
            keep_label(project, self._images[image_id])
        except UserError as error:
            self._session.tell(error, "change")
            return
        self._session.settle("change")
        self._show_settled()

    def _show_settled(self) -> None:
        """Tell the page which labels are no longer those of the run, or are kept on purpose."""
        project = self._session.project
        if project is None or self._result is None:
            return
        relabelled = {
            p.image_id
            for p in self._result.predictions
            if p.image_id in self._images and self._label_now(p.image_id) != p.label
        }
        self._page.failures.cases.set_settled(frozenset(relabelled) | kept_labels(project))

    def _want_thumbnails(self, image_ids: tuple[int, ...]) -> None:
        self._pictures.want_thumbnails([self._images[i] for i in image_ids if i in self._images])

    def _on_explained(self, run: int, explanation: CaseExplanation) -> None:
        if run == self._session.run.number and explanation.image_id == self._case:
            self._refresh_case()

    def _on_pending(self, image_id: int) -> None:
        if image_id == self._case:
            self._refresh_case()

    def _on_changed(self) -> None:
        if self._result is not None:
            self._images = {image.id: image for image in self._session.images()}
            self._show_settled()
            self._refresh_case()

    def _refresh_case(self) -> None:
        if self._case in self._images:
            self._pictures.want_picture(self._views.seen(self._images[self._case]), self._show_case)

    def _on_opened(self) -> None:
        """Show nothing of the project before, even before the page is seen again."""
        self._result = self._case = None
        self._page.set_state(InspectState())


def _doubt_lines(prediction: Prediction) -> tuple[str, ...]:
    """Return what makes a prediction less worth than it looks."""
    return tuple(DOUBT_SENTENCES[doubt] for doubt in doubts(prediction))
