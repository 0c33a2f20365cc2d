"""This case: the answer, its margin in steps, concepts, and the map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from clipsvd_app.domain.cases import as_unseen
from clipsvd_app.ui.explain_page.case_chooser import CaseChooser
from clipsvd_app.ui.explain_page.concept_bars import ConceptBars
from clipsvd_app.ui.explain_page.map_card import MapCard
from clipsvd_app.ui.explain_page.margin_card import MarginCard
from clipsvd_app.ui.explain_page.part_card import PartCard
from clipsvd_app.ui.explain_page.statements import Statements
from clipsvd_app.ui.inspect_page.case_image import CaseImage
from clipsvd_app.ui.plots.page_parts import GAP, Card, SideBySide, button, column, label, scrolled
from clipsvd_app.ui.plots.probability_bars import ProbabilityBars
from clipsvd_app.ui.shell.empty_state import EmptyState
from clipsvd_app.ui.shell.state import EmptySpec

if TYPE_CHECKING:
    from clipsvd_app.domain.results import Prediction
    from clipsvd_app.ui.explain_page.state import CaseView, ExplainState
    from clipsvd_app.ui.theme import Theme

NO_CASE = EmptySpec(
    icon="explain",
    headline="Choose a case",
    sentence="Click one on the left, open one on Inspect, or drop an image file here.",
)
NOT_EXPLAINED = "This case was not explained."


class CaseTab(QWidget):
    """A list to choose from, and beside it the case, its wait, or how to choose.

    Signals: ``case_opened(image_id)``, ``thumbnails_wanted(tuple of image ids)``,
    ``occlusion_wanted(image_id)``, ``cancel_requested(image_id)``, ``trouble(UserError)``.
    """

    case_opened = Signal(int)
    thumbnails_wanted = Signal(object)
    occlusion_wanted = Signal(int)
    cancel_requested = Signal(int)
    trouble = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: CaseView | None = None
        self._predictions: dict[int, Prediction] = {}
        self.chooser = CaseChooser()
        self.words = PartCard("The case in words")
        self._statements = Statements()
        self.bars, self.concepts = ProbabilityBars(), ConceptBars()
        self._bars_card = PartCard("Both models' answers", self.bars)
        self.concepts_card = PartCard("Concepts in the image", self.concepts)
        self.margin, self.map = MarginCard(), MapCard()
        self._pending = Card("Case")
        self._image = CaseImage()
        self._stage = label("", "muted")
        self._bar, self._cancel, self._retry = QProgressBar(), button("Cancel"), button("Explain this case")
        self._stack = QStackedWidget()
        self._empty = EmptyState(theme, NO_CASE)
        self._arrange()
        self._connect()
        self.set_case(None)

    def set_state(self, state: ExplainState) -> None:
        """Offer the cases of a run; the case shown before is taken away."""
        self._predictions = {known.image_id: known for known in state.predictions}
        self.chooser.set_state(state)
        self.set_case(None)

    def set_case(self, view: CaseView | None) -> None:
        """Show a case, that it is being explained, or how to choose one."""
        same = view is not None and self._view is not None and view.image_id == self._view.image_id
        was_explained = self._view is not None and self._view.explanation is not None
        self._view = view
        if view is None:
            self._stack.setCurrentIndex(0)
            return
        self.chooser.show_current(view.image_id)
        if view.explanation is None:
            self._show_pending(view)
            return
        self._stack.setCurrentIndex(2)
        case = view.explanation
        self.words.set_title(view.caption)
        statements = (*case.statements, *as_unseen(self._predictions.get(view.image_id), case.class_names))
        self.words.set_words(*statements, shown=False)
        self.words.how.hide()
        self._statements.set_statements(statements)
        calibrated = case.temperature != 1
        self.bars.set_probabilities(
            case.class_names, case.adapted, case.zero_shot, view.label, calibrated=calibrated
        )
        self._bars_card.set_words(*case.about("answer"), shown=False)
        self.margin.set_case(case)
        self.concepts.set_concepts(case.concepts)
        self.concepts.setVisible(bool(case.concepts))
        self.concepts_card.set_words(*case.about("concepts"), shown=not case.concepts)
        self.map.set_case(view, keep_kind=same and was_explained)

    @property
    def image_id(self) -> int | None:
        """The case on show."""
        return None if self._view is None else self._view.image_id

    @property
    def is_pending(self) -> bool:
        """Whether the case on show has no explanation yet."""
        return self._stack.currentIndex() == 1

    def _show_pending(self, view: CaseView) -> None:
        self._stack.setCurrentIndex(1)
        self._pending.set_title(view.caption)
        self._image.set_image(view.image)
        busy = view.progress is not None
        self._bar.setVisible(busy)
        self._cancel.setVisible(busy)
        self._retry.setVisible(not busy)
        self._stage.setText(NOT_EXPLAINED)
        if view.progress is not None:
            stage, done, total = view.progress
            self._stage.setText(f"{stage}…")
            self._bar.setRange(0, total)
            self._bar.setValue(done)
            self._bar.setAccessibleName(f"{stage}: explaining the case")

    def _arrange(self) -> None:
        self.words.body.insertWidget(0, self._statements)
        for card in (self._bars_card, self.concepts_card):
            card.body.addStretch(1)
        self._arrange_pending()
        content = column(
            self.words,
            SideBySide(self._bars_card, self.concepts_card, from_width_px=700),
            self.margin,
            self.map,
        )
        for part in (self._empty, column(self._pending), scrolled(content)):
            self._stack.addWidget(part)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, GAP + 4, 0, 0)
        whole.setSpacing(GAP * 2)
        whole.addWidget(self.chooser)
        whole.addWidget(self._stack, 1)

    def _arrange_pending(self) -> None:
        self._image.setMinimumHeight(320)
        row = QHBoxLayout()
        row.addWidget(self._bar, 1)
        row.addWidget(self._cancel)
        row.addWidget(self._retry)
        inner = QVBoxLayout()
        inner.addWidget(self._image, 1)
        inner.addWidget(self._stage)
        inner.addLayout(row)
        self._pending.body.addLayout(inner)

    def _connect(self) -> None:
        self.chooser.case_opened.connect(self.case_opened)
        self.chooser.thumbnails_wanted.connect(self.thumbnails_wanted)
        self.map.occlusion_wanted.connect(lambda: self._emit(self.occlusion_wanted))
        for cancel in (self.map.cancel_requested, self._cancel.clicked):
            cancel.connect(lambda: self._emit(self.cancel_requested))
        self._retry.clicked.connect(lambda: self._emit(self.case_opened))
        for card in (self.words, self._bars_card, self.concepts_card, self.margin, self.map):
            card.trouble.connect(self.trouble)
        self._image.trouble.connect(self.trouble)

    def _emit(self, signal: SignalInstance) -> None:
        if self._view is not None:
            signal.emit(self._view.image_id)
