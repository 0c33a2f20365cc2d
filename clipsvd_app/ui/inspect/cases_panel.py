"""The gallery of cases with its filter line and order, and the list of likely label mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QWidget

from clipsvd_app.domain.results.cases import is_evidence, winner
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.ui.inspect.mistake_bar import MistakeBar
from clipsvd_app.ui.kit.page_parts import Card, button, choice, label
from clipsvd_app.ui.run.case_filters import (
    DOUBT_TITLES,
    ORDER_TITLES,
    ROLE_SENTENCES,
    CaseFilter,
    Order,
    filtered,
    likely_mistakes,
    ordered,
    probabilities,
)
from clipsvd_app.ui.run.gallery_list import GalleryItem, GalleryList

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from clipsvd_app.domain.results.evaluation import MethodName
    from clipsvd_app.domain.results.run import Doubt, Prediction
    from clipsvd_app.ui.run.state import CaseNote

_ORDERS: tuple[Order, ...] = tuple(ORDER_TITLES)
NO_SUSPICION = "This run has no estimate of label mistakes. Train again to add it."
NO_MISTAKES = "No label contradicts the images of other patients."


class CasesPanel(Card):
    """Shows the cases of a filter; says which filter it is and how to leave it.

    Signals: ``filter_cleared()``, and those of the mistake bar.
    """

    filter_cleared = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Cases", parent)
        self._names: tuple[str, ...] = ()
        self._predictions: tuple[Prediction, ...] = ()
        self._notes: dict[int, CaseNote] = {}
        self._filter = CaseFilter()
        self._settled: frozenset[int] = frozenset()
        self.gallery = GalleryList()
        self.mistakes = MistakeBar()
        self._what = label("", "muted")
        self._clear = button("Show all", "quiet")
        self._all = QCheckBox("Include images used for training")
        self._order = choice("Sort order of the cases")
        self._order.addItems(list(ORDER_TITLES.values()))
        self.head.addWidget(self._clear)
        self.head.addWidget(self._order)
        self.body.addWidget(self._what)
        self.body.addWidget(self._all)
        self.body.addWidget(self.gallery, 1)
        self.body.addWidget(self.mistakes)
        self._order.currentIndexChanged.connect(self._refresh)
        self._all.toggled.connect(self._refresh)
        self._clear.clicked.connect(self.filter_cleared)

    @property
    def order(self) -> Order:
        """What is shown, and in which order."""
        return _ORDERS[max(0, self._order.currentIndex())]

    def set_order(self, order: Order) -> None:
        """Show cases in another order, or the likely mistakes."""
        self._order.setCurrentIndex(_ORDERS.index(order))

    def set_cases(
        self, names: tuple[str, ...], predictions: tuple[Prediction, ...], notes: tuple[CaseNote, ...] = ()
    ) -> None:
        """Take the predictions of a run and what is noted of them; the filter is dropped."""
        self._names, self._predictions = names, predictions
        self._notes = {note.image_id: note for note in notes}
        self.show_cell("clip_svd", None)

    def set_settled(self, image_ids: frozenset[int]) -> None:
        """Leave out of the likely mistakes what was relabelled or kept; the next one is opened."""
        if image_ids == self._settled:
            return
        self._settled = image_ids
        if self.order == "mistakes":
            row = max(0, self.gallery.currentIndex().row())
            self._refresh()
            self.gallery.open_row(row)

    def show_cell(self, method: MethodName, cell: tuple[int, int] | None) -> None:
        """Show the cases of one cell of a method's matrix, or all."""
        self._show(CaseFilter(method, cell))

    def show_doubt(self, doubt: Doubt) -> None:
        """Show the cases of unseen patients about which there is this doubt."""
        self._show(CaseFilter(doubt=doubt))

    def show_current(self, image_id: int) -> None:
        """Mark the case that is open in the sheet."""
        self.gallery.set_current(image_id)
        suspect = next((p for p in self._mistakes() if p.image_id == image_id), None)
        self.mistakes.set_case(suspect, self._names)

    def take_key(self, event: QKeyEvent) -> bool:
        """Relabel or keep by key while the likely mistakes are shown."""
        return self.order == "mistakes" and self.mistakes.take_key(event)

    def _show(self, wanted: CaseFilter) -> None:
        self._filter = wanted
        if self.order == "mistakes" and (wanted.cell is not None or wanted.doubt is not None):
            self.set_order("errors")
        self._refresh()

    def _mistakes(self) -> tuple[Prediction, ...]:
        return likely_mistakes(self._predictions, self._settled)

    def _refresh(self) -> None:
        suspects = self.order == "mistakes"
        self.mistakes.setVisible(suspects and bool(self._mistakes()))
        self.mistakes.set_case(None)
        if suspects:
            self._show_suspects()
            return
        wanted = CaseFilter(
            self._filter.method, self._filter.cell, self._filter.doubt, not self._all.isChecked()
        )
        shown = ordered(filtered(self._predictions, wanted), self.order, wanted.method)
        self.gallery.set_items(tuple(self._item(prediction, wanted.method) for prediction in shown))
        self._what.setText(self._sentence(len(shown), wanted))
        narrowed = wanted.cell is not None or wanted.doubt is not None
        self._clear.setVisible(narrowed)
        self._all.setVisible(not narrowed)

    def _show_suspects(self) -> None:
        shown = self._mistakes()
        self.gallery.set_items(tuple(self._item(prediction, "clip_svd") for prediction in shown))
        self._clear.setVisible(False)
        self._all.setVisible(False)
        judged = any(prediction.suspicion is not None for prediction in self._predictions)
        if not shown:
            self._what.setText(NO_MISTAKES if judged else NO_SUSPICION)
        else:
            self._what.setText(
                f"{counted(len(shown), 'label')} contradicted by other patients, most likely mistakes first"
            )

    def _sentence(self, number: int, wanted: CaseFilter) -> str:
        images = counted(number, "image")
        if wanted.doubt is not None:
            return f"{images} of unseen patients: {DOUBT_TITLES[wanted.doubt]}"
        if wanted.cell is not None:
            true, predicted = (self._names[position] for position in wanted.cell)
            return f"{images} labelled “{true}” and predicted “{predicted}”"
        if wanted.evidence_only:
            return f"{images} of held-out patients"
        return f"{images}, training images marked"

    def _item(self, prediction: Prediction, method: MethodName) -> GalleryItem:
        values = probabilities(prediction, method)
        predicted = winner(values)
        given = "Unlabelled" if prediction.label is None else f"Labelled “{self._names[prediction.label]}”"
        says = f"predicted “{self._names[predicted]}” with {percent(values[predicted])}"
        note = self._notes.get(prediction.image_id)
        flags = note.flags if note else ()
        lines = (
            note.caption if note else "",
            f"{given}, {says}.",
            f"{ROLE_SENTENCES[prediction.role]}.",
            *flags,
        )
        return GalleryItem(
            prediction.image_id,
            prediction.label,
            predicted,
            values[predicted],
            badge=_badge(prediction, flagged=bool(flags)),
            sentence="\n".join(line for line in lines if line),
        )


def _badge(prediction: Prediction, *, flagged: bool) -> str:
    if is_evidence(prediction):
        return "flagged" if flagged else ""
    return "training" if prediction.role == "train" else "unlabelled"
