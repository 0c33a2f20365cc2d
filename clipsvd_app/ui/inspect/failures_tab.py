"""Where does it fail: the confusion matrix, and the cases behind its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from clipsvd_app.ui.inspect.cases_panel import CasesPanel
from clipsvd_app.ui.inspect.results_panel import ConfusionCard
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import GAP, SideBySide, scrolled
from clipsvd_app.ui.run.case_filters import has_cases

if TYPE_CHECKING:
    from clipsvd_app.domain.results.evaluation import Evaluation, MethodName
    from clipsvd_app.domain.results.run import Doubt
    from clipsvd_app.ui.run.state import InspectState


class FailuresTab(QWidget):
    """Signal: ``failed(UserError)`` from saving a picture."""

    failed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.confusion = ConfusionCard()
        self.cases = CasesPanel()
        self.cases.setMinimumWidth(300)
        sides = SideBySide(self.confusion, self.cases, from_width_px=640)
        whole = vertical(self, margins=(0, GAP + 4, 0, 0))
        whole.addWidget(scrolled(sides))
        self.confusion.cell_chosen.connect(
            lambda method, true, predicted: self.cases.show_cell(method, (true, predicted))
        )
        self.confusion.method_changed.connect(self._show_method)
        self.cases.filter_cleared.connect(self._clear_filter)
        self.confusion.matrix.failed.connect(self.failed)

    def set_state(self, state: InspectState, evaluation: Evaluation) -> None:
        """Show a run."""
        self.confusion.setVisible(bool(evaluation.methods))
        self.confusion.set_evaluation(state.class_names, evaluation)
        self.cases.set_cases(state.class_names, state.predictions, state.notes)

    def show_doubt(self, doubt: Doubt) -> None:
        """Show the cases about which there is a doubt."""
        self.confusion.matrix.set_chosen(None)
        self.cases.show_doubt(doubt)

    def _show_method(self, method: MethodName) -> None:
        self.cases.show_cell(method if has_cases(method) else "clip_svd", None)

    def _clear_filter(self) -> None:
        self.confusion.matrix.set_chosen(None)
        self._show_method(self.confusion.method)
