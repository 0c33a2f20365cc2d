"""The Export page put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QTabWidget, QWidget

from clipsvd_app.ui.export.apply_tab import ApplyTab
from clipsvd_app.ui.export.report_tab import ReportTab
from clipsvd_app.ui.export.write_tab import WriteTab
from clipsvd_app.ui.kit.empty_state import EmptyState
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import GAP
from clipsvd_app.ui.session.state import EmptyAction, EmptySpec

if TYPE_CHECKING:
    from clipsvd_app.ui.export.state import ExportState, ReportState
    from clipsvd_app.ui.look.theme import Theme

NOTHING_TO_EXPORT = EmptySpec(
    icon="export",
    headline="No run to export yet",
    sentence="Train a model, then export it as one small file to share.",
    actions=(EmptyAction("train", "Go to Train", primary=True),),
)
NOTHING_TO_REPORT = EmptySpec(
    icon="report",
    headline="No run to report on yet",
    sentence="Train a model, then write a report of its methods, accuracy and errors.",
    actions=(EmptyAction("train", "Go to Train", primary=True),),
)
TabName = Literal["export", "apply", "report"]
_TABS: tuple[TabName, ...] = ("export", "apply", "report")


class ExportPage(QWidget):
    """Three tabs: write an adapter, use an adapter, write a report.

    Signal: ``empty_action(str)``.
    """

    empty_action = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.write_tab = WriteTab()
        self.apply_tab = ApplyTab()
        self.report_tab = ReportTab()
        self._empty = EmptyState(theme, NOTHING_TO_EXPORT)
        self._no_report = EmptyState(theme, NOTHING_TO_REPORT)
        self._first = QStackedWidget()
        self._first.addWidget(self.write_tab)
        self._first.addWidget(self._empty)
        self._third = QStackedWidget()
        self._third.addWidget(self.report_tab)
        self._third.addWidget(self._no_report)
        self._third.setCurrentIndex(1)
        self._tabs = QTabWidget()
        self.setFocusProxy(self._tabs)
        self._tabs.tabBar().setDrawBase(False)
        self._tabs.addTab(self._first, "Write an adapter")
        self._tabs.addTab(self.apply_tab, "Use an adapter")
        self._tabs.addTab(self._third, "Report")
        outer = vertical(self, margins=(0, GAP, 0, 0))
        outer.addWidget(self._tabs)
        self._connect()

    def set_state(self, state: ExportState) -> None:
        """Show what would be written."""
        self._first.setCurrentIndex(1 if state.run is None else 0)
        self.write_tab.set_state(state)

    def set_report_state(self, state: ReportState) -> None:
        """Show what a report will say."""
        self._third.setCurrentIndex(1 if state.run is None else 0)
        self.report_tab.set_state(state)

    def show_tab(self, name: TabName) -> None:
        """Bring a tab to the front."""
        self._tabs.setCurrentIndex(_TABS.index(name))

    def _connect(self) -> None:
        for nothing in (self._empty, self._no_report):
            nothing.action_requested.connect(self.empty_action)
