"""A page about one run: a drop-down of runs above tabs, or what to do where there is no run yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTabWidget, QWidget

from clipsvd_app.domain.words.notice import NOT_DIAGNOSTIC
from clipsvd_app.ui.kit.empty_state import EmptyState
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import GAP, label
from clipsvd_app.ui.run.run_box import RunBox

if TYPE_CHECKING:
    from clipsvd_app.ui.look.theme import Theme
    from clipsvd_app.ui.session.state import EmptySpec

Tab = TypeVar("Tab", bound=QWidget)
TABS_LEAST_PX = 500


class RunPage(QWidget):
    """Which run that is, the session decides.

    Signals: ``run_chosen(int)``, ``case_opened(image_id)``, ``thumbnails_wanted(tuple of image ids)``,
    ``empty_action(str)``, ``failed(UserError)`` from saving a picture.
    """

    run_chosen = Signal(int)
    case_opened = Signal(int)
    thumbnails_wanted = Signal(object)
    empty_action = Signal(str)
    failed = Signal(object)

    def __init__(self, theme: Theme, nothing: EmptySpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._names: list[str] = []
        self._runs = RunBox()
        self._tabs = QTabWidget()
        self._tabs.tabBar().setDrawBase(False)
        self._tabs.setMinimumWidth(TABS_LEAST_PX)
        self._empty = EmptyState(theme, nothing)
        self._top = QHBoxLayout()
        self._top.addWidget(self._runs)
        self._whole = QStackedWidget()
        self._runs.run_chosen.connect(self.run_chosen)
        self._empty.action_requested.connect(self.empty_action)

    def add_tab(self, name: str, title: str, tab: Tab) -> Tab:
        """Add a tab and return it."""
        self._names.append(name)
        self._tabs.addTab(tab, title)
        return tab

    def set_runs(self, runs: tuple[int, ...], run: int | None) -> None:
        """Offer runs and show one, or say that there is none."""
        self._whole.setCurrentIndex(1 if run is None else 0)
        self.setFocusProxy(self._empty if run is None else self._tabs)
        self._runs.set_runs(runs, run)

    @property
    def tab(self) -> str:
        """The tab in front."""
        return self._names[self._tabs.currentIndex()]

    def show_tab(self, name: str) -> None:
        """Bring a tab to the front."""
        self._tabs.setCurrentIndex(self._names.index(name))

    def _lay_out(self, main: QWidget) -> None:
        """Put the page together around what stands above the note."""
        content = QWidget()
        column = vertical(content, GAP, margins=(GAP * 2, GAP + 4, GAP * 2, GAP))
        column.addWidget(main, 1)
        column.addWidget(label(NOT_DIAGNOSTIC, "small"))
        self._whole.addWidget(content)
        self._whole.addWidget(self._empty)
        outer = vertical(self)
        outer.addWidget(self._whole)
        self.set_runs((), None)

    def _below_top(self) -> QWidget:
        """Return the tabs under the row of the drop-down."""
        both = QWidget()
        column = vertical(both, GAP)
        column.addLayout(self._top)
        column.addWidget(self._tabs, 1)
        return both
