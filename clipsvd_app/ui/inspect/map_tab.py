"""The cases on a map: like lies beside like, and every dot opens its case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QWidget

from clipsvd_app.figures.case_map import case_map_figure
from clipsvd_app.ui.kit.figures.figure_view import FigureView
from clipsvd_app.ui.kit.figures.saving import save_button
from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import GAP, Card, button, column, label, scrolled

if TYPE_CHECKING:
    from clipsvd_app.jobs.requests import Projection
    from clipsvd_app.ui.run.state import InspectState, MapState

NO_MAP = "This run has no map. Compute one from the image features; this takes a moment."


class MapTab(QWidget):
    """The map with its choice of projection.

    Signals: ``case_opened(image_id)``, ``projection_wanted(Projection)``, ``cancel_requested()``,
    ``failed(UserError)`` from saving a picture.
    """

    case_opened = Signal(int)
    projection_wanted = Signal(str)
    cancel_requested = Signal()
    failed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self.map = FigureView("Map of the cases")
        self._card = Card("Map of the cases")
        self._sentence = label("", "muted")
        self._pca = button("PCA", hint="The first two principal components; available at once")
        self._tsne = button("Neighbours (t-SNE)", hint="Takes some seconds; can be cancelled")
        self._save = save_button(self.map)
        self._bar = QProgressBar()
        self._cancel = destructive(button("Cancel"))
        self._keys = label("Click a dot, or use the arrow keys and Enter, to open a case.", "small")
        self._arrange()
        self._pca.clicked.connect(lambda: self._want("pca"))
        self._tsne.clicked.connect(lambda: self._want("tsne"))
        self._cancel.clicked.connect(self.cancel_requested)
        self.map.opened.connect(self.case_opened.emit)
        self.map.failed.connect(self.failed)

    def set_run(self, state: InspectState) -> None:
        """Take the classes of a run; its dots come with :meth:`set_state`."""
        self._names = state.class_names

    def set_state(self, state: MapState) -> None:
        """Show dots, or the progress of computing them."""
        drawn, busy = bool(state.dots), state.progress is not None
        self.map.set_figure(case_map_figure(self._names, state.dots))
        self.map.setVisible(drawn)
        self._save.setVisible(drawn)
        self._keys.setVisible(drawn)
        self._sentence.setText(_sentence(state))
        for shown, projection in ((self._pca, "pca"), (self._tsne, "tsne")):
            shown.setChecked(drawn and state.projection == projection)
            shown.setEnabled(not busy)
        self._bar.setVisible(busy)
        self._cancel.setVisible(busy)
        if state.progress is not None:
            stage, done, total = state.progress
            self._bar.setRange(0, total)
            self._bar.setValue(done)
            self._bar.setAccessibleName(stage)

    def _want(self, projection: Projection) -> None:
        self.projection_wanted.emit(projection)

    def _arrange(self) -> None:
        for shown in (self._pca, self._tsne):
            shown.setCheckable(True)
            self._card.head.addWidget(shown)
        self._card.head.addWidget(self._save)
        progress = QHBoxLayout()
        progress.addWidget(self._bar, 1)
        progress.addWidget(self._cancel)
        self._card.body.addWidget(self._sentence)
        self._card.body.addLayout(progress)
        self._card.body.addWidget(self.map, 1)
        self._card.body.addWidget(self._keys)
        self._card.body.addStretch(0)
        whole = vertical(self, margins=(0, GAP + 4, 0, 0))
        whole.addWidget(scrolled(column(self._card, stretch_end=False)))


def _sentence(state: MapState) -> str:
    if state.progress is not None:
        return f"{state.progress[0]}…"
    return state.sentence if state.dots else NO_MAP
