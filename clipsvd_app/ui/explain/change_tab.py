"""What changed: the run in words, its classes, heads, directions and matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from clipsvd_app.domain.results.cases import best_known, winner
from clipsvd_app.domain.results.contributions import heads_are_told
from clipsvd_app.domain.results.explanation import RunExplanation
from clipsvd_app.domain.words.run_changes import run_statements
from clipsvd_app.domain.words.statement import Statement, about
from clipsvd_app.figures.directions import direction_title, directions_figure, strongest_first
from clipsvd_app.figures.phrases import head_phrases_figure
from clipsvd_app.figures.towers import head_sentence, heads_figure, matrices_figure, matrix_sentence
from clipsvd_app.ui.explain.cards.classes_card import ClassesCard
from clipsvd_app.ui.explain.cards.part_card import PartCard
from clipsvd_app.ui.explain.cards.poles import Poles
from clipsvd_app.ui.explain.statements import Statements
from clipsvd_app.ui.kit.figures.figure_view import FigureView
from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import (
    GAP,
    Banner,
    SideBySide,
    button,
    column,
    label,
    one_line,
    scrolled,
)
from clipsvd_app.ui.run.state import NearCase

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from clipsvd_app.domain.results.explanation import HeadChange
    from clipsvd_app.ui.explain.state import ExplainState, Progress

NONE_TITLE = "No reliable description"
NONE_SENTENCE = (
    "The amounts of change below are exact. No descriptions are shown, because their"
    " controls failed. See Controls for details."
)
_HEADS_HINT = "Click a head, or use the arrow keys, to see what it writes before and after adaptation."
_MATRIX_HINT = "Click a square to see how much the matrix changed."
_TEXT_HEAD = "For heads of the text encoder, only the amount of change is shown: their outputs do not add up."
_UNTOLD = "No heads are described: their controls failed."


class ChangeTab(QWidget):
    """One run, its parts one below the other.

    Signals: ``explain_again()``, ``cancel_requested()``, ``case_opened(image_id)``,
    ``thumbnails_wanted(tuple of image ids)``, ``failed(UserError)``.
    """

    explain_again = Signal()
    cancel_requested = Signal()
    case_opened = Signal(int)
    thumbnails_wanted = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._explanation: RunExplanation | None = None
        self._names: tuple[str, ...] = ()
        self._cases: dict[int, NearCase] = {}
        self.banner = Banner()
        self._again = destructive(
            button(
                "Explain again", hint="Recompute the explanation from the stored adapter, without training"
            )
        )
        self._bar, self._cancel = QProgressBar(), destructive(button("Cancel"))
        self._stage = one_line("", "muted")
        self._working, self._top = QWidget(), QWidget()
        self.words = PartCard("The run in words")
        self._statements = Statements()
        self.classes = ClassesCard()
        self.heads, self.phrases = FigureView("Attention heads"), FigureView("Phrases of one head")
        self._heads_card = PartCard("Attention heads", self.heads)
        self._phrases_card = PartCard("What a head writes", self.phrases)
        self.directions, self.poles = FigureView("Directions that changed most"), Poles()
        self._directions_card = PartCard("Singular directions that changed most", self.directions)
        self.layers = FigureView("Weight matrices")
        self._layers_card = PartCard("Weight matrices", self.layers)
        self._head_hint, self._matrix_hint = label("", "muted"), label(_MATRIX_HINT, "muted")
        self._arrange()
        self._connect()

    def set_state(self, state: ExplainState) -> None:
        """Show a run."""
        found = state.explanation or RunExplanation((), ())
        self._explanation, self._names = found, state.class_names
        titles = dict(state.titles)
        self._cases = {
            p.image_id: NearCase(
                p.image_id, p.label, _caption(titles[p.image_id], best_known(p), self._names)
            )
            for p in state.predictions
            if p.image_id in titles
        }
        statements = run_statements(found, self._names) or (Statement("This run has no explanation.", ""),)
        self.words.set_words(*statements, shown=False)
        self._statements.set_statements(statements)
        self._show_banner(found)
        self.set_progress(state.progress)
        self._show_heads(found, about(statements, "heads"))
        self._show_directions(found, about(statements, "directions"))
        self.classes.set_run(found, self._names, about(statements, "classes"))
        self._layers_card.set_words(*about(statements, "sizes"), shown=False)
        self._layers_card.setVisible(bool(found.matrices))
        self.layers.set_figure(matrices_figure(found.matrices))
        self._matrix_hint.setText(_MATRIX_HINT)

    def set_progress(self, progress: Progress | None) -> None:
        """Show how far explaining again has come, None when it is not under way."""
        self._working.setVisible(progress is not None)
        self._top.setVisible(progress is not None or not self.banner.isHidden())
        self._again.setEnabled(progress is None)
        if progress is not None:
            stage, done, total = progress
            self._bar.setRange(0, total)
            self._bar.setValue(done)
            self._stage.setText(f"{stage}…")
            self._bar.setAccessibleName(f"{stage}: explaining the run")

    def set_thumbnail(self, image_id: int, picture: QImage) -> None:
        """Hand in a picture that was asked for."""
        self.poles.set_thumbnail(image_id, picture)

    def choose_head(self, key: object) -> None:
        """Show one head's phrases; the key is (tower, layer, head)."""
        self.heads.set_chosen(key)
        self._show_head(key)

    def choose_direction(self, place: int) -> None:
        """Show one direction's poles."""
        assert self._explanation is not None
        direction = strongest_first(self._explanation.directions)[place]
        title = direction_title(direction, self._explanation.matrices)
        self.directions.set_chosen(place)
        self.poles.set_direction(direction, title, self._cases, self._names)

    def head_text(self) -> str:
        """Return what is said of the chosen head."""
        return self._head_hint.text()

    def matrix_text(self) -> str:
        """Return what is said of the chosen matrix."""
        return self._matrix_hint.text()

    def _arrange(self) -> None:
        self.words.body.insertWidget(0, self._statements)
        self._phrases_card.body.insertWidget(1, self._head_hint)
        self._phrases_card.body.addStretch(1)
        self._heads_card.body.addStretch(1)
        self._directions_card.body.removeWidget(self.directions)
        both = SideBySide(self.directions, self.poles, from_width_px=980)
        self._directions_card.body.insertWidget(1, both)
        self._layers_card.body.insertWidget(2, self._matrix_hint)
        row = QHBoxLayout(self._working)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._stage)
        row.addWidget(self._bar, 1)
        row.addWidget(self._cancel)
        above = QVBoxLayout(self._top)
        above.setContentsMargins(0, 0, 0, 0)
        above.setSpacing(GAP)
        above.addWidget(self.banner)
        above.addWidget(self._working)
        self.words.head.insertWidget(2, self._again)
        self._heads = SideBySide(self._heads_card, self._phrases_card, from_width_px=860)
        whole = vertical(self, margins=(0, GAP + 4, 0, 0))
        whole.addWidget(
            scrolled(
                column(
                    self._top,
                    self.words,
                    self.classes,
                    self._heads,
                    self._directions_card,
                    self._layers_card,
                )
            )
        )

    def _connect(self) -> None:
        self._again.clicked.connect(self.explain_again)
        self._cancel.clicked.connect(self.cancel_requested)
        for chosen in (self.heads.opened, self.heads.moved):
            chosen.connect(self._show_head)
        for chosen in (self.layers.opened, self.layers.moved):
            chosen.connect(self._show_matrix)
        for chosen in (self.directions.opened, self.directions.moved):
            chosen.connect(self.choose_direction)
        self.poles.case_opened.connect(self.case_opened)
        self.poles.thumbnails_wanted.connect(self.thumbnails_wanted)
        for card in (
            self.words,
            self.classes,
            self._heads_card,
            self._phrases_card,
            self._directions_card,
            self._layers_card,
        ):
            card.failed.connect(self.failed)

    def _show_banner(self, found: RunExplanation) -> None:
        self._again.setVisible(bool(found.matrices))
        self.banner.setVisible(_nothing_told(found))
        if _nothing_told(found):
            self.banner.show_text("warning", NONE_TITLE, NONE_SENTENCE)

    def _show_heads(self, found: RunExplanation, statements: tuple[Statement, ...]) -> None:
        told = heads_are_told(found.controls)
        self.heads.set_figure(heads_figure(found.heads, told=told))
        self._heads.setVisible(bool(found.heads))
        self._heads_card.set_words(*statements, shown=False)
        self._phrases_card.set_words(*statements, shown=False)
        self.phrases.set_figure(head_phrases_figure(None, told=False))
        self._show_head(_first_head(found.heads))

    def _show_head(self, key: object) -> None:
        found = self._explanation
        assert found is not None
        head = next((h for h in found.heads if (h.tower, h.layer, h.head) == key), None)
        told = heads_are_told(found.controls)
        self.heads.set_chosen(key if head is not None else None)
        self.phrases.set_figure(head_phrases_figure(head, told=told))
        self.phrases.setVisible(head is not None and (head.before is not None or head.after is not None))
        self._head_hint.setText(
            _HEADS_HINT if head is None else f"{head_sentence(head)}. {_why(head, told=told)}".strip()
        )

    def _show_directions(self, found: RunExplanation, statements: tuple[Statement, ...]) -> None:
        self._directions_card.setVisible(bool(found.directions))
        self.directions.set_figure(directions_figure(found.directions, found.matrices))
        self._directions_card.set_words(*statements, shown=False)
        self.poles.set_direction(None)
        if found.directions:
            self.choose_direction(0)

    def _show_matrix(self, name: str) -> None:
        assert self._explanation is not None
        matrix = next(m for m in self._explanation.matrices if m.name == name)
        self.layers.set_chosen(name)
        self._matrix_hint.setText(f"{matrix_sentence(matrix)} ({matrix.name})")


def _first_head(heads: tuple[HeadChange, ...]) -> object:
    """Return the head that changed most among those that can be read, else the one that changed most."""
    ranked = sorted(heads, key=lambda head: (head.after is None, -head.relative_change))
    return (ranked[0].tower, ranked[0].layer, ranked[0].head) if ranked else None


def _why(head: HeadChange, *, told: bool) -> str:
    """Say why a head has no words, where it has none."""
    if head.after is None:
        return _TEXT_HEAD if head.tower == "text" else "There were too few images to describe it."
    if not told:
        return _UNTOLD
    if head.after.is_control:
        return "Not described: after adaptation, a negative control came first."
    return "" if head.after.phrases else "After adaptation, no phrase exceeds chance."


def _nothing_told(found: RunExplanation) -> bool:
    described = any(d.positive or d.negative for d in found.directions)
    told = described or any(change.phrases for change in found.classes) or heads_are_told(found.controls)
    return bool(found.directions) and not told


def _caption(title: str, probabilities: tuple[float, ...], names: tuple[str, ...]) -> str:
    return f"{title}, predicted “{names[winner(probabilities)]}”" if names else title
