"""An image that an adapter was applied to, to be looked at beside its prediction; nothing is changed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QGraphicsOpacityEffect, QVBoxLayout, QWidget

from clipsvd_app.domain.words.notice import NOT_DIAGNOSTIC
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.figures.probabilities import probabilities_figure
from clipsvd_app.ui.export.results_table import FAINT
from clipsvd_app.ui.kit.figures.figure_view import FigureView
from clipsvd_app.ui.kit.layouts import horizontal, vertical
from clipsvd_app.ui.kit.page_parts import Lines, label, scrolled
from clipsvd_app.ui.kit.window_place import open_at_size
from clipsvd_app.ui.viewer.viewer import ImageViewer

if TYPE_CHECKING:
    from clipsvd_app.ui.export.state import AppliedRow
    from clipsvd_app.ui.look.theme import Theme
    from clipsvd_app.ui.viewer.state import FrameState

SIDE_PX = 300
UNREADABLE = "No prediction for this image."


class AppliedImageDialog(QDialog):
    """Slices, windows and measurements of an image that is of no project, with what the adapter says of it.

    Signals: ``slice_requested(int)`` place in the stack, ``step_requested(int)`` another row of the table.
    """

    slice_requested = Signal(int)
    step_requested = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        open_at_size(self, 1060, 720)
        self.viewer = ImageViewer(theme, looks_only=True)
        self.viewer.setMinimumSize(360, 240)
        self.bars = FigureView("Class probabilities")
        self._name = label("", "headline")
        self._said = label("")
        self._answer = QWidget()
        self._faint = QGraphicsOpacityEffect(self._answer)
        self._answer.setGraphicsEffect(self._faint)
        inside = QVBoxLayout(self._answer)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self._said)
        inside.addWidget(self.bars)
        self._warning = Lines()
        side = QWidget()
        beside = vertical(side, 12, margins=(16, 16, 16, 12))
        for widget in (self._name, self._warning, self._answer):
            beside.addWidget(widget)
        beside.addStretch(1)
        beside.addWidget(label(NOT_DIAGNOSTIC, "small"))
        row = horizontal(self, 0)
        row.addWidget(self.viewer, 1)
        beside_viewer = scrolled(side)
        beside_viewer.setFixedWidth(SIDE_PX)
        row.addWidget(beside_viewer)
        self.viewer.slice_requested.connect(lambda _pane, index: self.slice_requested.emit(index))
        self.viewer.step_requested.connect(self.step_requested)

    def show_row(self, row: AppliedRow, names: tuple[str, ...]) -> None:
        """Say what the adapter says of an image."""
        self.setWindowTitle(row.file_name)
        self._name.setText(row.file_name)
        self._warning.set_lines([("⚠", row.unlike, "warning")] if row.unlike else [])
        self.bars.setVisible(bool(row.adapted))
        if not row.adapted:
            self._said.setText(UNREADABLE)
            return
        best = row.adapted.index(max(row.adapted))
        self._said.setText(f"{names[best]}, {percent(row.adapted[best])}")
        self._faint.setOpacity(FAINT if row.unlike else 1.0)
        self.bars.set_figure(probabilities_figure(names, row.adapted, row.zero_shot))

    def show_frame(self, frame: FrameState | None) -> None:
        """Show the pixels that were read."""
        self.viewer.set_frame(frame)

    def show_error(self, sentence: str) -> None:
        """Say why no pixels are shown."""
        self.viewer.set_frame(None)
        self._warning.set_lines([("✗", sentence, "warning")])
