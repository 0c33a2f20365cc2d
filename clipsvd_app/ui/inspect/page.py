"""The Inspect page put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal

from clipsvd_app.domain.results.evaluation import Evaluation
from clipsvd_app.domain.words.results import verdict_title
from clipsvd_app.ui.inspect.case_sheet import CaseSheet
from clipsvd_app.ui.inspect.compare_tab import CompareTab
from clipsvd_app.ui.inspect.failures_tab import FailuresTab
from clipsvd_app.ui.inspect.map_tab import MapTab
from clipsvd_app.ui.inspect.result_tab import ResultTab
from clipsvd_app.ui.inspect.trust_tab import TrustTab
from clipsvd_app.ui.kit.page_keys import PageKeys, is_typing
from clipsvd_app.ui.kit.page_parts import GAP, button, one_line, split
from clipsvd_app.ui.run.run_page import RunPage
from clipsvd_app.ui.session.state import EmptyAction, EmptySpec

if TYPE_CHECKING:
    from PySide6.QtGui import QImage, QKeyEvent
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.run import Doubt
    from clipsvd_app.ui.look.theme import Theme
    from clipsvd_app.ui.run.state import CaseSheetState, InspectState

NOTHING_TO_INSPECT = EmptySpec(
    icon="inspect",
    headline="No run to inspect yet",
    sentence="Train a model to see how much adaptation helped, and every case behind it.",
    actions=(EmptyAction("train", "Go to Train", primary=True),),
)


class InspectPage(RunPage):
    """Five questions as tabs on the left, the opened case on the right.

    Signals beside those of every page of a run: ``relabel_requested(image_id, class position)``,
    ``report_requested()``, ``tab_shown(name)``.
    """

    relabel_requested = Signal(int, int)
    report_requested = Signal()
    tab_shown = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, NOTHING_TO_INSPECT, parent)
        self.result = self.add_tab("result", "Result", ResultTab())
        self.failures = self.add_tab("failures", "Errors", FailuresTab())
        self.trust = self.add_tab("trust", "Trust", TrustTab())
        self.map = self.add_tab("map", "Map", MapTab())
        self.compare = self.add_tab("compare", "Compare", CompareTab())
        self._verdict = one_line("", "muted")
        self._report = button("Report…", hint="Write a report as PDF or web page (Ctrl+Shift+P)")
        self.case_sheet = CaseSheet()
        self._arrange()
        self._keys = PageKeys(self)
        self._connect()
        self._verdict.hide()

    def set_state(self, state: InspectState) -> None:
        """Show a run."""
        self.set_runs(state.runs, state.run)
        evaluation = state.evaluation or Evaluation("none")
        self._verdict.setText(verdict_title(evaluation))
        for tab in (self.result, self.failures, self.trust):
            tab.set_state(state, evaluation)
        self.map.set_run(state)
        self.compare.set_run(state)
        self.case_sheet.set_case(None)

    def set_case(self, state: CaseSheetState | None) -> None:
        """Show a case in the sheet."""
        self.case_sheet.set_case(state)
        if state is not None:
            self.failures.cases.show_current(state.prediction.image_id)
            self.map.map.set_chosen(state.prediction.image_id)
            self.compare.gallery.set_current(state.prediction.image_id)

    def set_thumbnail(self, image_id: int, picture: QImage) -> None:
        """Hand in a picture for the galleries."""
        self.failures.cases.gallery.set_thumbnail(image_id, picture)
        self.compare.gallery.set_thumbnail(image_id, picture)
        self.case_sheet.nearest.set_thumbnail(image_id, picture)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_typing() or not (self._mistake_key(event) or self.case_sheet.label_by_key(event)):
            super().keyPressEvent(event)

    def _mistake_key(self, event: QKeyEvent) -> bool:
        return self.tab == "failures" and self.failures.cases.take_key(event)

    def _arrange(self) -> None:
        self._top.setSpacing(GAP * 2)
        self._top.addWidget(self._verdict)
        self._top.addStretch(1)
        self._top.addWidget(self._report)
        self.case_sheet.setMinimumWidth(300)
        sides = split(Qt.Orientation.Horizontal, (self._below_top(), 5), (self.case_sheet, 2))
        sides.setObjectName("run and case")
        sides.setSizes([920, 396])
        self._lay_out(sides)

    def _connect(self) -> None:
        self._report.clicked.connect(self.report_requested)
        self._tabs.currentChanged.connect(self._on_tab)
        self.trust.doubt_chosen.connect(self._show_doubt)
        self._connect_cases()
        sheet = (self.case_sheet.bars, self.case_sheet.image)
        for part in (self.result, self.failures, self.trust, self.map, self.compare, *sheet):
            part.failed.connect(self.failed)

    def _connect_cases(self) -> None:
        nearest, mistakes = self.case_sheet.nearest, self.failures.cases.mistakes
        for gallery in (self.failures.cases.gallery, self.compare.gallery, nearest):
            gallery.case_opened.connect(self.case_opened)
            gallery.thumbnails_wanted.connect(self.thumbnails_wanted)
        self.map.case_opened.connect(self.case_opened)
        self.case_sheet.relabel_requested.connect(self.relabel_requested)
        mistakes.relabel_requested.connect(self.relabel_requested)

    def _on_tab(self) -> None:
        self._verdict.setVisible(self.tab != "result")  # there it stands large
        self.tab_shown.emit(self.tab)

    def _show_doubt(self, doubt: Doubt) -> None:
        self.failures.show_doubt(doubt)
        self.show_tab("failures")
