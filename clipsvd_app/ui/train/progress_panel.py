"""The middle: the live curves with stage, progress, time left and Cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QWidget

from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.layouts import horizontal
from clipsvd_app.ui.kit.page_parts import GAP, Card, button, label, one_line, scrolled
from clipsvd_app.ui.kit.time_left import time_left_text
from clipsvd_app.ui.train.interim_card import InterimCard
from clipsvd_app.ui.train.training_curves import TrainingCurves

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from clipsvd_app.ui.train.state import InterimView, TrainProgress

_WIDE_ENOUGH_PX = 640


class ProgressPanel(Card):
    """What the engine is doing; quiet when it does nothing."""

    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Training", parent)
        self.curves = TrainingCurves()
        self.interim = InterimCard()
        self._interim_area = scrolled(self.interim)
        self._stage = one_line()
        self._left = label("", "muted", wrap=False)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._cancel = destructive(button("Cancel", hint="Stop this run; you can resume it."))
        self._cancel.clicked.connect(self.cancel_requested)
        line = QHBoxLayout()
        line.addWidget(self._stage)
        line.addStretch(1)
        line.addWidget(self._left)
        self._note = label("", "small")
        self.head.addWidget(self._cancel)
        self.body.addLayout(line)
        self.body.addWidget(self._bar)
        middle = horizontal(spacing=GAP * 2)
        middle.addWidget(self.curves, 3)
        middle.addWidget(self._interim_area, 2)
        self.body.addLayout(middle, 1)
        self.body.addWidget(self._note)
        self.set_progress(None)
        self.set_interim(None)

    def set_interim(self, view: InterimView | None) -> None:
        """Show beside the curves what the run knows already, or None when it knows nothing."""
        self.interim.set_interim(view)
        self._interim_area.setVisible(view is not None)
        self._make_room()
        where = "is next to it" if view is not None else "follows"
        self._note.setText(
            "Accuracy on training batches shows that the model is learning, not how accurate it is. "
            f"The estimate on unseen patients {where}."
        )

    def minimumSizeHint(self) -> QSize:
        # The width of one of the two: the curves go before both would not fit.
        least = super().minimumSizeHint()
        if self._interim_area.isHidden() or self.curves.isHidden():
            return least
        narrower = min(self.curves.minimumWidth(), self._interim_area.minimumSizeHint().width())
        return QSize(least.width() - narrower - GAP * 2, least.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """Where both do not fit side by side, what is known of unseen patients goes before the curves."""
        fits = self._interim_area.isHidden() or self.width() >= _WIDE_ENOUGH_PX
        self.curves.setVisible(fits)
        self._note.setVisible(fits)

    def set_progress(self, progress: TrainProgress | None) -> None:
        """Show a run in progress, or None when there is none."""
        running = progress is not None
        for widget in (self._stage, self._left, self._bar, self._cancel):
            widget.setVisible(running)
        if progress is None:
            return
        self._stage.setText("Stopping…" if progress.cancelling else progress.stage)
        self._left.setText("" if progress.cancelling else time_left_text(progress.seconds_left))
        self._bar.setRange(0, progress.total)
        self._bar.setValue(progress.done)
        self._bar.setAccessibleName(f"{progress.stage}, {progress.done} of {progress.total}")
        self._cancel.setEnabled(not progress.cancelling)
