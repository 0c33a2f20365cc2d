"""The status bar: engine, device, how the preview stands, what is under way, and that all is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QWidget

from clipsvd_app.ui.kit.elided_label import ElidedLabel
from clipsvd_app.ui.kit.layouts import horizontal
from clipsvd_app.ui.session.state import Segment, StatusState
from clipsvd_app.ui.shell.job_button import JobButton

if TYPE_CHECKING:
    from clipsvd_app.ui.look.theme import Theme
    from clipsvd_app.ui.session.state import LongJob

_ROLES = {
    "quiet": "text_faint",
    "busy": "accent",
    "good": "success",
    "warning": "warning",
    "error": "error",
}
DOT_PX = 7


class _Segment(ElidedLabel):
    """A dot and a few words."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setContentsMargins(DOT_PX + 8, 0, 16, 0)
        self._theme = theme
        self._segment = Segment()

    def set_segment(self, segment: Segment) -> None:
        self._segment = segment
        self.setText(segment.text)
        self.set_hint(segment.hint)
        self.setVisible(bool(segment.text))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.palette.color(_ROLES[self._segment.level]))
        painter.drawEllipse(0, (self.height() - DOT_PX) // 2, DOT_PX, DOT_PX)


class StatusBar(QFrame):
    """Five segments; the last one, ``saved``, stands at the right, and before it what is under way.

    Signal: ``page_requested(str)`` when that is clicked.
    """

    page_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status_bar")
        self._segments = {
            name: _Segment(theme, name) for name in ("engine", "device", "backbone", "preview", "saved")
        }
        self._job = JobButton(theme)
        self._job.page_requested.connect(self.page_requested)
        row = horizontal(self, 8, margins=(16, 5, 0, 5))
        for name, segment in self._segments.items():
            if name == "saved":
                row.addStretch(1)
                row.addWidget(self._job)
            row.addWidget(segment)
        self.set_state(StatusState())

    def set_state(self, state: StatusState) -> None:
        """Show a new state."""
        for name, segment in self._segments.items():
            segment.set_segment(getattr(state, name))

    def set_jobs(self, jobs: tuple[LongJob, ...]) -> None:
        """Show the long jobs under way."""
        self._job.set_jobs(jobs)
