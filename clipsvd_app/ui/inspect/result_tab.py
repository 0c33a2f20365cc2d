"""Whether adaptation helped, how good it is on unseen patients, and whether more labels would help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from clipsvd_app.domain.results.curves import roc_pairs
from clipsvd_app.domain.words.evaluation import learning_curve_text, more_examples_text, weakness_text
from clipsvd_app.figures.learning import learning_figure
from clipsvd_app.figures.roc import roc_figure
from clipsvd_app.ui.inspect.results_panel import MethodsCard, show_verdict
from clipsvd_app.ui.kit.figures.figure_view import FigureView
from clipsvd_app.ui.kit.figures.saving import save_button
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import (
    GAP,
    Banner,
    Card,
    Lines,
    SideBySide,
    choice,
    column,
    label,
    scrolled,
)

if TYPE_CHECKING:
    from clipsvd_app.domain.results.curves import RocPair
    from clipsvd_app.domain.results.evaluation import Evaluation, LearningCurve
    from clipsvd_app.ui.run.state import InspectState

NO_CURVE = "This run has no learning curve. With enough patients, train again to add it."
NO_ROC = "No ROC curve: there are not unseen patients both with and without a class."


class RocCard(Card):
    """ROC curves of all classes, or of one with its curve before adaptation."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("ROC curves", parent)
        self.plot = FigureView("ROC curves")
        self._names: tuple[str, ...] = ()
        self._pairs: tuple[RocPair, ...] = ()
        self._choice = choice("Class of the ROC curves")
        self._none = label(NO_ROC, "muted")
        self._save = save_button(self.plot)
        self.head.addWidget(self._choice)
        self.head.addWidget(self._save)
        self.body.addWidget(self.plot, 1)
        self.body.addWidget(self._none)
        self.body.addStretch(0)
        self._choice.currentIndexChanged.connect(self._choose)

    def set_curves(self, names: tuple[str, ...], pairs: tuple[RocPair, ...]) -> None:
        """Show the curves of a run."""
        self._choice.blockSignals(True)
        self._choice.clear()
        self._choice.addItem("All classes", None)
        for pair in pairs:
            self._choice.addItem(names[pair.adapted.class_position], pair.adapted.class_position)
        self._choice.blockSignals(False)
        self._names, self._pairs = names, pairs
        self._choose()
        for part in (self.plot, self._choice, self._save):
            part.setVisible(bool(pairs))
        self._none.setVisible(not pairs)

    def choose(self, position: int | None) -> None:
        """Show one class, or all."""
        self._choice.setCurrentIndex(self._choice.findData(position))

    def _choose(self) -> None:
        self.plot.set_figure(roc_figure(self._names, self._pairs, self._choice.currentData()))


class LearningCard(Card):
    """The learning curve with its advice, or why there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Would more labels help?", parent)
        self.plot = FigureView("Learning curve")
        self._sentence = label("")
        self._advice = Lines()
        self._save = save_button(self.plot)
        self.head.addWidget(self._save)
        self.body.addWidget(self._sentence)
        self.body.addWidget(self._advice)
        self.body.addWidget(self.plot, 1)
        self.body.addStretch(0)

    def set_curve(self, curve: LearningCurve | None, classes: int) -> None:
        """Show a curve, or say that there is none."""
        known = curve is not None and bool(curve.points)
        self.plot.setVisible(known)
        self._save.setVisible(known)
        self._sentence.setText(NO_CURVE if curve is None else learning_curve_text(curve))
        self._sentence.setEnabled(known)
        advice = () if curve is None else curve.advice
        self._advice.set_lines(
            ("+", f"About {each.more} more of “{each.class_name}”. {more_examples_text(each)}", "muted")
            if each.more
            else ("✓", f"“{each.class_name}”: {more_examples_text(each)}", "success")
            for each in advice
        )
        self.plot.set_figure(learning_figure(() if curve is None else curve.points, classes))


class ResultTab(QWidget):
    """Signal: ``failed(UserError)`` from saving a picture."""

    failed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.banner = Banner()
        self.start = label("", "muted")
        self.warnings = Lines()
        self.methods = MethodsCard()
        self.roc = RocCard()
        self.learning = LearningCard()
        curves = SideBySide(self.roc, self.learning)
        whole = vertical(self, margins=(0, GAP + 4, 0, 0))
        whole.addWidget(scrolled(column(self.banner, self.start, self.warnings, self.methods, curves)))
        for plot in (self.methods.table, self.roc.plot, self.learning.plot):
            plot.failed.connect(self.failed)

    def set_state(self, state: InspectState, evaluation: Evaluation) -> None:
        """Show a run."""
        show_verdict(self.banner, evaluation)
        self.start.setText(state.start)
        self.start.setVisible(bool(state.start))
        self.methods.set_evaluation(evaluation)
        self.warnings.set_lines(
            ("!", each, "warning") for each in (*map(weakness_text, evaluation.warnings), *state.remarks)
        )
        self.roc.set_curves(state.class_names, roc_pairs(state.predictions, len(state.class_names)))
        self.learning.set_curve(evaluation.learning_curve, len(state.class_names))
