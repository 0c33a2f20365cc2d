"""The runs so far: two of them can be marked and compared, a stopped one resumed or discarded."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from clipsvd_app.domain.words.numbers import percent_with_interval
from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.page_parts import Card, button, label
from clipsvd_app.ui.train.state import VERDICT_WORDS, RunRow

_HEADINGS = ("Run", "When", "Images", "Shots", "Recipe", "Balanced accuracy", "Verdict")
_STATE_WORDS = {"failed": "Failed"}


class RunsTable(Card):
    """A row a run, the stopped ones first. A double click or Enter opens one.

    Two that are marked can be compared. A stopped one goes on with Resume; Discard takes it off the list.
    """

    run_opened = Signal(int)
    compare_requested = Signal(int, int)
    resume_requested = Signal(str)
    discard_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Runs", parent)
        self._runs: tuple[RunRow, ...] = ()
        self._open = button("Inspect")
        self._compare = button("Compare two")
        self._resume = destructive(button("Resume", hint="Resume with the same settings"))
        self._discard = destructive(button("Discard", hint="Remove the stopped run from the list"))
        self._running = False
        self._table = _table()
        self.setFocusProxy(self._table)
        self._hint = label("Finished runs appear here.", "muted")
        self.head.addWidget(self._discard)
        self.head.addWidget(self._resume)
        self.head.addWidget(self._open)
        self.head.addWidget(self._compare)
        self.body.addWidget(self._hint, 0, Qt.AlignmentFlag.AlignTop)
        self.body.addWidget(self._table, 1)
        self._open.clicked.connect(self._open_marked)
        self._compare.clicked.connect(self._compare_marked)
        self._table.itemSelectionChanged.connect(self._marked_changed)
        self._resume.clicked.connect(lambda: self.resume_requested.emit(self._marked()[0].key))
        self._discard.clicked.connect(lambda: self.discard_requested.emit(self._marked()[0].key))
        self._table.itemActivated.connect(lambda item: self._activate(self._runs[item.row()]))

    def set_runs(self, runs: tuple[RunRow, ...]) -> None:
        """Show the runs, newest first, keeping the marks."""
        marked = {_id(row) for row in self._marked()}
        self._runs = tuple(sorted(runs, key=lambda run: (run.state != "stopped", -run.number)))
        self._table.setRowCount(len(self._runs))
        for row, run in enumerate(self._runs):
            for column, text in enumerate(_texts(run)):
                item = QTableWidgetItem(text)
                item.setToolTip(run.note)
                self._table.setItem(row, column, item)
        self._table.clearSelection()
        self._mark(marked)
        self._table.setVisible(bool(runs))
        self._hint.setVisible(not runs)
        self._marked_changed()

    def set_running(self, running: bool) -> None:
        """One training at a time: nothing is resumed meanwhile."""
        if running != self._running:
            self._running = running
            self._marked_changed()

    def mark(self, *numbers: int) -> None:
        """Mark the runs with these numbers."""
        self._mark(set(numbers))

    def _mark(self, marked: set[int | str]) -> None:
        for row, run in enumerate(self._runs):
            for column in range(len(_HEADINGS)):
                item = self._table.item(row, column)
                if item is not None:
                    item.setSelected(_id(run) in marked)

    def _marked(self) -> list[RunRow]:
        rows = sorted({index.row() for index in self._table.selectedIndexes()})
        return [self._runs[row] for row in rows if row < len(self._runs)]

    def _marked_changed(self) -> None:
        marked = self._marked()
        self._open.setEnabled(len(marked) == 1 and marked[0].state == "done")
        self._compare.setEnabled(len(marked) == 2 and all(run.state == "done" for run in marked))
        one_stopped = len(marked) == 1 and marked[0].state == "stopped"
        self._resume.setEnabled(one_stopped and not self._running)
        self._discard.setEnabled(one_stopped)
        for widget in (self._resume, self._discard):
            widget.setVisible(any(run.state == "stopped" for run in self._runs))

    def _activate(self, run: RunRow) -> None:
        if run.state == "done":
            self.run_opened.emit(run.number)

    def _open_marked(self) -> None:
        self.run_opened.emit(self._marked()[0].number)

    def _compare_marked(self) -> None:
        newer, older = self._marked()
        self.compare_requested.emit(older.number, newer.number)


def _id(run: RunRow) -> int | str:
    return run.key or run.number


def _table() -> QTableWidget:
    table = QTableWidget(0, len(_HEADINGS))
    table.setHorizontalHeaderLabels(list(_HEADINGS))
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
    table.setShowGrid(False)
    table.setMinimumHeight(72)
    table.setTabKeyNavigation(False)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(32)
    header = table.horizontalHeader()
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setStretchLastSection(True)
    header.setHighlightSections(False)
    table.setAccessibleName("Runs")
    return table


def _texts(run: RunRow) -> tuple[str, ...]:
    if run.accuracy is not None and run.interval is not None:
        accuracy = percent_with_interval(run.accuracy, run.interval)
        verdict = VERDICT_WORDS[run.verdict]
    else:
        accuracy = "no estimate" if run.state == "done" else "–"
        verdict = _stopped_words(run.steps) if run.state == "stopped" else _STATE_WORDS.get(run.state, "–")
    shots = "all" if run.shots is None else str(run.shots)
    number = str(run.number) if run.number else "–"
    return (number, run.date, str(run.images), shots, run.preset.capitalize(), accuracy, verdict)


def _stopped_words(steps: tuple[int, int]) -> str:
    done, total = steps
    return f"Stopped at step {done:,} of {total:,}" if done else "Stopped before the first step"
