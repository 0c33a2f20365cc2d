"""The left rail: the five numbered pages, and settings at the bottom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QButtonGroup, QFrame, QToolButton, QVBoxLayout, QWidget

from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.look import icons

if TYPE_CHECKING:
    from clipsvd_app.ui.look.theme import Palette, Theme
    from clipsvd_app.ui.session.state import LongJob

RAIL_WIDTH_PX = 88
BUTTON_SIZE = QSize(72, 62)
LOWEST_PX = 46  # on a low screen the buttons move together
ICON_SIZE = QSize(22, 22)
RING_PX = 13
RING_WIDTH_PX = 3
UNKNOWN_SHARE = 0.25


class RailButton(QToolButton):
    """A page in the rail: icon, word, and its number in the corner."""

    def __init__(self, theme: Theme, title: str, icon_name: str, number: int | None) -> None:
        super().__init__()
        self.setText(title)
        self.setCheckable(True)
        self._theme = theme
        self._number = number
        self._icon_name = icon_name
        self._job: LongJob | None = None
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setFixedWidth(BUTTON_SIZE.width())
        self.setMinimumHeight(LOWEST_PX)
        self.setMaximumHeight(BUTTON_SIZE.height())
        self.setIconSize(ICON_SIZE)
        self.setAccessibleName(f"{title} page")
        theme.changed.connect(self._tint)
        self._tint(theme.palette)

    def set_job(self, job: LongJob | None) -> None:
        """Show how far a long job of this page is, as a ring in the corner, or None when there is none."""
        self._job = job
        share = "" if job is None or job.share is None else f", {100 * job.share:.0f} %"
        self.setAccessibleDescription("" if job is None else f"{job.title}{share}")
        self.update()

    def sizeHint(self) -> QSize:
        return BUTTON_SIZE

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        if self._job is not None:
            self._draw_ring(painter, self._job)
        if self._number is None:
            return
        font = self.font()
        font.setPixelSize(10)
        painter.setFont(font)
        painter.setPen(self._theme.palette.color("accent" if self.isChecked() else "text_faint"))
        painter.drawText(QRectF(6, 5, 14, 12), Qt.AlignmentFlag.AlignLeft, str(self._number))

    def _draw_ring(self, painter: QPainter, job: LongJob) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.width() - RING_PX - 8, 7, RING_PX, RING_PX)
        share = UNKNOWN_SHARE if job.share is None else job.share
        for role, span in (("border_strong", 1.0), ("accent", share)):
            pen = QPen(self._theme.palette.color(role), RING_WIDTH_PX)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            painter.drawArc(box, 90 * 16, -round(span * 360 * 16))

    def _tint(self, palette: Palette) -> None:
        self.setIcon(icons.icon(self._icon_name, palette))


class Rail(QFrame):
    """Chooses a page; ``page_chosen(str)`` carries its key."""

    page_chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("rail")
        self.setFixedWidth(RAIL_WIDTH_PX)
        self._theme = theme
        self._buttons: dict[str, RailButton] = {}
        self._group = QButtonGroup(self, exclusive=True)
        column = vertical(self, 4, margins=(8, 12, 8, 12))
        self._top, self._bottom = QVBoxLayout(), QVBoxLayout()
        self._top.setSpacing(4)
        column.addLayout(self._top)
        column.addStretch(1)
        column.addLayout(self._bottom)

    def add_page(self, key: str, title: str, icon_name: str, *, at_bottom: bool = False) -> None:
        """Add an entry; the ones at the top are numbered from 1."""
        number = None if at_bottom else self._top.count() + 1
        button = RailButton(self._theme, title, icon_name, number)
        button.clicked.connect(lambda: self.page_chosen.emit(key))
        self._buttons[key] = button
        self._group.addButton(button)
        (self._bottom if at_bottom else self._top).addWidget(button)

    def set_current(self, key: str) -> None:
        """Mark the displayed page."""
        self._buttons[key].setChecked(True)

    def set_jobs(self, jobs: tuple[LongJob, ...]) -> None:
        """Mark each page that a long job belongs to."""
        for key, button in self._buttons.items():
            button.set_job(next((job for job in jobs if job.page == key), None))

    def set_hint(self, key: str, hint: str) -> None:
        """Set the tool tip of an entry."""
        self._buttons[key].setToolTip(hint)
