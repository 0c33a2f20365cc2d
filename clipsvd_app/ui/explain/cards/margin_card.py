"""The margin of the two leading classes, from the base model to the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.results.contributions import Detail, adds_up, change_steps, term_steps
from clipsvd_app.domain.words.case import case_statements
from clipsvd_app.domain.words.statement import about
from clipsvd_app.figures.waterfall import waterfall_figure
from clipsvd_app.ui.explain.cards.part_card import PartCard
from clipsvd_app.ui.kit.figures.figure_view import FigureView
from clipsvd_app.ui.kit.page_parts import choice, label

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.explanation import CaseExplanation

DETAILS: dict[Detail, str] = {
    "head": "By layer and head",
    "layer": "By layer",
    "side": "By encoder",
    "terms": "Contributions to the whole score",
}
NOT_ADDED = "Not shown: the contributions do not add up to the change."
NO_TERMS = "This image encoder has no exact decomposition. Only the change by adaptation can be shown."
_TERMS_NOTE = (
    "All terms of the score, each computed independently. They show how the"
    " adapted model arrives at the margin, not what training changed."
)


class MarginCard(PartCard):
    """A waterfall with a choice of how finely it is split."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self.waterfall = FigureView("Contributions to the margin")
        super().__init__("Contributions to the margin", self.waterfall, parent)
        self._case: CaseExplanation | None = None
        self._detail = choice("Split by")
        self._detail.addItems(list(DETAILS.values()))
        self._note = label("", "muted")
        self.head.insertWidget(3, self._detail)
        self.body.insertWidget(1, self._note)
        self._detail.currentIndexChanged.connect(self._show)

    def set_case(self, case: CaseExplanation) -> None:
        """Show a case in the chosen detail."""
        self._case = case
        self.set_words(*about(case_statements(case), "change"), shown=False)
        self._show()

    def choose(self, detail: Detail) -> None:
        """Split in another way."""
        self._detail.setCurrentIndex(tuple(DETAILS).index(detail))

    def note(self) -> str:
        """Return what is said above the picture."""
        return self._note.text()

    def _show(self) -> None:
        case = self._case
        if case is None:
            return
        detail = tuple(DETAILS)[max(0, self._detail.currentIndex())]
        answer, rival = case.class_names[case.winner], case.class_names[case.runner_up]
        note, steps = _TERMS_NOTE, term_steps(case) if case.decomposition else ()
        if detail == "terms" and not steps:
            note = NO_TERMS
        elif detail != "terms":
            found = case.attribution
            steps = change_steps(found, detail) if found is not None and adds_up(found) else ()
            note = f"Margin of “{answer}” over “{rival}” in logits." if steps else NOT_ADDED
        self._note.setText(note)
        self.waterfall.set_figure(waterfall_figure(steps, answer, rival))
        self.waterfall.setVisible(bool(steps))
