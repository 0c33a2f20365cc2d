"""The Explain page put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from clipsvd_app.ui.explain_page.case_card import CaseCard
from clipsvd_app.ui.explain_page.directions_card import DirectionsCard
from clipsvd_app.ui.explain_page.layers_card import LayersCard
from clipsvd_app.ui.explain_page.state import ExplainState
from clipsvd_app.ui.plots.page_parts import GAP, Card, choice, column, label, scrolled, split
from clipsvd_app.ui.shell.empty_state import EmptyState
from clipsvd_app.ui.shell.state import EmptyAction, EmptySpec

if TYPE_CHECKING:
    from clipsvd_app.ui.explain_page.state import CaseView
    from clipsvd_app.ui.theme import Theme

NOTHING_TO_EXPLAIN = EmptySpec(
    icon="explain",
    headline="No run to explain yet",
    sentence="Train once; then this page shows which parts of the model changed, and in which words.",
    actions=(EmptyAction("train", "Go to Train", primary=True),),
)


class ExplainPage(QWidget):
    """What changed on the left, one case on the right.

    Signals: ``run_chosen(int)``, ``empty_action(str)``,
    ``trouble(UserError)`` from saving a picture.
    """

    run_chosen = Signal(int)
    empty_action = Signal(str)
    trouble = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._state = ExplainState()
        self._runs = choice("Run")
        self._text = label("")
        self._how = label("", "small")
        self.layers = LayersCard()
        self.directions = DirectionsCard()
        self.case = CaseCard()
        self._empty = EmptyState(theme, NOTHING_TO_EXPLAIN)
        self._whole = QStackedWidget()
        self._arrange()
        self._connect()

    def set_state(self, state: ExplainState) -> None:
        """Show a run's explanation; the case shown before is taken away."""
        self._state = state
        self._whole.setCurrentIndex(1 if state.run is None else 0)
        self._show_runs()
        found = state.explanation
        self._text.setText(found.text if found else "This run left no explanation.")
        self._how.setText(f"How we know: {found.how_we_know}" if found and found.how_we_know else "")
        self.layers.set_matrices(found.matrices if found else ())
        self.directions.set_directions(found.directions if found else (), found.matrices if found else ())
        self.case.set_case(None)

    def set_case(self, view: CaseView | None) -> None:
        """Show an explained case."""
        self.case.set_case(view)

    def _arrange(self) -> None:
        words = Card("What the run changed")
        words.head.addWidget(self._runs)
        words.body.addWidget(self._text)
        words.body.addWidget(self._how)
        for card in (words, self.layers):
            card.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        left = scrolled(column(words, self.layers, self.directions, stretch_end=False))
        left.setMinimumWidth(488)
        content = QWidget()
        row = QHBoxLayout(content)
        row.setContentsMargins(GAP * 2, GAP * 2, GAP * 2, GAP * 2)
        sides = split(Qt.Orientation.Horizontal, (left, 5), (self.case, 2))
        sides.setSizes([920, 396])
        row.addWidget(sides)
        self.case.setMinimumWidth(320)
        self._whole.addWidget(content)
        self._whole.addWidget(self._empty)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._whole)

    def _connect(self) -> None:
        self._runs.activated.connect(lambda row: self.run_chosen.emit(self._state.runs[row].number))
        self.layers.matrix_chosen.connect(self._choose_matrix)
        self.directions.filter_cleared.connect(lambda: self._choose_matrix(""))
        self._empty.action_requested.connect(self.empty_action)
        for plot in (self.layers.picture, self.case.bars, self.case.concepts):
            plot.trouble.connect(self.trouble)

    def _choose_matrix(self, name: str) -> None:
        self.layers.set_chosen(name)
        self.directions.show_matrix(name)

    def _show_runs(self) -> None:
        self._runs.clear()
        self._runs.addItems([run.title for run in self._state.runs])
        numbers = [run.number for run in self._state.runs]
        if self._state.run in numbers:
            self._runs.setCurrentIndex(numbers.index(self._state.run))
