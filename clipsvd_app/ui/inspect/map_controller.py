"""The map of a run's cases: stored places at once, other projections from the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.domain.results.cases import best_known, is_error, is_evidence, winner
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.figures.case_map import MapDot
from clipsvd_app.jobs.answers import MapResult
from clipsvd_app.services.adapters.application import run_backbone
from clipsvd_app.services.runs.case_map import prepare_map
from clipsvd_app.ui.run.case_filters import ROLE_SENTENCES
from clipsvd_app.ui.run.state import MapState
from clipsvd_app.ui.session.jobs import WAITING, EngineJob, answer_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.domain.results.run import Prediction, RunResult
    from clipsvd_app.jobs.requests import Projection
    from clipsvd_app.ui.inspect.page import InspectPage
    from clipsvd_app.ui.session.session import Session

PCA_SENTENCE = "The two directions with the most variation. Images far apart differ."
Places = dict[int, tuple[float, float]]


class CaseMapController(QObject):
    """Follows the displayed run; projections that were computed are kept while it stays."""

    def __init__(self, session: Session, page: InspectPage) -> None:
        super().__init__(page)
        self._session, self._page = session, page
        self._known: dict[Projection, tuple[Places, str]] = {}
        self._job: EngineJob[MapResult] | None = None
        session.run.changed.connect(lambda: session.jobs.drop(self._job))
        session.run.follow(page, self._show_run)
        page.map.projection_wanted.connect(self.show_projection)
        page.map.cancel_requested.connect(lambda: session.jobs.cancel(self._job))

    def _show_run(self) -> None:
        """Show the places that the run left, if it left any."""
        result, self._known = self._session.run.result, {}
        places = {p.image_id: p.place for p in result.predictions if p.place} if result is not None else {}
        if places:
            self._known["pca"] = (places, PCA_SENTENCE)
        self._show("pca")

    def show_projection(self, projection: Projection) -> None:
        """Show a projection, computing it when it is not there yet."""
        if projection in self._known:
            self._show(projection)
            return
        project, run, result = self._session.project, self._session.run.number, self._session.run.result
        if project is None or run is None or result is None or self._session.jobs.runs(self._job):
            return
        settings, device = self._session.settings, self._session.device
        self._job = self._session.jobs.run(
            EngineJob(
                key="map",
                make=lambda: prepare_map(
                    self._cases(result), run_backbone(project, run, settings), projection, device
                ),
                read=answer_of(MapResult),
                take=self._take,
                ended=lambda: self._show("pca"),
                advanced=lambda stage: self._show("pca", stage),
            )
        )
        if self._job is not None:
            self._show(projection, WAITING)

    def _cases(self, result: RunResult) -> list[ProjectImage]:
        """Return the images of a run, those of unseen patients first: the map has room for so many."""
        images = {image.id: image for image in self._session.images()}
        order = sorted(result.predictions, key=lambda p: (not is_evidence(p), p.label is None))
        return [images[p.image_id] for p in order if p.image_id in images]

    def _take(self, found: MapResult) -> None:
        places = {place.image_id: (place.x, place.y) for place in found.places}
        self._known[found.projection] = (places, found.sentence)
        self._show(found.projection)

    def _show(self, projection: Projection, progress: tuple[str, int, int] | None = None) -> None:
        shown = projection if projection in self._known else next(iter(self._known), projection)
        places, sentence = self._known.get(shown, ({}, ""))
        dots = map_dots(
            self._session.run.result, places, {image.id: image for image in self._session.images()}
        )
        self._page.map.set_state(MapState(dots, shown, sentence, progress))


def map_dots(
    result: RunResult | None, places: Places, images: Mapping[int, ProjectImage]
) -> tuple[MapDot, ...]:
    """Return a dot for every case of a run that has a place and is still in the project."""
    if result is None:
        return ()
    return tuple(
        MapDot(
            p.image_id,
            *places[p.image_id],
            label=p.label,
            sentence=_sentence(p, result.class_names, images[p.image_id].title),
            wrong=is_evidence(p) and is_error(p),
            training=p.role == "train",
        )
        for p in result.predictions
        if p.image_id in places and p.image_id in images
    )


def _sentence(prediction: Prediction, names: tuple[str, ...], title: str) -> str:
    given = "unlabelled" if prediction.label is None else f"labelled “{names[prediction.label]}”"
    shown = best_known(prediction)
    first = winner(shown)
    return (
        f"{title}: {given}, predicted “{names[first]}” with {percent(shown[first])}. "
        f"{ROLE_SENTENCES[prediction.role]}."
    )
