"""The cases of a run to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from clipsvd_app.domain.results.cases import best_known, is_error, is_evidence, winner
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import GAP, choice, label
from clipsvd_app.ui.run.case_filters import ROLE_SENTENCES, ordered
from clipsvd_app.ui.run.gallery_list import GalleryItem, GalleryList

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from clipsvd_app.domain.results.run import Prediction
    from clipsvd_app.ui.explain.state import ExplainState

Which = Literal["errors", "unseen", "all"]
TITLES: dict[Which, str] = {"errors": "Errors", "unseen": "Unseen in training", "all": "All cases"}
LOWEST_PX = 100  # the list scrolls, so a part of a case is enough


class CaseChooser(QWidget):
    """Signals: ``case_opened(image_id)``, ``thumbnails_wanted(tuple of image ids)``."""

    case_opened = Signal(int)
    thumbnails_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._predictions: tuple[Prediction, ...] = ()
        self._titles: dict[int, str] = {}
        self._which = choice("Cases to show")
        self._which.addItems(list(TITLES.values()))
        self._which.setCurrentIndex(1)
        self._count = label("", "small", wrap=False)
        self.gallery = GalleryList()
        self.gallery.setMinimumHeight(LOWEST_PX)
        column = vertical(self, GAP - 2)
        for part in (self._which, self._count):
            column.addWidget(part)
        column.addWidget(self.gallery, 1)
        self.setFixedWidth(172)
        self._which.currentIndexChanged.connect(self._show)
        self.gallery.case_opened.connect(self.case_opened)
        self.gallery.thumbnails_wanted.connect(self.thumbnails_wanted)

    def set_state(self, state: ExplainState) -> None:
        """Offer the cases of a run."""
        self._titles = dict(state.titles)
        self._predictions = tuple(p for p in state.predictions if p.image_id in self._titles)
        self._show()

    def choose(self, which: Which) -> None:
        """Offer only some cases."""
        self._which.setCurrentIndex(tuple(TITLES).index(which))

    def show_current(self, image_id: int) -> None:
        """Mark a case, widening the list where it is not in it."""
        if image_id in self._titles and image_id not in self.gallery.image_ids():
            self.choose("all")
        self.gallery.set_current(image_id)

    def set_thumbnail(self, image_id: int, picture: QImage) -> None:
        """Hand in a picture that was asked for."""
        self.gallery.set_thumbnail(image_id, picture)

    def _show(self) -> None:
        which = tuple(TITLES)[max(0, self._which.currentIndex())]
        shown = [p for p in ordered(self._predictions, "errors") if _belongs(p, which)]
        self._count.setText(f"{len(shown)} of {len(self._predictions)}")
        self.gallery.set_items(tuple(self._item(p) for p in shown))

    def _item(self, prediction: Prediction) -> GalleryItem:
        shown = best_known(prediction)
        first = winner(shown)
        return GalleryItem(
            prediction.image_id,
            prediction.label,
            first,
            shown[first],
            "training" if prediction.role == "train" else "",
            f"{self._titles[prediction.image_id]}. {ROLE_SENTENCES[prediction.role]}.",
        )


def _belongs(prediction: Prediction, which: Which) -> bool:
    if which == "errors":
        return is_evidence(prediction) and is_error(prediction)
    return which == "all" or prediction.role != "train"
