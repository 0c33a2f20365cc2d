"""A line of controls in two groups: beside each other where there is room, else one below the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize
from PySide6.QtWidgets import QBoxLayout, QWidget

from clipsvd_app.ui.kit.layouts import horizontal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QResizeEvent

GAP_PX = 8


class WrappingRow(QWidget):
    """``left`` keeps to the left; the first of ``right`` takes what width is left over."""

    def __init__(
        self, left: Sequence[QWidget], right: Sequence[QWidget], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._groups = (_group(left, grows=False), _group(right, grows=True))
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(GAP_PX // 2)
        for stretch, group in enumerate(self._groups):
            self._box.addWidget(group, stretch)

    @property
    def is_wrapped(self) -> bool:
        """Whether the groups stand one below the other."""
        return self._box.direction() == QBoxLayout.Direction.TopToBottom

    def minimumSizeHint(self) -> QSize:
        # The width of the wider group: they go below each other before they would not fit.
        widest = max(group.minimumSizeHint().width() for group in self._groups)
        margins = self.contentsMargins()
        return QSize(widest + margins.left() + margins.right(), super().minimumSizeHint().height())

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:  # a part came or went
            self._wrap()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._wrap()

    def _wrap(self) -> None:
        left, right = self._groups
        needed = left.sizeHint().width() + GAP_PX + right.minimumSizeHint().width()
        way, room = QBoxLayout.Direction, self.contentsRect().width()
        direction = way.LeftToRight if needed <= room else way.TopToBottom
        if direction != self._box.direction():
            self._box.setDirection(direction)
            self.updateGeometry()


def _group(parts: Sequence[QWidget], *, grows: bool) -> QWidget:
    holder = QWidget()
    row = horizontal(holder, GAP_PX)
    for part in parts:
        row.addWidget(part)
    if grows:
        row.setStretch(0, 1)
    else:
        row.addStretch(1)
    return holder
