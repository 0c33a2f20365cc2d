"""One line of words that gives way: shortened with an ellipsis where room is short, whole in its tooltip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

SHORTEST_EM = 5


class ElidedLabel(QLabel):
    """A plain label of one line; ``text`` stays the whole of it."""

    def __init__(
        self,
        text: str = "",
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._mode, self._hint = mode, ""
        self.setText(text)

    def setText(self, text: str) -> None:
        """Say something else."""
        super().setText(text)
        self._explain()

    def set_hint(self, hint: str) -> None:
        """Say more in the tooltip."""
        self._hint = hint
        self._explain()

    def minimumSizeHint(self) -> QSize:
        whole = super().sizeHint()
        margins = self.contentsMargins()
        shortest = self.fontMetrics().height() * SHORTEST_EM + margins.left() + margins.right()
        return QSize(min(whole.width(), shortest), whole.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._explain()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.style().drawItemText(
            painter,
            self.contentsRect(),
            int(self.alignment()),
            self.palette(),
            self.isEnabled(),
            self._shown(),
            self.foregroundRole(),
        )

    def _shown(self) -> str:
        return self.fontMetrics().elidedText(self.text(), self._mode, self.contentsRect().width())

    def _explain(self) -> None:
        whole = self.text() if self._shown() != self.text() else ""
        self.setToolTip("\n".join(part for part in (whole, self._hint) if part))
