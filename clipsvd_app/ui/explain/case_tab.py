"""This case: the image with its map and the answer first; margin, concepts and checks folded below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from clipsvd_app.domain.results.cases import best_known, winner
from clipsvd_app.domain.words.case import case_statements
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.domain.words.statement import Statement, about
from clipsvd_app.figures.phrases import concepts_figure
from clipsvd_app.figures.probabilities import probabilities_figure
from clipsvd_app.ui.explain.cards.case_chooser import CaseChooser
from clipsvd_app.ui.explain.cards.map_card import MapCard
from clipsvd_app.ui.explain.cards.margin_card import MarginCard
from clipsvd_app.ui.explain.cards.part_card import PartCard
from clipsvd_app.ui.explain.statements import Statements
from clipsvd_app.ui.kit.empty_state import EmptyState
from clipsvd_app.ui.kit.figures.figure_view import FigureView
from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.layouts import horizontal
from clipsvd_app.ui.kit.page_parts import GAP, Card, Fold, SideBySide, button, column, label, scrolled
from clipsvd_app.ui.run.case_image import CaseImage
from clipsvd_app.ui.session.state import EmptySpec

if TYPE_CHECKING:
    from clipsvd_app.domain.results.explanation import CaseExplanation
    from clipsvd_app.domain.results.run import Prediction
    from clipsvd_app.ui.explain.state import CaseView, ExplainState
    from clipsvd_app.ui.look.theme import Theme

NO_CASE = EmptySpec(
    icon="explain",
    headline="Choose a case",
    sentence="Click a case on the left, open one from Inspect, or drop an image file here.",
)
NOT_EXPLAINED = "This case has not been explained."
DETAILS = "Details: contributions to the margin, concepts, and the heat map test"


class CaseTab(QWidget):
    """A list to choose from, and beside it the case, its wait, or how to choose.

    Signals: ``case_opened(image_id)``, ``thumbnails_wanted(tuple of image ids)``,
    ``occlusion_wanted(image_id)``, ``cancel_requested(image_id)``, ``failed(UserError)``.
    """

    case_opened = Signal(int)
    thumbnails_wanted = Signal(object)
    occlusion_wanted = Signal(int)
    cancel_requested = Signal(int)
    failed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: CaseView | None = None
        self._predictions: dict[int, Prediction] = {}
        self.chooser = CaseChooser()
        self.bars, self.concepts = FigureView("Class probabilities"), FigureView("Concepts")
        self.answer = PartCard("Prediction", self.bars)
        self.words = PartCard("The case in words")
        self._statements = Statements()
        self.concepts_card = PartCard("Concepts in the image", self.concepts)
        self.margin, self.map = MarginCard(), MapCard()
        self._pending = Card("Case")
        self._image = CaseImage()
        self._stage = label("", "muted")
        self._bar, self._cancel = QProgressBar(), destructive(button("Cancel"))
        self._retry = button("Explain this case")
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
        self._show_answer(view, case)
        statements = case_statements(case)
        self.words.set_words(*statements, shown=False)
        self._statements.set_statements(statements)
        self.margin.set_case(case)
        self.concepts.set_figure(concepts_figure(case.concepts))
        self.concepts.setVisible(bool(case.concepts))
        self.concepts_card.set_words(*about(statements, "concepts"), shown=not case.concepts)
        self.map.set_case(view, keep_kind=same and was_explained)

    @property
    def image_id(self) -> int | None:
        """The displayed case."""
        return None if self._view is None else self._view.image_id

    @property
    def is_pending(self) -> bool:
        """Whether the displayed case has no explanation yet."""
        return self._stack.currentIndex() == 1

    def _show_answer(self, view: CaseView, case: CaseExplanation) -> None:
        """Say one answer: that of models which had not seen the patient, where the image was trained on."""
        prediction = self._predictions.get(view.image_id)
        adapted, zero_shot = case.adapted, case.zero_shot
        if prediction is not None and prediction.role == "out_of_fold":
            adapted, zero_shot = best_known(prediction), prediction.zero_shot
        self.answer.set_title(view.caption)
        self.answer.set_words(answer_of(case.class_names, adapted, zero_shot, prediction))
        calibrated = case.temperature != 1
        self.bars.set_figure(
            probabilities_figure(case.class_names, adapted, zero_shot, view.label, calibrated=calibrated)
        )

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
        for card in (self.answer, self.concepts_card, self.words, self.map.check):
            card.body.addStretch(1)
        self._arrange_pending()
        self.details = Fold(
            DETAILS,
            self.margin,
            SideBySide(self.words, self.concepts_card, from_width_px=700),
            self.map.check,
        )
        content = column(SideBySide(self.map, self.answer, from_width_px=700), self.details)
        for part in (self._empty, scrolled(column(self._pending)), scrolled(content)):
            self._stack.addWidget(part)
        whole = horizontal(self, GAP * 2, margins=(0, GAP + 4, 0, 0))
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
        for card in (self.words, self.answer, self.concepts_card, self.margin, self.map):
            card.failed.connect(self.failed)
        self._image.failed.connect(self.failed)

    def _emit(self, signal: SignalInstance) -> None:
        if self._view is not None:
            signal.emit(self._view.image_id)


def answer_of(
    names: tuple[str, ...],
    adapted: tuple[float, ...],
    zero_shot: tuple[float, ...],
    prediction: Prediction | None,
) -> Statement:
    """Say the adapted and the unadapted model's answer, and what they are worth for an image trained on."""
    best, before = winner(adapted), winner(zero_shot)
    zero = f"Zero-shot: “{names[before]}”, {percent(zero_shot[before])}."
    text = f"“{names[best]}”, {percent(adapted[best])}. {zero}"
    role = None if prediction is None else prediction.role
    return Statement(
        f"{text} {_SEEN.get(role or '', '')}".strip(), _HOW.get(role or "", _HOW_PLAIN), "answer"
    )


_SEEN = {
    "train": "The model was trained on this image. Its prediction is not evidence for unseen patients.",
    "out_of_fold": "Predicted by cross-validation fits that were not trained on this patient.",
}
_HOW_PLAIN = "Both are the models' own probabilities for this image."
_HOW = {
    "out_of_fold": (
        "A training image. The prediction is from cross-validation fits that were not trained on"
        " this patient; heat map, margin and concepts explain the final model, which was."
    ),
}
