"""Why one case got its answer, as far as the controls allow to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from clipsvd_app.ui.explain_page.concept_bars import ConceptBars
from clipsvd_app.ui.inspect_page.case_image import CaseImage
from clipsvd_app.ui.plots.page_parts import GAP, NOT_DIAGNOSTIC, Card, label, scrolled
from clipsvd_app.ui.plots.probability_bars import ProbabilityBars

if TYPE_CHECKING:
    from clipsvd_app.domain.explanation import CaseExplanation
    from clipsvd_app.ui.explain_page.state import CaseView

CONCEPTS_SUFFICE = 0.6
MAP_TRUSTED = "The map passed its control: hiding these places lowers the score faster than chance."
MAP_NOT_TRUSTED = "No map is shown: hiding its places did not lower the score faster than random ones."
CONCEPTS_FAIL = "The concepts do not explain this image; they are left out."


class CaseCard(Card):
    """Image with its map, the two models' answers, concepts, and how we know."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("One case", parent)
        self.image = CaseImage()
        self.bars = ProbabilityBars()
        self.concepts = ConceptBars()
        self._hint = label("On the Inspect page, open a case and choose “Explain this case”.", "muted")
        self._map = label("", "small")
        self._concepts_title = label("Concepts in the image", "section")
        self._concepts_note = label("", "warning")
        self._text = label("")
        self._how = label("", "small")
        self._content = QWidget()
        column = QVBoxLayout(self._content)
        column.setContentsMargins(0, 0, GAP, 0)
        column.setSpacing(GAP)
        self.image.setMinimumHeight(240)
        for widget in (
            self.image,
            self._map,
            self.bars,
            self._text,
            self._concepts_title,
            self.concepts,
            self._concepts_note,
            label("How we know", "section"),
            self._how,
        ):
            column.addWidget(widget)
        column.addStretch(1)
        column.addWidget(label(NOT_DIAGNOSTIC, "small"))
        self.body.addWidget(self._hint)
        self.body.addWidget(scrolled(self._content), 1)
        self.set_case(None)

    def set_case(self, view: CaseView | None) -> None:
        """Show a case, or how to get one."""
        self._hint.setVisible(view is None)
        self._content.setVisible(view is not None)
        self.set_title(view.caption if view is not None and view.caption else "One case")
        if view is None:
            return
        found = view.explanation
        self.image.set_image(view.image)
        if found.saliency_trusted and found.saliency:
            self.image.set_saliency(found.saliency, view.model_view)
        self._map.setText(MAP_TRUSTED if self.image.has_veil else MAP_NOT_TRUSTED)
        self.bars.set_probabilities(found.class_names, found.adapted, found.zero_shot, view.label)
        self._text.setText(found.text)
        self._how.setText(found.how_we_know)
        self._show_concepts(found)

    def _show_concepts(self, found: CaseExplanation) -> None:
        suffice = found.concepts_cosine >= CONCEPTS_SUFFICE and bool(found.concepts)
        self.concepts.set_concepts(found.concepts if suffice else ())
        self.concepts.setVisible(suffice)
        self._concepts_note.setText("" if suffice else CONCEPTS_FAIL)
        self._concepts_note.setVisible(not suffice)
