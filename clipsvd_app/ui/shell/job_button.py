"""The job under way, in the status bar of every page: what, how far, how long; a click leads to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from clipsvd_app.ui.kit.time_left import time_left_text

if TYPE_CHECKING:
    from clipsvd_app.ui.look.theme import Theme
    from clipsvd_app.ui.session.state import LongJob

BAR_PX = 3
WIDEST_PX = 340


class JobButton(QAbstractButton):
    """Hidden while nothing is under way. Signal: ``page_requested(str)`` where the job is watched."""

    page_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("job")
        self._theme = theme
        self._job: LongJob | None = None
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(self._go)
        self.hide()

    def set_jobs(self, jobs: tuple[LongJob, ...]) -> None:
        """Show the job that takes longest, a training, else the first; the tooltip names all."""
        self._job = next((job for job in jobs if job.page == "train"), next(iter(jobs), None))
        self.setVisible(self._job is not None)
        if self._job is not None:
            self.setText(words_of(self._job) + (f"  (+{len(jobs) - 1})" if len(jobs) > 1 else ""))
            said = "\n".join(words_of(job) for job in jobs)
            self.setToolTip(said)
            self.setAccessibleName(said)
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        wide = metrics.horizontalAdvance(self.text()) + 16
        return QSize(min(wide, WIDEST_PX), metrics.height() + BAR_PX)

    def minimumSizeHint(self) -> QSize:
        return QSize(90, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, palette = QPainter(self), self._theme.palette
        inside = self.rect().adjusted(4, 0, -4, 0)
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, inside.width())
        painter.setPen(palette.color("accent" if self.underMouse() or self.hasFocus() else "text"))
        painter.drawText(
            inside.adjusted(0, 0, 0, -BAR_PX),
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
            text,
        )
        share = None if self._job is None else self._job.share
        bar = QRectF(inside.left(), self.height() - BAR_PX, inside.width(), BAR_PX)
        painter.fillRect(bar, palette.color("border_strong"))
        bar.setWidth(bar.width() * (share or 0.0))
        painter.fillRect(bar, palette.color("accent"))

    def _go(self) -> None:
        if self._job is not None:
            self.page_requested.emit(self._job.page)


def words_of(job: LongJob) -> str:
    """Say in one line what is under way, how far it is, and how long it takes still."""
    stage = job.stage if job.stage.startswith(job.title) else f"{job.title}: {job.stage}".removesuffix(": ")
    share = "" if job.share is None else f"{100 * job.share:.0f} %"
    left = "" if job.seconds_left is None else time_left_text(job.seconds_left)
    return " · ".join(filter(None, (stage, share, left[:1].lower() + left[1:])))
