"""A run's report: what it will say, what only a tick adds, and writing it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFileDialog, QHBoxLayout, QLineEdit, QProgressBar, QWidget

from clipsvd_app.ui.export.state import ReportState
from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.layouts import horizontal
from clipsvd_app.ui.kit.page_parts import (
    GAP,
    Banner,
    Card,
    Facts,
    Lines,
    SideBySide,
    button,
    choice,
    column,
    label,
    scrolled,
)
from clipsvd_app.ui.run.run_box import RunBox

INSIDE = (
    "Verdict and all methods with confidence intervals",
    "Cohort, split and recipe",
    "Confusion matrix, ROC curves, calibration, coverage and error rate",
    "What adaptation changed, with controls",
    "Limitations, and the known items of CLAIM 2024 and TRIPOD+AI",
)
NEVER_INSIDE = (
    "No names, IDs or dates of patients",
    "No file names or paths, nor the project's name",
    "“Not for diagnostic use” on every page",
)
_KINDS = ((".pdf", "PDF"), (".html", "Web page (one file)"))


class ReportTab(QWidget):
    """What a report says, never holds, and where it goes.

    Signals: ``run_chosen(int)``, ``report_requested(path, with failures, may overwrite)``,
    ``cancel_requested()``.
    """

    run_chosen = Signal(int)
    report_requested = Signal(str, bool, bool)
    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = ReportState()
        self._agreed: set[str] = set()
        self._runs = RunBox("Run to report on")
        self._facts = Facts()
        self._inside, self._never = Lines(), Lines()
        self._kind = choice("Format")
        self._failures = QCheckBox("Include images of errors")
        self._failures_note = label("", "small")
        self._path = QLineEdit()
        self._browse = button("Browse…")
        self._write = destructive(button("Write report", "primary"))
        self._bar = QProgressBar()
        self._cancel = destructive(button("Cancel"))
        self.banner = Banner()
        self._arrange()
        self._connect()

    def set_state(self, state: ReportState) -> None:
        """Show a run's report; the path is refilled only when the run changes."""
        if (state.run, state.path) != (self._state.run, self._state.path):
            self._path.setText(str(Path(state.path).with_suffix(self.suffix)) if state.path else "")
        self._state = state
        self._runs.set_runs(state.runs, state.run)
        self._facts.set_facts(state.facts)
        self._failures_note.setText(state.failures_note)
        self._failures.setEnabled(state.failures_possible)
        self._show_progress(state)
        self.banner.setVisible(state.written is not None)
        if state.written is not None:
            self._path.setModified(False)
            self.banner.show_text("success", f"{state.written} written", state.written_note)

    @property
    def is_edited(self) -> bool:
        """Whether a path is typed that was not written to yet."""
        return self._path.isModified()

    @property
    def suffix(self) -> str:
        """The kind of file that is chosen."""
        return _KINDS[max(0, self._kind.currentIndex())][0]

    def _show_progress(self, state: ReportState) -> None:
        busy = state.progress is not None
        self._bar.setVisible(busy)
        self._cancel.setVisible(busy)
        if state.progress is not None:
            done, total = state.progress
            self._bar.setRange(0, total)
            self._bar.setValue(done)
        self._write.setText("Writing…" if busy else "Write report")
        self._update_button()

    def _arrange(self) -> None:
        self._inside.set_lines(("✓", line, "success") for line in INSIDE)
        self._never.set_lines(("✓", line, "success") for line in NEVER_INSIDE)
        contents = Card("Contents")
        contents.head.addWidget(self._runs)
        contents.body.addWidget(self._facts)
        contents.body.addWidget(self._inside)
        never = Card("Never included")
        never.body.addWidget(self._never)
        both = SideBySide(column(contents, never), column(self._form()))
        row = horizontal(self, margins=GAP * 2)
        row.addWidget(scrolled(column(both)))

    def _form(self) -> Card:
        form = Card("Output")
        self._kind.addItems([title for _, title in _KINDS])
        self._path.setAccessibleName("Report file")
        self._bar.setAccessibleName("Progress of the report")
        self._write.setMinimumHeight(40)
        form.body.addWidget(self._kind)
        form.body.addWidget(self._failures)
        form.body.addWidget(self._failures_note)
        form.body.addWidget(label("File", "section"))
        form.body.addLayout(_row(self._path, self._browse))
        form.body.addWidget(self._write)
        form.body.addLayout(_row(self._bar, self._cancel))
        form.body.addWidget(self.banner)
        self.banner.hide()
        return form

    def _connect(self) -> None:
        self._runs.run_chosen.connect(self.run_chosen)
        self._kind.currentIndexChanged.connect(self._change_suffix)
        self._browse.clicked.connect(self._choose_path)
        self._path.textChanged.connect(self._update_button)
        self._write.clicked.connect(self._ask_to_write)
        self._cancel.clicked.connect(self.cancel_requested)

    def _ask_to_write(self) -> None:
        path = self._path.text().strip()
        # The file dialog has asked about a file that is there; one that was written here may be renewed.
        self.report_requested.emit(path, self._failures.isChecked(), path in self._agreed)
        self._agreed.add(path)

    def _change_suffix(self) -> None:
        if self._path.text().strip():
            self._path.setText(str(Path(self._path.text().strip()).with_suffix(self.suffix)))

    def _choose_path(self) -> None:
        kinds = f"Reports (*{self.suffix})"
        path, _ = QFileDialog.getSaveFileName(self, "Write report", self._path.text(), kinds)
        if path:
            chosen = path if Path(path).suffix else path + self.suffix
            self._agreed.add(chosen)
            self._path.setText(chosen)

    def _update_button(self) -> None:
        idle = self._state.progress is None and self._state.run is not None
        self._write.setEnabled(idle and bool(self._path.text().strip()))


def _row(first: QWidget, second: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.addWidget(first, 1)
    row.addWidget(second)
    return row
