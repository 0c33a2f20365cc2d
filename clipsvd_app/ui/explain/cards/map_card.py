"""Where the answer comes from in the image, if the map passed its check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QSlider, QWidget

from clipsvd_app.domain.words.case import case_statements, map_verdict
from clipsvd_app.domain.words.statement import about
from clipsvd_app.figures.deletion import deletion_figure
from clipsvd_app.ui.explain.cards.part_card import PartCard
from clipsvd_app.ui.kit.figures.figure_view import FigureView
from clipsvd_app.ui.kit.figures.saving import save_button
from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.layouts import horizontal, vertical
from clipsvd_app.ui.kit.page_parts import GAP, Card, button, choice, label, one_line
from clipsvd_app.ui.run.case_image import CaseImage

if TYPE_CHECKING:
    from clipsvd_app.domain.results.explanation import MapKind
    from clipsvd_app.ui.explain.state import CaseView, Progress

KINDS: dict[MapKind, str] = {
    "heads": "Attention heads",
    "gradient": "Gradient",
    "occlusion": "Occlusion (slower)",
}
NOT_SPECIFIC = (
    "This map is not specific to the class: meaningless prompts give maps that differ as"
    " much from each other as from this one. It shows where the model looks, not why it predicts the class."
)
NOT_MADE = "This map has not been made yet. It masks the patches one by one, which takes longer."
NO_SUCH = "This map is not available for this image encoder."


class MapCard(PartCard):
    """Image with a veil, its strength, and which map; ``check`` holds the curve that the map is held to.

    Signals: ``occlusion_wanted()``, ``cancel_requested()``.
    """

    occlusion_wanted = Signal()
    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        self.image = CaseImage()
        super().__init__("Heat map", None, parent)
        self._view: CaseView | None = None
        self._kind = choice("Type of map")
        self._kind.addItems(list(KINDS.values()))
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self.curve = FigureView("Deletion curve")
        self.check = Card("Deletion test: mask the highlighted areas")
        self._verdict = label("")
        self._warning = label("", "warning")
        self._make = button("Make this map")
        self._bar, self._cancel = QProgressBar(), destructive(button("Cancel"))
        self._stage = one_line("", "muted")
        self._working = QWidget()
        self._arrange()
        self._kind.activated.connect(self._show)
        self._opacity.valueChanged.connect(lambda value: self.image.set_opacity(value / 100))
        self._make.clicked.connect(self.occlusion_wanted)
        self._cancel.clicked.connect(self.cancel_requested)
        for plot in (self.image, self.curve):
            plot.failed.connect(self.failed)

    def set_case(self, view: CaseView, *, keep_kind: bool) -> None:
        """Show a case: the kind chosen before where it is the same case, else the first that passed."""
        self._view = view
        assert view.explanation is not None
        self.image.set_image(view.image)
        if not keep_kind:
            passed = next((found.kind for found in view.explanation.maps if found.passed), "heads")
            self._kind.setCurrentIndex(tuple(KINDS).index(passed))
        self.set_words(*about(case_statements(view.explanation), "map"), shown=False)
        self.set_progress(view.progress)
        self._show()

    def set_progress(self, progress: Progress | None) -> None:
        """Show how far another map has come."""
        self._working.setVisible(progress is not None)
        self._make.setEnabled(progress is None)
        if progress is not None:
            stage, done, total = progress
            self._bar.setRange(0, total)
            self._bar.setValue(done)
            self._stage.setText(f"{stage}…")
            self._bar.setAccessibleName(f"{stage}: making the map")

    def choose(self, kind: MapKind) -> None:
        """Show another map."""
        self._kind.setCurrentIndex(tuple(KINDS).index(kind))
        self._show()

    @property
    def kind(self) -> MapKind:
        """Which map is chosen."""
        return tuple(KINDS)[max(0, self._kind.currentIndex())]

    def verdict(self) -> str:
        """Return what is said of the map."""
        return f"{self._verdict.text()} {self._warning.text()}".strip()

    def text(self) -> str:
        return f"{super().text()}{self.verdict()}\n"

    def _show(self) -> None:
        if self._view is None or self._view.explanation is None:
            return
        case = self._view.explanation
        found = next((each for each in case.maps if each.kind == self.kind), None)
        shown = found is not None and found.passed
        self.image.set_saliency(found.grid if found is not None and shown else (), self._view.model_view)
        self._opacity.setEnabled(shown)
        self.curve.set_figure(deletion_figure(found))
        self.check.setVisible(found is not None)
        self._verdict.setText(map_verdict(found) if found is not None else self._absent())
        specific = case.map_specificity
        doubtful = shown and specific is not None and not specific.is_specific
        self._warning.setText(NOT_SPECIFIC if doubtful else "")
        self._warning.setVisible(doubtful)
        self._make.setVisible(self.kind == "occlusion" and found is None)

    def _absent(self) -> str:
        return NOT_MADE if self.kind == "occlusion" else NO_SUCH

    def _arrange(self) -> None:
        self._opacity.setRange(0, 100)
        self._opacity.setValue(60)
        self._opacity.setAccessibleName("Strength of the map")
        self.image.setMinimumHeight(300)
        self.image.setAccessibleName("Map over the image")
        self._plot = self.image
        below = QWidget()
        seen = vertical(below, GAP)
        strength = horizontal(spacing=GAP)
        strength.addWidget(self._kind)
        strength.addWidget(label("Strength", "small", wrap=False))
        strength.addWidget(self._opacity, 1)
        seen.addWidget(self.image, 1)
        seen.addLayout(strength)
        self.check.head.addWidget(save_button(self.curve))
        self.check.body.addWidget(self.curve)
        for part in (self._verdict, self._warning):
            seen.addWidget(part)
        seen.addWidget(self._make, 0, Qt.AlignmentFlag.AlignLeft)
        seen.addWidget(self._working)
        working = QHBoxLayout(self._working)
        working.setContentsMargins(0, 0, 0, 0)
        working.addWidget(self._stage)
        working.addWidget(self._bar, 1)
        working.addWidget(self._cancel)
        self.body.insertWidget(1, below)
