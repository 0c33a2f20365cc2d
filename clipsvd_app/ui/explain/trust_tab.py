"""How far the explanations can be trusted: controls, residuals, what they rest on, and the words used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.domain.words.run_changes import left_out_notes
from clipsvd_app.domain.words.statement import Statement
from clipsvd_app.ui.explain.cards.packs_card import PacksCard
from clipsvd_app.ui.explain.cards.part_card import PartCard
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import GAP, Facts, SideBySide, column, label, scrolled
from clipsvd_app.ui.kit.plots.controls_table import ControlsTable

if TYPE_CHECKING:
    from clipsvd_app.domain.results.explanation import CaseExplanation, Control, RunExplanation
    from clipsvd_app.ui.explain.state import CaseView, ExplainState

NO_RUN_CONTROLS = "No controls stored with this run."
NO_CASE_CONTROLS = "Choose a case on the This case tab to see its controls."
_HOW_RUN = (
    "Every description must exceed chance and rank above negative controls. If a control of"
    " the heads fails, no head is described; each class has its own controls."
)
_HOW_CASE = (
    "Contributions must add up to the score. Masking in the order of a heat map must lower"
    " the margin faster than ten random orders and than from the centre, and the map must differ from"
    " those of meaningless prompts."
)


class TrustTab(QWidget):
    """Signals: ``failed(UserError)``; those of the packs stand on ``packs``."""

    failed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.run_controls, self.case_controls = ControlsTable(), ControlsTable()
        self.run_controls.setAccessibleName("Controls of the run")
        self.case_controls.setAccessibleName("Controls of the case")
        self._run_card = PartCard("Controls of the run", self.run_controls)
        self._case_card = PartCard("Controls of the case", self.case_controls)
        self._rests, self._case_rests = Facts(), Facts()
        self._notes = label("", "warning")
        self.packs = PacksCard()
        self._basis = PartCard("Basis of the run's descriptions")
        self._basis.body.addWidget(self._rests)
        self._basis.body.addWidget(self._notes)
        self._residuals = PartCard("Residuals of the case")
        self._residuals.body.addWidget(self._case_rests)
        for card in (self._run_card, self._case_card, self._basis, self._residuals):
            card.body.addStretch(1)
            card.failed.connect(self.failed)
        whole = vertical(self, margins=(0, GAP + 4, 0, 0))
        rows = (
            SideBySide(self._run_card, self._basis, from_width_px=860),
            SideBySide(self._case_card, self._residuals, from_width_px=860),
            self.packs,
        )
        whole.addWidget(scrolled(column(*rows)))
        self.set_case(None)

    def set_state(self, state: ExplainState) -> None:
        """Show a run."""
        found = state.explanation
        _show(self._run_card, self.run_controls, found.controls if found else (), NO_RUN_CONTROLS, _HOW_RUN)
        facts = run_facts(found) if found is not None else ()
        self._rests.set_facts(facts)
        self._basis.set_rows(facts)
        self._notes.setText("\n".join(left_out_notes(found)) if found is not None else "")
        self._notes.setVisible(bool(self._notes.text()))
        self.set_case(None)

    def set_case(self, view: CaseView | None) -> None:
        """Show a case's controls, or that none is chosen."""
        case = None if view is None else view.explanation
        self._case_card.set_title("Controls of the case" if view is None else f"Controls of {view.caption}")
        controls = case.controls if case is not None else ()
        _show(self._case_card, self.case_controls, controls, NO_CASE_CONTROLS, _HOW_CASE)
        facts = case_facts(case) if case is not None else (("Case", "none chosen"),)
        self._case_rests.set_facts(facts)
        self._residuals.set_rows(facts)

    def run_text(self) -> str:
        """Return what is said above the run's controls."""
        return self._run_card.sentence.text()

    def case_text(self) -> str:
        """Return what is said above the case's controls."""
        return self._case_card.sentence.text()


def run_facts(found: RunExplanation) -> tuple[tuple[str, str], ...]:
    """Return how much the words of a run rest on."""
    read = [head for head in found.heads if head.after is not None]
    above = sum(bool(head.after and head.after.phrases) for head in read)
    described = sum(bool(direction.positive or direction.negative) for direction in found.directions)
    told = sum(bool(change.told_after()) for change in found.classes)
    return (
        (
            "Classes described after adaptation",
            f"{told} of {len(found.classes)}" if found.classes else "none",
        ),
        ("Reference images", f"{found.images:,}" if found.images else "not kept"),
        ("Phrases used", f"{found.phrases:,}" if found.phrases else "not kept"),
        (
            "Heads described",
            f"{above} of {counted(len(read), 'head')} read" if read else "none",
        ),
        ("Directions described", f"{described} of {len(found.directions)}"),
    )


def case_facts(case: CaseExplanation) -> tuple[tuple[str, str], ...]:
    """Return what a case's sums leave over, and how specific its map is."""
    facts = []
    if case.decomposition:
        facts.append(
            ("Score minus contributions", f"{case.residual:.1e} ({counted(len(case.decomposition), 'part')})")
        )
    else:
        facts.append(("Score minus contributions", "no exact decomposition"))
    if (change := case.attribution) is not None:
        facts.append(
            (
                "Change minus contributions",
                f"{change.residual:.1e} ({counted(change.nodes, 'point')} of the path)",
            )
        )
    facts.append(("Concepts' likeness", f"{case.concepts_cosine:.2f} (at least 0.60)"))
    facts.append(("Weight of negative controls", f"{percent(case.control_share)} (limit: 10 %)"))
    if (own := case.map_specificity) is not None:
        others = counted(own.prompts, "nonsense prompt")
        figures = f"{own.to_nonsense:.2f} from {others}, {own.among_nonsense:.2f} among them"
        facts.append(
            ("Distance of the map", f"{figures}: {'specific' if own.is_specific else 'not specific'}")
        )
    if case.seconds:
        facts.append(("Explained in", f"{case.seconds:.1f} s"))
    return tuple(facts)


def _show(card: PartCard, table: ControlsTable, controls: tuple[Control, ...], absent: str, how: str) -> None:
    held = sum(control.passed for control in controls)
    sentence = f"{held} of {counted(len(controls), 'control')} passed." if controls else absent
    card.set_words(Statement(sentence, how))
    table.set_controls(controls)
    table.setVisible(bool(controls))
