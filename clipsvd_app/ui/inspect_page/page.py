"""The Inspect page put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from clipsvd_app.domain.evaluation import Evaluation
from clipsvd_app.ui.inspect_page.case_sheet import CaseSheet
from clipsvd_app.ui.inspect_page.cases import has_cases
from clipsvd_app.ui.inspect_page.cases_panel import CasesPanel
from clipsvd_app.ui.inspect_page.results_panel import ConfusionCard, MethodsCard, show_verdict
from clipsvd_app.ui.inspect_page.state import InspectState
from clipsvd_app.ui.plots.page_parts import (
    GAP,
    NOT_DIAGNOSTIC,
    Banner,
    Lines,
    choice,
    column,
    label,
    scrolled,
    split,
)
from clipsvd_app.ui.shell.empty_state import EmptyState
from clipsvd_app.ui.shell.state import EmptyAction, EmptySpec

if TYPE_CHECKING:
    from PySide6.QtGui import QImage, QKeyEvent

    from clipsvd_app.domain.evaluation import MethodName
    from clipsvd_app.ui.inspect_page.state import CaseSheetState
    from clipsvd_app.ui.theme import Theme

NOTHING_TO_INSPECT = EmptySpec(
    icon="inspect",
    headline="No run to inspect yet",
    sentence="Train once; then this page says what adaptation bought and shows every case behind it.",
    actions=(EmptyAction("train", "Go to Train", primary=True),),
)


class InspectPage(QWidget):
    """Verdict on top, numbers on the left with the cases below, the opened case on the right.

    Signals: ``run_chosen(int)``, ``case_opened(image_id)``, ``explain_requested(image_id)``,
    ``relabel_requested(image_id, class position)``, ``thumbnails_wanted(tuple of image ids)``,
    ``empty_action(str)``,
    ``trouble(UserError)`` from saving a picture.
    """

    run_chosen = Signal(int)
    case_opened = Signal(int)
    explain_requested = Signal(int)
    relabel_requested = Signal(int, int)
    thumbnails_wanted = Signal(object)
    empty_action = Signal(str)
    trouble = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._state = InspectState()
        self._runs = choice("Run")
        self.banner = Banner()
        self.methods = MethodsCard()
        self.confusion = ConfusionCard()
        self.cases = CasesPanel()
        self.case_sheet = CaseSheet()
        self._remarks = Lines()
        self._empty = EmptyState(theme, NOTHING_TO_INSPECT)
        self._whole = QStackedWidget()
        self._arrange()
        self._connect()

    def set_state(self, state: InspectState) -> None:
        """Show a run."""
        self._state = state
        self._whole.setCurrentIndex(1 if state.run is None else 0)
        self._show_runs()
        evaluation = state.evaluation or Evaluation("none", "This run left no estimate.")
        show_verdict(self.banner, evaluation)
        self.methods.set_evaluation(evaluation)
        self.confusion.setVisible(bool(evaluation.methods))
        self.confusion.set_evaluation(state.class_names, evaluation)
        self.cases.set_cases(state.class_names, state.predictions, state.notes)
        self._remarks.set_lines(("!", remark, "warning") for remark in state.remarks)
        self.case_sheet.set_case(None)

    def set_case(self, state: CaseSheetState | None) -> None:
        """Show a case in the sheet."""
        self.case_sheet.set_case(state)
        if state is not None:
            self.cases.gallery.set_current(state.prediction.image_id)

    def set_thumbnail(self, image_id: int, picture: QImage) -> None:
        """Hand in a picture for the gallery."""
        self.cases.gallery.set_thumbnail(image_id, picture)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.case_sheet.label_by_key(event):
            super().keyPressEvent(event)

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(GAP * 2)
        top.addWidget(self._runs)
        top.addWidget(self.banner, 1)
        evidence = split(Qt.Orientation.Horizontal, (self.confusion, 1), (self.cases, 1))
        left = scrolled(column(self.methods, evidence, stretch_end=False))
        left.setMinimumWidth(520)
        sides = split(Qt.Orientation.Horizontal, (left, 5), (self.case_sheet, 2))
        self.case_sheet.setMinimumWidth(320)
        evidence.setSizes([372, 520])
        sides.setSizes([920, 396])
        self.methods.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        content = QWidget()
        whole = QVBoxLayout(content)
        whole.setContentsMargins(GAP * 2, GAP * 2, GAP * 2, GAP)
        whole.setSpacing(GAP * 2)
        whole.addLayout(top)
        whole.addWidget(self._remarks)
        whole.addWidget(sides, 1)
        whole.addWidget(label(NOT_DIAGNOSTIC, "small"))
        self._whole.addWidget(content)
        self._whole.addWidget(self._empty)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._whole)

    def _connect(self) -> None:
        self._runs.activated.connect(lambda row: self.run_chosen.emit(self._state.runs[row].number))
        self.confusion.cell_chosen.connect(
            lambda method, true, predicted: self.cases.show_cell(method, (true, predicted))
        )
        self.confusion.method_changed.connect(self._show_method)
        self.cases.filter_cleared.connect(self._clear_cell)
        self.cases.gallery.case_opened.connect(self.case_opened)
        self.cases.gallery.thumbnails_wanted.connect(self.thumbnails_wanted)
        self.case_sheet.explain_requested.connect(self.explain_requested)
        self.case_sheet.relabel_requested.connect(self.relabel_requested)
        self._empty.action_requested.connect(self.empty_action)
        for plot in (self.methods.table, self.confusion.matrix, self.case_sheet.bars):
            plot.trouble.connect(self.trouble)

    def _show_runs(self) -> None:
        self._runs.clear()
        self._runs.addItems([run.title for run in self._state.runs])
        numbers = [run.number for run in self._state.runs]
        if self._state.run in numbers:
            self._runs.setCurrentIndex(numbers.index(self._state.run))

    def _show_method(self, method: MethodName) -> None:
        self.cases.show_cell(method if has_cases(method) else "clip_svd", None)

    def _clear_cell(self) -> None:
        self.confusion.matrix.set_chosen(None)
        self._show_method(self.confusion.method)
