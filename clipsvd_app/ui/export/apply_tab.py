"""Use an adapter: open it, read its card, drop new studies on it, read what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QGridLayout,
    QProgressBar,
    QStackedWidget,
    QWidget,
)

from clipsvd_app.adapter_file.names import EITHER, FILE_FILTER
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.notice import NOT_DIAGNOSTIC
from clipsvd_app.jobs.answers import VerifyResult
from clipsvd_app.ui.export.results_table import ResultsTable
from clipsvd_app.ui.export.write_tab import check_lines
from clipsvd_app.ui.kit.drop_area import DropArea
from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.layouts import horizontal, vertical
from clipsvd_app.ui.kit.page_parts import GAP, Card, Facts, Lines, button, column, label, one_line, scrolled

if TYPE_CHECKING:
    from clipsvd_app.ui.export.state import AdapterView, ApplyState


class ApplyTab(QWidget):
    """First an adapter, then studies, then a table of predictions.

    Signals: ``adapter_opened(path)``, ``studies_dropped(list of paths)``, ``csv_requested(path)``,
    ``cancel_requested()``.
    """

    adapter_opened = Signal(str)
    studies_dropped = Signal(object)
    csv_requested = Signal(str)
    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.open_area = DropArea(
            "Drop an adapter here",
            f"A {EITHER} file, your own or a colleague's",
            "Open adapter…",
        )
        self.studies_area = DropArea(
            "Drop new studies here",
            "Files or folders; they are not added to the project",
            "Choose files…",
        )
        self.table = ResultsTable()
        self._card = Card("Adapter")
        self._facts = Facts()
        self._use = label("")
        self._checks = Lines()
        self._other = button("Open another…")
        self._stage = one_line("", "muted")
        self._bar = QProgressBar()
        self._cancel = destructive(button("Cancel"))
        self._csv = button("Save CSV…")
        self._warning = Lines()
        self._refused = Lines()
        self._refused_area = scrolled(self._refused)
        self._stack = QStackedWidget()
        self._arrange()
        self._connect()

    def set_state(self, state: ApplyState) -> None:
        """Show an adapter and its predictions."""
        self._stack.setCurrentIndex(0 if state.adapter is None else 1)
        if state.adapter is None:
            return
        self._show_adapter(state.adapter)
        self.table.set_rows(state.adapter.class_names, state.rows)
        self.table.setVisible(bool(state.rows))
        self._csv.setEnabled(bool(state.rows) and state.progress is None)
        self._show_progress(state)
        self._warning.set_lines([("⚠", state.warning, "warning")] if state.warning else ())
        refused = [("✗", f"{row.file_name}: {row.sentence}", "warning") for row in state.refused]
        self._refused.set_lines(refused)
        self._refused_area.setVisible(bool(refused))

    def _arrange(self) -> None:
        first = QWidget()
        middle = QGridLayout(first)
        self.open_area.setMaximumSize(560, 260)
        middle.addWidget(self.open_area, 0, 0)
        self._card.head.addWidget(self._other)
        for widget in (self._facts, self._use, self._checks):
            self._card.body.addWidget(widget)
        left = QWidget()
        stack = vertical(left, GAP * 2)
        stack.addWidget(scrolled(column(self._card)), 1)
        self.studies_area.setMaximumHeight(200)
        stack.addWidget(self.studies_area)
        left.setMinimumWidth(280)
        left.setMaximumWidth(360)
        second = QWidget()
        row = horizontal(second, GAP * 2, margins=(GAP * 2, GAP, GAP * 2, GAP))
        row.addWidget(left, 2)
        row.addWidget(self._results(), 5)
        self._stack.addWidget(first)
        self._stack.addWidget(second)
        outer = vertical(self)
        outer.addWidget(self._stack)

    def _results(self) -> QFrame:
        card = Card("Model card")
        self._bar.setTextVisible(False)
        for widget in (self._stage, self._cancel, self._csv):
            card.head.addWidget(widget)
        self._refused_area.setMaximumHeight(110)
        self._empty = label(
            "Predictions appear here, least certain first. Double-click or press Enter to open the image.",
            "muted",
        )
        card.body.addWidget(self._bar)
        card.body.addWidget(self._empty)
        card.body.addWidget(self._warning)
        card.body.addWidget(self.table, 1)
        card.body.addWidget(self._refused_area)
        card.body.addStretch(0)
        card.body.addWidget(label(NOT_DIAGNOSTIC, "small"))
        return card

    def _connect(self) -> None:
        self.open_area.pressed.connect(self._choose_adapter)
        self._other.clicked.connect(self._choose_adapter)
        self.open_area.paths_dropped.connect(lambda paths: self.adapter_opened.emit(paths[0]))
        self.studies_area.pressed.connect(self._choose_studies)
        self.studies_area.paths_dropped.connect(self.studies_dropped)
        self._cancel.clicked.connect(self.cancel_requested)
        self._csv.clicked.connect(self._choose_csv)

    def _show_adapter(self, adapter: AdapterView) -> None:
        self._card.set_title("Adapter")
        self._facts.set_facts((("File", adapter.file_name), *adapter.facts))
        self._use.setText(adapter.intended_use)
        self._use.setVisible(bool(adapter.intended_use))
        self._checks.set_lines(_check_summary(adapter.checks) if adapter.checks else ())

    def _show_progress(self, state: ApplyState) -> None:
        busy = state.progress is not None
        self._bar.setVisible(busy)
        self._cancel.setVisible(busy)
        self._empty.setVisible(not state.rows and not busy)
        if state.progress is not None:
            stage, done, total = state.progress
            self._bar.setRange(0, total)
            self._bar.setValue(done)
            self._stage.setText(f"{stage}, {done} of {total}")
        else:
            self._stage.setText(counted(len(state.rows), "image") if state.rows else "")

    def _choose_adapter(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open adapter", "", FILE_FILTER)
        if path:
            self.adapter_opened.emit(path)

    def _choose_studies(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Choose studies")
        if paths:
            self.studies_dropped.emit(paths)

    def _choose_csv(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save predictions", "predictions.csv", "CSV (*.csv)")
        if path:
            self.csv_requested.emit(path)


def _check_summary(result: VerifyResult) -> list[tuple[str, str, str]]:
    """Return one line when every check held, else the lines of those that did not."""
    if result.passed:
        names = ", ".join(check.name for check in result.checks)
        return [("✓", f"Verified against its backbone: {names}.", "success")]
    failed = VerifyResult(tuple(check for check in result.checks if not check.passed))
    return check_lines(failed)
