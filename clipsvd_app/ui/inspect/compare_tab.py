"""Two runs side by side: what changed, what it did to the figures, which cases flipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from clipsvd_app.domain.results.comparison import FLIP_TITLES
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.ui.kit.figures.saving import save_button
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import GAP, Card, column, empty, label, scrolled
from clipsvd_app.ui.kit.plots.method_table import MethodTable
from clipsvd_app.ui.run.gallery_list import GalleryItem, GalleryList
from clipsvd_app.ui.run.run_box import RunBox, run_title

if TYPE_CHECKING:
    from clipsvd_app.domain.results.comparison import ChangedFact, Flip
    from clipsvd_app.ui.run.state import ComparisonState, InspectState

ONE_RUN = "There is only one run. Train again, with more labels or another preset, to compare."


class CompareTab(QWidget):
    """Signals: ``other_chosen(run number)``, ``failed(UserError)`` from saving a picture."""

    other_chosen = Signal(int)
    failed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._intro = label("Compared with", wrap=False)
        self._choice = RunBox("Run to compare with")
        self.table = MethodTable()
        self._facts = QGridLayout()
        self._labels = label("", "muted")
        self._caution = label("", "warning")
        self._flips_said = label("", "muted")
        self.gallery = GalleryList()
        self._scores = Card("Metrics of both runs")
        self._made = Card("What changed")
        self._flipped = Card("Cases classified differently")
        self._arrange()
        self._choice.run_chosen.connect(self.other_chosen)
        self.table.failed.connect(self.failed)

    def set_run(self, state: InspectState) -> None:
        """Offer the other runs; what they compare to comes with :meth:`set_comparison`."""
        others = tuple(run for run in state.runs if run != state.run)
        self._choice.set_runs(others, None)
        self._intro.setText("Compared with" if others else ONE_RUN)
        self._choice.setVisible(bool(others))
        self.set_comparison(None)

    def set_comparison(self, state: ComparisonState | None) -> None:
        """Show two runs, or none."""
        for part in (self._scores, self._made, self._flipped):
            part.setVisible(state is not None)
        if state is None:
            self.gallery.set_items(())
            return
        self._choice.show_run(state.before)
        self.table.set_methods(
            tuple(score for _, score in state.rows), tuple(title for title, _ in state.rows)
        )
        self.table.setVisible(bool(state.rows))
        self._caution.setText(state.caution)
        self._caution.setVisible(bool(state.caution))
        self._labels.setText(state.labels)
        self._show_facts(state.facts, state)
        self.gallery.set_items(tuple(_item(flip, state.class_names) for flip in state.flips or ()))
        self.gallery.setVisible(bool(state.flips))
        self._flips_said.setText(flips_text(state))

    def _show_facts(self, facts: tuple[ChangedFact, ...], state: ComparisonState) -> None:
        empty(self._facts)
        for place, run in ((1, state.before), (2, state.now)):
            self._facts.addWidget(label(run_title(run), "section", wrap=False), 0, place)
        for row, fact in enumerate(facts, start=1):
            kind = "" if fact.differs else "muted"
            mark = "≠" if fact.differs else " "
            self._facts.addWidget(label(f"{mark} {fact.name}", "muted", wrap=False), row, 0)
            self._facts.addWidget(label(fact.before, kind), row, 1)
            self._facts.addWidget(label(fact.now, kind), row, 2)

    def _arrange(self) -> None:
        self._facts.setHorizontalSpacing(GAP * 3)
        self._facts.setVerticalSpacing(GAP - 2)
        self._facts.setColumnStretch(1, 1)
        self._facts.setColumnStretch(2, 1)
        self._scores.head.addWidget(save_button(self.table))
        self._scores.body.addWidget(self.table)
        self._scores.body.addWidget(self._caution)
        self._made.body.addLayout(self._facts)
        self._made.body.addWidget(self._labels)
        self._flipped.body.addWidget(self._flips_said)
        self._flipped.body.addWidget(self.gallery)
        head = QHBoxLayout()
        head.addWidget(self._intro)
        head.addWidget(self._choice)
        head.addStretch(1)
        whole = vertical(self, GAP, margins=(0, GAP + 4, 0, 0))
        whole.addLayout(head)
        whole.addWidget(scrolled(column(self._flipped, self._scores, self._made)), 1)


def flips_text(state: ComparisonState) -> str:
    """Say how many cases flipped, and which way."""
    if state.flips is None:
        return "The runs have different classes, so their cases cannot be compared."
    if not state.shared:
        return "There is no case that was unseen in both runs."
    if not state.flips:
        return f"Both runs classify all {counted(state.shared, 'shared unseen case')} alike."
    parts = [
        f"{sum(flip.kind == kind for flip in state.flips)} {title[0].lower()}{title[1:]}"
        for kind, title in FLIP_TITLES.items()
        if any(flip.kind == kind for flip in state.flips)
    ]
    return f"Of {counted(state.shared, 'shared unseen case')}: {'; '.join(parts)}."


def _item(flip: Flip, names: tuple[str, ...]) -> GalleryItem:
    sentence = (
        f"{FLIP_TITLES[flip.kind]}.\nLabelled “{names[flip.label]}”; before “{names[flip.before]}”, "
        f"now “{names[flip.now]}”."
    )
    badge = {"now_right": "now correct", "now_wrong": "now misclassified"}.get(flip.kind, "other error")
    return GalleryItem(flip.image_id, flip.label, flip.now, None, badge=badge, sentence=sentence)
