"""The Inspect page put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from clipsvd_app.domain.results.evaluation import Evaluation
from clipsvd_app.domain.words.notice import NOT_DIAGNOSTIC
from clipsvd_app.domain.words.results import verdict_title
from clipsvd_app.ui.inspect.case_sheet import CaseSheet
from clipsvd_app.ui.inspect.compare_tab import CompareTab
from clipsvd_app.ui.inspect.failures_tab import FailuresTab
from clipsvd_app.ui.inspect.map_tab import MapTab
from clipsvd_app.ui.inspect.result_tab import ResultTab
from clipsvd_app.ui.inspect.trust_tab import TrustTab
from clipsvd_app.ui.kit.empty_state import EmptyState
from clipsvd_app.ui.kit.page_keys import PageKeys, is_typing
from clipsvd_app.ui.kit.page_parts import GAP, button, choice, fill_choice, label, one_line, split
from clipsvd_app.ui.run.state import InspectState
from clipsvd_app.ui.session.state import EmptyAction, EmptySpec

if TYPE_CHECKING:
    from PySide6.QtGui import QImage, QKeyEvent

    from clipsvd_app.domain.results.run import Doubt
    from clipsvd_app.ui.look.theme import Theme
    from clipsvd_app.ui.run.state import CaseSheetState, ComparisonState, MapState

TabName = Literal["result", "failures", "trust", "map", "compare"]
TAB_TITLES: dict[TabName, str] = {
    "result": "Result",
    "failures": "Errors",
    "trust": "Trust",
    "map": "Map",
    "compare": "Compare",
}
NOTHING_TO_INSPECT = EmptySpec(
    icon="inspect",
    headline="No run to inspect yet",
    sentence="Train a model to see how much adaptation helped, and every case behind it.",
    actions=(EmptyAction("train", "Go to Train", primary=True),),
)


class InspectPage(QWidget):
    """Five questions as tabs on the left, the opened case on the right.

    Signals: ``run_chosen(int)``, ``case_opened(image_id)``, ``explain_requested(image_id)``,
    ``relabel_requested(image_id, class position)``, ``keep_requested(image_id)``,
    ``thumbnails_wanted(tuple of image ids)``, ``report_requested()``, ``tab_shown(TabName)``,
    ``projection_wanted(Projection)``, ``map_cancelled()``, ``other_run_chosen(int)``,
    ``empty_action(str)``, ``trouble(UserError)`` from saving a picture.
    """

    run_chosen = Signal(int)
    case_opened = Signal(int)
    explain_requested = Signal(int)
    relabel_requested = Signal(int, int)
    keep_requested = Signal(int)
    thumbnails_wanted = Signal(object)
    report_requested = Signal()
    tab_shown = Signal(str)
    projection_wanted = Signal(str)
    map_cancelled = Signal()
    other_run_chosen = Signal(int)
    empty_action = Signal(str)
    trouble = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._state = InspectState()
        self._runs = choice("Run")
        self._verdict = one_line("", "muted")
        self._report = button("Report…", hint="Write a report as PDF or web page (Ctrl+Shift+P)")
        self.result, self.failures, self.trust = ResultTab(), FailuresTab(), TrustTab()
        self.map, self.compare = MapTab(), CompareTab()
        self.case_sheet = CaseSheet()
        self._tabs = QTabWidget()
        self._empty = EmptyState(theme, NOTHING_TO_INSPECT)
        self._whole = QStackedWidget()
        self._arrange()
        self._keys = PageKeys(self)
        self._connect()
        self._verdict.hide()
        self._whole.setCurrentIndex(1)
        self.setFocusProxy(self._empty)

    def set_state(self, state: InspectState) -> None:
        """Show a run."""
        self._state = state
        self._whole.setCurrentIndex(1 if state.run is None else 0)
        self.setFocusProxy(self._empty if state.run is None else self._tabs)
        self._show_runs()
        evaluation = state.evaluation or Evaluation("none", "This run has no estimate.")
        self._verdict.setText(verdict_title(evaluation))
        for tab in (self.result, self.failures, self.trust):
            tab.set_state(state, evaluation)
        self.map.set_run(state)
        self.compare.set_run(state)
        self.case_sheet.set_case(None)

    def set_map(self, state: MapState) -> None:
        """Show the cases on the map."""
        self.map.set_state(state)

    def set_comparison(self, state: ComparisonState | None) -> None:
        """Show another run beside this one."""
        self.compare.set_comparison(state)

    def set_case(self, state: CaseSheetState | None) -> None:
        """Show a case in the sheet."""
        self.case_sheet.set_case(state)
        if state is not None:
            self.failures.cases.show_current(state.prediction.image_id)
            self.map.map.set_chosen(state.prediction.image_id)
            self.compare.gallery.set_current(state.prediction.image_id)

    def set_settled(self, image_ids: frozenset[int]) -> None:
        """Take note of labels that were changed since the run, or kept on purpose."""
        self.failures.cases.set_settled(image_ids)

    def set_thumbnail(self, image_id: int, picture: QImage) -> None:
        """Hand in a picture for the galleries."""
        self.failures.cases.gallery.set_thumbnail(image_id, picture)
        self.compare.gallery.set_thumbnail(image_id, picture)
        self.case_sheet.nearest.set_thumbnail(image_id, picture)

    @property
    def tab(self) -> TabName:
        """The tab in front."""
        return tuple(TAB_TITLES)[self._tabs.currentIndex()]

    def show_tab(self, name: TabName) -> None:
        """Bring a tab to the front."""
        self._tabs.setCurrentIndex(tuple(TAB_TITLES).index(name))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_typing() or not (self._mistake_key(event) or self.case_sheet.label_by_key(event)):
            super().keyPressEvent(event)

    def _mistake_key(self, event: QKeyEvent) -> bool:
        return self.tab == "failures" and self.failures.cases.take_key(event)

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(GAP * 2)
        top.addWidget(self._runs)
        top.addWidget(self._verdict)
        top.addStretch(1)
        top.addWidget(self._report)
        self._tabs.tabBar().setDrawBase(False)
        for tab, title in zip(
            (self.result, self.failures, self.trust, self.map, self.compare), TAB_TITLES.values(), strict=True
        ):
            self._tabs.addTab(tab, title)
        self._tabs.setMinimumWidth(500)
        self.case_sheet.setMinimumWidth(300)
        left = QWidget()
        under = QVBoxLayout(left)
        under.setContentsMargins(0, 0, 0, 0)
        under.setSpacing(GAP)
        under.addLayout(top)
        under.addWidget(self._tabs, 1)
        sides = split(Qt.Orientation.Horizontal, (left, 5), (self.case_sheet, 2))
        sides.setObjectName("run and case")
        sides.setSizes([920, 396])
        content = QWidget()
        whole = QVBoxLayout(content)
        whole.setContentsMargins(GAP * 2, GAP + 4, GAP * 2, GAP)
        whole.setSpacing(GAP)
        whole.addWidget(sides, 1)
        whole.addWidget(label(NOT_DIAGNOSTIC, "small"))
        self._whole.addWidget(content)
        self._whole.addWidget(self._empty)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._whole)

    def _connect(self) -> None:
        self._runs.activated.connect(lambda row: self.run_chosen.emit(self._state.runs[row].number))
        self._report.clicked.connect(self.report_requested)
        self._tabs.currentChanged.connect(self._on_tab)
        self._empty.action_requested.connect(self.empty_action)
        self.trust.doubt_chosen.connect(self._show_doubt)
        self._connect_cases()
        self.map.projection_wanted.connect(self.projection_wanted)
        self.map.cancel_requested.connect(self.map_cancelled)
        self.compare.other_chosen.connect(self.other_run_chosen)
        sheet = (self.case_sheet.bars, self.case_sheet.image)
        for part in (self.result, self.failures, self.trust, self.map, self.compare, *sheet):
            part.trouble.connect(self.trouble)

    def _connect_cases(self) -> None:
        nearest, mistakes = self.case_sheet.nearest, self.failures.cases.mistakes
        for gallery in (self.failures.cases.gallery, self.compare.gallery, nearest):
            gallery.case_opened.connect(self.case_opened)
            gallery.thumbnails_wanted.connect(self.thumbnails_wanted)
        self.map.case_opened.connect(self.case_opened)
        self.case_sheet.explain_requested.connect(self.explain_requested)
        self.case_sheet.relabel_requested.connect(self.relabel_requested)
        mistakes.relabel_requested.connect(self.relabel_requested)
        mistakes.keep_requested.connect(self.keep_requested)

    def _on_tab(self) -> None:
        self._verdict.setVisible(self.tab != "result")  # there it stands large
        self.tab_shown.emit(self.tab)

    def _show_doubt(self, doubt: Doubt) -> None:
        self.failures.show_doubt(doubt)
        self.show_tab("failures")

    def _show_runs(self) -> None:
        numbers = [run.number for run in self._state.runs]
        place = numbers.index(self._state.run) if self._state.run in numbers else 0
        fill_choice(self._runs, [run.title for run in self._state.runs], place)
