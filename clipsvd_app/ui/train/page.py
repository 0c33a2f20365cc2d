"""The Train page put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from clipsvd_app.ui.kit.empty_state import EmptyState
from clipsvd_app.ui.kit.layouts import horizontal
from clipsvd_app.ui.kit.page_parts import GAP, column, scrolled, split
from clipsvd_app.ui.session.state import EmptyAction, EmptySpec
from clipsvd_app.ui.train.compare_view import CompareView
from clipsvd_app.ui.train.progress_panel import ProgressPanel
from clipsvd_app.ui.train.runs_table import RunsTable
from clipsvd_app.ui.train.setup_panel import SetupPanel

if TYPE_CHECKING:
    from clipsvd_app.ui.look.theme import Theme
    from clipsvd_app.ui.train.state import ComparedRun, TrainProgress, TrainState

NOTHING_TO_TRAIN = EmptySpec(
    icon="train",
    headline="Not enough labels",
    sentence="Label images of at least two classes. Four images per class are a good start.",
    actions=(EmptyAction("label", "Go to Label", primary=True),),
)


class TrainPage(QWidget):
    """Choices on the left, the run in the middle, the runs so far below.

    Signals: ``empty_action(str)``, ``failed(UserError)`` from saving a picture.
    """

    empty_action = Signal(str)
    failed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setup = SetupPanel()
        self.progress = ProgressPanel()
        self.runs = RunsTable()
        self.comparison = CompareView()
        self._empty = EmptyState(theme, NOTHING_TO_TRAIN)
        self._middle = QStackedWidget()
        self._whole = QStackedWidget()
        self._arrange()
        self._connect()

    def set_state(self, state: TrainState) -> None:
        """Show classes, choices and runs."""
        self._whole.setCurrentIndex(0 if state.classes or state.runs else 1)
        self.setup.set_state(state)
        self.runs.set_runs(state.runs)
        self.setFocusProxy(self.runs if state.runs else self.setup if state.classes else self._empty)

    def set_progress(self, progress: TrainProgress | None) -> None:
        """Show a run in progress, or None when it has ended."""
        self.progress.set_progress(progress)
        self.setup.set_running(progress is not None)
        self.runs.set_running(progress is not None)
        if progress is not None:
            self._middle.setCurrentWidget(self.progress)

    def set_comparison(self, runs: tuple[ComparedRun, ComparedRun] | None) -> None:
        """Show two runs side by side in place of the curves, or None to go back."""
        if runs is None:
            self._middle.setCurrentWidget(self.progress)
        else:
            self.comparison.set_runs(*runs)
            self._middle.setCurrentWidget(self._compared)

    def _arrange(self) -> None:
        self._middle.addWidget(self.progress)
        self._compared = scrolled(column(self.comparison, stretch_end=False))
        self._middle.addWidget(self._compared)
        results = split(Qt.Orientation.Vertical, (self._middle, 3), (self.runs, 2))
        results.setObjectName("training and runs")
        content = QWidget()
        row = horizontal(content, margins=GAP * 2)
        sides = split(Qt.Orientation.Horizontal, (self.setup, 0), (scrolled(results), 1))
        sides.setObjectName("setup and training")
        self.setup.setMaximumWidth(460)
        sides.setSizes([392, 912])
        row.addWidget(sides)
        self._whole.addWidget(content)
        self._whole.addWidget(self._empty)
        outer = horizontal(self)
        outer.addWidget(self._whole)

    def _connect(self) -> None:
        self.comparison.closed.connect(lambda: self.set_comparison(None))
        self._empty.action_requested.connect(self.empty_action)
        for plot in (self.progress.curves, self.comparison.table):
            plot.failed.connect(self.failed)
