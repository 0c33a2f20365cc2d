"""The numbers of a run: verdict, methods with intervals, and the confusion matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox

from clipsvd_app.domain.results.evaluation import METHOD_TITLES, MethodName
from clipsvd_app.domain.words.evaluation import no_estimate_text, recommendation_text, verdict_sentence
from clipsvd_app.domain.words.results import basis_text, difference_text, verdict_title
from clipsvd_app.figures.confusion import confusion_figure
from clipsvd_app.ui.kit.figures.figure_view import FigureView
from clipsvd_app.ui.kit.figures.saving import save_button
from clipsvd_app.ui.kit.page_parts import Banner, Card, Level, Lines, choice, label
from clipsvd_app.ui.kit.plots.method_table import MethodTable
from clipsvd_app.ui.run.case_filters import has_cases

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.evaluation import Evaluation, Verdict

_LEVELS: dict[Verdict, Level] = {"helped": "success", "harmed": "error", "not_shown": "info"}


def show_verdict(banner: Banner, evaluation: Evaluation) -> None:
    """Put the verdict of an estimate into a banner, in the estimate's own words."""
    if evaluation.kind == "none":
        banner.show_text("warning", verdict_title(evaluation), no_estimate_text(evaluation))
        return
    banner.show_text(_LEVELS[evaluation.verdict], verdict_title(evaluation), verdict_sentence(evaluation))


class MethodsCard(Card):
    """The method table with what it was measured on, or why there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Effect of adaptation", parent)
        self.table = MethodTable()
        self._basis = label("", "muted")
        self._reason = label("", "muted")
        self._differences = Lines()
        self._save = save_button(self.table)
        self.head.addWidget(self._save)
        self.body.addWidget(self._basis)
        self.body.addWidget(self._reason)
        self.body.addWidget(self.table)
        self.body.addWidget(self._differences)

    def set_evaluation(self, evaluation: Evaluation) -> None:
        """Show the methods, or the reason why there is no estimate."""
        known = evaluation.kind != "none"
        self._reason.setText("" if known else no_estimate_text(evaluation))
        self._reason.setVisible(not known)
        self.table.setVisible(known)
        self._save.setVisible(known)
        self.table.set_methods(evaluation.methods, method_titles(evaluation))
        self._basis.setText(basis_text(evaluation))
        advice = recommendation_text(evaluation)
        recommended = (("✓", advice, "success"),) if advice else ()
        differences = (("Δ", difference_text(d), "muted") for d in evaluation.differences)
        self._differences.set_lines((*recommended, *differences))


class ConfusionCard(Card):
    """The confusion matrix of a chosen method; its cells open their cases."""

    cell_chosen = Signal(str, int, int)
    method_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Confusion matrix", parent)
        self.matrix = FigureView("Confusion matrix")
        self._names: tuple[str, ...] = ()
        self._evaluation: Evaluation | None = None
        self._methods: tuple[MethodName, ...] = ()
        self._choice = choice("Method of the confusion matrix")
        self._note = label("", "small")
        self._choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._choice.setMinimumContentsLength(10)
        self.head.addWidget(save_button(self.matrix))
        self.body.addWidget(self._choice)
        self.body.addWidget(self.matrix, 1)
        self.body.addWidget(self._note)
        self._choice.currentIndexChanged.connect(self._method_chosen)
        self.matrix.opened.connect(lambda cell: self.cell_chosen.emit(self.method, *cell))

    @property
    def method(self) -> MethodName:
        """The method whose matrix is shown."""
        return self._methods[self._choice.currentIndex()] if self._methods else "clip_svd"

    def set_evaluation(self, names: tuple[str, ...], evaluation: Evaluation) -> None:
        """Offer the methods of an estimate, CLIP-SVD first."""
        self._names, self._evaluation = names, evaluation
        self._methods = tuple(
            sorted((score.method for score in evaluation.methods), key=lambda name: name != "clip_svd")
        )
        self._choice.blockSignals(True)
        self._choice.clear()
        self._choice.addItems([METHOD_TITLES[name] for name in self._methods])
        self._choice.blockSignals(False)
        self._show_matrix()

    def choose_method(self, method: MethodName) -> None:
        """Show another method's matrix."""
        self._choice.setCurrentIndex(self._methods.index(method))

    def _method_chosen(self) -> None:
        self._show_matrix()
        self.method_changed.emit(self.method)

    def _show_matrix(self) -> None:
        scores = self._evaluation.methods if self._evaluation else ()
        for score in scores:
            if score.method == self.method:
                openable = has_cases(score.method)
                self.matrix.set_figure(confusion_figure(self._names, score.confusion, opens=openable))
                self._note.setText(
                    "Click a cell to see its cases."
                    if openable
                    else "Predictions of this baseline are not stored, so its cells cannot be opened."
                )


def method_titles(evaluation: Evaluation) -> tuple[str, ...]:
    """Return the methods' titles, a tick at the recommended one."""
    return tuple(
        METHOD_TITLES[score.method] + (" ✓" if score.method == evaluation.recommended else "")
        for score in evaluation.methods
    )
