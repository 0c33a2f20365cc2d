"""When not to trust it: sets of possible classes, doubts, calibration, and what abstaining buys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from clipsvd_app.domain.results.cases import doubts, is_evidence
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.evaluation import calibration_text, prediction_sets_text
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.domain.words.results import abstention_text
from clipsvd_app.figures.reliability import reliability_figure
from clipsvd_app.figures.risk import risk_figure
from clipsvd_app.ui.kit.figures.figure_view import FigureView
from clipsvd_app.ui.kit.figures.saving import save_button
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import (
    GAP,
    Card,
    Facts,
    SideBySide,
    button,
    column,
    empty,
    label,
    scrolled,
)
from clipsvd_app.ui.run.case_filters import DOUBT_TITLES

if TYPE_CHECKING:
    from clipsvd_app.domain.results.evaluation import ConformalSets, Evaluation
    from clipsvd_app.domain.results.run import Doubt, Prediction
    from clipsvd_app.ui.run.state import InspectState

NO_SETS = "No prediction sets: they need an estimate on at least 5 unseen patients."
NO_CALIBRATION = "This run has no calibration: its probabilities may be overconfident."
NO_RISK = "This run has no coverage and error rate."


class SetsCard(Card):
    """The conformal promise in one sentence, with the figures behind it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Prediction sets", parent)
        self._sentence = label("")
        self._facts = Facts()
        self.body.addWidget(self._sentence)
        self.body.addWidget(self._facts)
        self.body.addStretch(1)

    def set_sets(self, sets: ConformalSets | None) -> None:
        """Show the sets of a run, or say that there are none."""
        self._sentence.setText(NO_SETS if sets is None else prediction_sets_text(sets))
        self._sentence.setEnabled(sets is not None)
        self._facts.setVisible(sets is not None)
        if sets is None:
            return
        promised = [("Coverage", f"at least {percent(1 - sets.alpha)}, on average over patients")]
        if (span := sets.coverage_range) is not None:
            reach = f"{percent(span.low)} to {percent(span.high)}"
            promised.append(("On new patients", reach))
        self._facts.set_facts(
            (
                *promised,
                ("Sets with one class", f"{percent(sets.single_share)} of {counted(sets.images, 'image')}"),
                ("Classes per set", f"{sets.mean_size:.1f} on average"),
            )
        )


class DoubtsCard(Card):
    """How many unseen images each doubt concerns; a button shows them."""

    doubt_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Images to check", parent)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(GAP * 2)
        self._grid.setColumnStretch(1, 1)
        self._none = label("", "muted")
        self.body.addLayout(self._grid)
        self.body.addWidget(self._none)
        self.body.addStretch(1)

    def set_predictions(self, predictions: tuple[Prediction, ...]) -> None:
        """Count the doubts about unseen patients."""
        empty(self._grid)
        unseen = [p for p in predictions if is_evidence(p)]
        counts = {doubt: sum(doubt in doubts(p) for p in unseen) for doubt in DOUBT_TITLES}
        for row, (doubt, number) in enumerate((d, n) for d, n in counts.items() if n):
            self._grid.addWidget(
                label(f"{number}", "headline", wrap=False), row, 0, Qt.AlignmentFlag.AlignRight
            )
            self._grid.addWidget(label(DOUBT_TITLES[doubt]), row, 1)
            self._grid.addWidget(self._opener(doubt), row, 2)
        free = sum(not doubts(p) for p in unseen)
        self._none.setText(
            f"{counted(free, 'image')} of {len(unseen):,} raise no concern." if unseen else "No unseen images"
        )

    def _opener(self, doubt: Doubt) -> QWidget:
        opener = button("Show", "quiet", hint=f"Show the images: {DOUBT_TITLES[doubt]}")
        opener.setAccessibleName(f"Show the images: {DOUBT_TITLES[doubt]}")
        opener.clicked.connect(lambda: self.doubt_chosen.emit(doubt))
        return opener


class PlotCard(Card):
    """A sentence and a picture, or the sentence that there is none."""

    def __init__(self, title: str, plot: FigureView, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._plot = plot
        self._sentence = label("")
        self._save = save_button(plot)
        self.head.addWidget(self._save)
        self.body.addWidget(self._sentence)
        self.body.addWidget(plot, 1)
        self.body.addStretch(0)

    def show_plot(self, sentence: str, *, known: bool) -> None:
        """Show the picture under a sentence, or the sentence only."""
        self._sentence.setText(sentence)
        self._sentence.setVisible(bool(sentence))
        self._sentence.setEnabled(known)
        self._plot.setVisible(known)
        self._save.setVisible(known)


class TrustTab(QWidget):
    """Signals: ``doubt_chosen(Doubt)``, ``failed(UserError)`` from saving a picture."""

    doubt_chosen = Signal(str)
    failed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.reliability, self.risk = FigureView("Reliability"), FigureView("Error rate by coverage")
        self.sets, self.doubts = SetsCard(), DoubtsCard()
        self._calibration = PlotCard("Calibration", self.reliability)
        self._abstention = PlotCard("Coverage and error rate", self.risk)
        words = SideBySide(self.sets, self.doubts)
        plots = SideBySide(self._calibration, self._abstention)
        whole = vertical(self, margins=(0, GAP + 4, 0, 0))
        whole.addWidget(scrolled(column(words, plots)))
        self.doubts.doubt_chosen.connect(self.doubt_chosen)
        for plot in (self.reliability, self.risk):
            plot.failed.connect(self.failed)

    def set_state(self, state: InspectState, evaluation: Evaluation) -> None:
        """Show a run."""
        self.sets.set_sets(evaluation.conformal)
        self.doubts.set_predictions(state.predictions)
        calibration = evaluation.calibration
        self.reliability.set_figure(reliability_figure(calibration.bins if calibration else ()))
        self._calibration.show_plot(
            calibration_note(evaluation), known=bool(calibration and calibration.bins)
        )
        self.risk.set_figure(risk_figure(evaluation.abstention))
        self._abstention.show_plot(abstention_text(evaluation) or NO_RISK, known=bool(evaluation.abstention))


def calibration_note(evaluation: Evaluation) -> str:
    """Say what calibration did, with the Brier score before and after."""
    if (calibration := evaluation.calibration) is None:
        return NO_CALIBRATION
    scores = f"{calibration.brier_before:.3f} before and {calibration.brier_after:.3f} after calibration"
    return f"{calibration_text(evaluation)} Brier score {scores}."
