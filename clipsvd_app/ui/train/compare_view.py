"""Two runs side by side: every method of both on one axis, and the facts in which they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from clipsvd_app.domain.results.evaluation import METHOD_TITLES
from clipsvd_app.ui.kit.page_parts import GAP, Card, button, empty, label
from clipsvd_app.ui.kit.plots.method_table import MethodTable

if TYPE_CHECKING:
    from clipsvd_app.domain.results.evaluation import MethodScore
    from clipsvd_app.ui.train.state import ComparedRun


class CompareView(Card):
    """The rows alternate between the runs, method by method, so that like stands above like."""

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Two runs compared", parent)
        self.table = MethodTable()
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(GAP * 3)
        self._facts.setVerticalSpacing(GAP - 2)
        self._caution = label(
            "Runs tested on different patients cannot be compared exactly; compare their confidence"
            " intervals.",
            "small",
        )
        close = button("Close")
        close.clicked.connect(self.closed)
        self.head.addWidget(close)
        self.body.addWidget(self.table)
        self.body.addLayout(self._facts)
        self.body.addWidget(self._caution)
        self.body.addStretch(1)

    def set_runs(self, first: ComparedRun, second: ComparedRun) -> None:
        """Show two runs."""
        self.set_title(f"{first.title} and {second.title}")
        rows = paired_rows(first, second)
        self.table.set_methods(tuple(score for _, score in rows), tuple(title for title, _ in rows))
        self._show_facts(first, second)
        alike = (first.evaluation.kind, first.evaluation.images, first.evaluation.patients) == (
            second.evaluation.kind,
            second.evaluation.images,
            second.evaluation.patients,
        )
        self._caution.setVisible(not alike)

    def _show_facts(self, first: ComparedRun, second: ComparedRun) -> None:
        empty(self._facts)
        self._facts.addWidget(label(first.title, "section", wrap=False), 0, 1)
        self._facts.addWidget(label(second.title, "section", wrap=False), 0, 2)
        others = dict(second.facts)
        for row, (name, value) in enumerate(first.facts, start=1):
            other = others.get(name, "–")
            kind = "muted" if value == other else ""
            self._facts.addWidget(label(name, "muted", wrap=False), row, 0)
            self._facts.addWidget(label(value, kind), row, 1)
            self._facts.addWidget(label(other, kind), row, 2)
        self._facts.setColumnStretch(3, 1)


def paired_rows(first: ComparedRun, second: ComparedRun) -> list[tuple[str, MethodScore]]:
    """Return (title, score) of both runs, method by method."""
    rows = []
    for method, title in METHOD_TITLES.items():
        for run in (first, second):
            rows += [
                (f"{title}, {run.title}", score) for score in run.evaluation.methods if score.method == method
            ]
    return rows
