"""The displayed run beside another one of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.domain.results.comparison import changed_facts, flips, label_changes, shared_cases
from clipsvd_app.domain.results.evaluation import METHOD_TITLES
from clipsvd_app.ui.run.run_box import run_title
from clipsvd_app.ui.run.state import ComparisonState

if TYPE_CHECKING:
    from clipsvd_app.domain.results.comparison import Flip
    from clipsvd_app.domain.results.evaluation import Evaluation, MethodScore
    from clipsvd_app.domain.results.run import RunResult
    from clipsvd_app.ui.inspect.page import InspectPage
    from clipsvd_app.ui.session.session import Session

OTHER_CASES = "The runs were tested on different images. Compare only their confidence intervals."
_COMPARED = ("zero_shot", "clip_svd")


class CompareController(QObject):
    """Compares with the run before, until another is chosen; only while the tab is in front."""

    def __init__(self, session: Session, page: InspectPage) -> None:
        super().__init__(page)
        self._session, self._page = session, page
        self._other = 0
        session.run.follow(page, self._begin)
        page.compare.other_chosen.connect(self.compare_with)
        page.tab_shown.connect(self._on_tab)

    def compare_with(self, number: int) -> None:
        """Show another run beside the one displayed."""
        project, shown, now = self._session.project, self._session.run.number, self._session.run.result
        if project is None or shown is None or now is None:
            return
        self._other = number
        before = project.run_result(number)
        requests = project.run_request(number), project.run_request(shown)
        self._page.compare.set_comparison(
            ComparisonState(
                before=number,
                now=shown,
                class_names=now.class_names,
                facts=changed_facts((before, requests[0]), (now, requests[1])),
                labels=label_changes(*requests).sentence,
                rows=tuple(
                    (f"{run_title(run)} · {METHOD_TITLES[score.method]}", score)
                    for method in METHOD_TITLES
                    for run, result in ((number, before), (shown, now))
                    for score in _scores(result.evaluation)
                    if score.method == method
                ),
                flips=self._still_here(flips(before, now)),
                shared=shared_cases(before, now),
                caution="" if _same_cases(before, now) else OTHER_CASES,
            )
        )

    def _still_here(self, found: tuple[Flip, ...] | None) -> tuple[Flip, ...] | None:
        """Leave out images that were taken out of the project since."""
        here = {image.id for image in self._session.images()}
        return None if found is None else tuple(flip for flip in found if flip.image_id in here)

    def _begin(self) -> None:
        self._other = 0
        self._on_tab(self._page.tab)

    def _on_tab(self, tab: str) -> None:
        run = self._session.run.number
        if tab != "compare" or self._other or run is None:
            return
        others = [number for number in self._session.run.numbers if number != run]
        if others:
            self.compare_with(next((number for number in others if number < run), others[0]))


def _scores(evaluation: Evaluation) -> tuple[MethodScore, ...]:
    """Return the methods that are compared: before and after adaptation, and what is recommended."""
    wanted = {*_COMPARED, evaluation.recommended}
    return tuple(score for score in evaluation.methods if score.method in wanted)


def _same_cases(before: RunResult, now: RunResult) -> bool:
    sizes = {(e.images, e.patients, e.kind) for e in (before.evaluation, now.evaluation)}
    return len(sizes) == 1 and shared_cases(before, now) == now.evaluation.images
