"""The gallery of cases with its filter line and order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QWidget

from clipsvd_app.ui.inspect_page.cases import (
    ORDER_TITLES,
    ROLE_SENTENCES,
    CaseFilter,
    Order,
    filtered,
    is_evidence,
    ordered,
    probabilities,
    winner,
)
from clipsvd_app.ui.plots.gallery_list import GalleryItem, GalleryList
from clipsvd_app.ui.plots.numbers import count, percent
from clipsvd_app.ui.plots.page_parts import Card, button, choice, label

if TYPE_CHECKING:
    from clipsvd_app.domain.evaluation import MethodName
    from clipsvd_app.domain.results import Prediction
    from clipsvd_app.ui.inspect_page.state import CaseNote

_ORDERS: tuple[Order, ...] = tuple(ORDER_TITLES)


class CasesPanel(Card):
    """Shows the cases of a filter; says which filter it is and how to leave it."""

    filter_cleared = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Cases", parent)
        self._names: tuple[str, ...] = ()
        self._predictions: tuple[Prediction, ...] = ()
        self._notes: dict[int, CaseNote] = {}
        self._filter = CaseFilter()
        self.gallery = GalleryList()
        self._what = label("", "muted")
        self._clear = button("Show all", "quiet")
        self._all = QCheckBox("Include images used for training")
        self._order = choice("Order of the cases")
        self._order.addItems(list(ORDER_TITLES.values()))
        self.head.addWidget(self._clear)
        self.head.addWidget(self._order)
        self.body.addWidget(self._what)
        self.body.addWidget(self._all)
        self.body.addWidget(self.gallery, 1)
        self._order.currentIndexChanged.connect(self._refresh)
        self._all.toggled.connect(self._refresh)
        self._clear.clicked.connect(self.filter_cleared)

    def set_cases(
        self, names: tuple[str, ...], predictions: tuple[Prediction, ...], notes: tuple[CaseNote, ...] = ()
    ) -> None:
        """Take the predictions of a run and what is noted of them; the filter is dropped."""
        self._names, self._predictions = names, predictions
        self._notes = {note.image_id: note for note in notes}
        self.show_cell("clip_svd", None)

    def show_cell(self, method: MethodName, cell: tuple[int, int] | None) -> None:
        """Show the cases of one cell of a method's matrix, or all."""
        self._filter = CaseFilter(method, cell)
        self._refresh()

    def _refresh(self) -> None:
        wanted = CaseFilter(self._filter.method, self._filter.cell, not self._all.isChecked())
        order = _ORDERS[max(0, self._order.currentIndex())]
        shown = ordered(filtered(self._predictions, wanted), order, wanted.method)
        self.gallery.set_items(tuple(self._item(prediction, wanted.method) for prediction in shown))
        self._what.setText(self._sentence(len(shown), wanted))
        self._clear.setVisible(wanted.cell is not None)
        self._all.setVisible(wanted.cell is None)

    def _sentence(self, number: int, wanted: CaseFilter) -> str:
        images = count(number, "image")
        if wanted.cell is not None:
            true, predicted = (self._names[position] for position in wanted.cell)
            return f"{images} labelled “{true}” and predicted “{predicted}”"
        if wanted.evidence_only:
            return f"{images} of patients that took no part in training"
        return f"{images}, those used for training marked"

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
