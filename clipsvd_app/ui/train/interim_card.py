"""What a training knows before it is done: the methods on frozen features first, then the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from clipsvd_app.domain.results.evaluation import METHOD_TITLES
from clipsvd_app.domain.words.evaluation import recommendation_text, verdict_sentence
from clipsvd_app.domain.words.numbers import percent_with_interval
from clipsvd_app.domain.words.results import basis_text, verdict_title
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import GAP, empty, label

if TYPE_CHECKING:
    from clipsvd_app.domain.results.evaluation import Evaluation, MethodScore
    from clipsvd_app.ui.train.state import InterimView

_OURS = "clip_svd"


class InterimCard(QWidget):
    """A headline, a row a method, and what they amount to; hidden while nothing is known."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = label("", "headline")
        self._basis = label("", "small")
        self._said = label("", "small")
        self._next = label("", "muted")
        self._rows = QGridLayout()
        self._rows.setHorizontalSpacing(GAP * 2)
        self._rows.setVerticalSpacing(2)
        self._rows.setColumnStretch(0, 1)
        column = vertical(self, GAP)
        for widget in (self._title, self._basis):
            column.addWidget(widget)
        column.addLayout(self._rows)
        for widget in (self._said, self._next):
            column.addWidget(widget)
        column.addStretch(1)
        self.setMinimumWidth(280)
        self.set_interim(None)

    def set_interim(self, view: InterimView | None) -> None:
        """Show what is known, or nothing."""
        self.setVisible(view is not None)
        empty(self._rows)
        if view is None:
            return
        found = view.evaluation
        self._title.setText(view.prefix + headline(found))
        self._basis.setText(basis_text(found))
        self._basis.setVisible(bool(found.methods))
        for row, score in enumerate(found.methods):
            self._add_row(row, score, recommended=score.method == found.recommended)
        sentence = verdict_sentence(found)
        said = recommendation_text(found) or sentence
        self._said.setText(said)
        self._said.setToolTip(sentence)
        self._said.setVisible(bool(said))
        self._next.setText(view.next_step)
        self._next.setVisible(bool(view.next_step))

    def _add_row(self, row: int, score: MethodScore, *, recommended: bool) -> None:
        title = METHOD_TITLES[score.method]
        name = label(title + (" · recommended" if recommended else ""))
        value = label(percent_with_interval(score.balanced_accuracy, score.interval), wrap=False)
        value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        value.setToolTip(f"{title}: balanced accuracy with its 95 % interval")
        for shown in (name, value):
            font = shown.font()
            font.setBold(recommended)
            shown.setFont(font)
        self._rows.addWidget(name, row, 0)
        self._rows.addWidget(value, row, 1)


def headline(evaluation: Evaluation) -> str:
    """Return the verdict once CLIP-SVD is among the methods, else what the rows are."""
    if evaluation.kind == "none" or has_verdict(evaluation):
        return verdict_title(evaluation)
    return "Methods on frozen features"


def has_verdict(evaluation: Evaluation) -> bool:
    """Whether CLIP-SVD has been estimated too."""
    return any(score.method == _OURS for score in evaluation.methods)
