"""How one image of the film strip looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from clipsvd_app.ui.class_colours import class_style, paint_class_mark
from clipsvd_app.ui.label_page.strip_flags import paint_flags
from clipsvd_app.ui.label_page.strip_model import ITEM_ROLE, THUMBNAIL_ROLE

if TYPE_CHECKING:
    from clipsvd_app.ui.label_page.state import StripItem
    from clipsvd_app.ui.theme import Theme

CELL = QSize(96, 112)
PICTURE_PX = 86
MARK_PX = 22


class StripDelegate(QStyledItemDelegate):
    """Thumbnail on black, the label's mark, else the preview's hollow mark with its probability."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.shown_id: int | None = None
        self.shown_patient = 0

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return CELL

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        cell: QRectF = QRectF(option.rect)
        state: QStyle.StateFlag = option.state
        item: StripItem = index.data(ITEM_ROLE)
        frame = QRectF(cell.x() + (cell.width() - PICTURE_PX) / 2, cell.y() + 4, PICTURE_PX, PICTURE_PX)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(frame, self._theme.palette.color("viewer"))
        _paint_picture(painter, frame, index.data(THUMBNAIL_ROLE))
        shown = item.image_id == self.shown_id
        kin = not shown and item.patient == self.shown_patient != 0
        paint_flags(painter, frame, item, kin=kin)
        self._paint_class(painter, frame, item)
        self._paint_edge(painter, frame, state, shown=shown)
        self._paint_name(painter, cell, frame, item.name)
        painter.restore()

    def _paint_class(self, painter: QPainter, frame: QRectF, item: StripItem) -> None:
        mark = QRectF(frame.left() + 3, frame.bottom() - MARK_PX - 3, MARK_PX, MARK_PX)
        if item.label is not None:
            paint_class_mark(painter, mark, class_style(item.label))
        elif item.predicted is not None and not item.mark:
            paint_class_mark(painter, mark, class_style(item.predicted), hollow=True)
            if item.probability is not None:
                _paint_probability(painter, mark, item.probability)

    def _paint_edge(self, painter: QPainter, frame: QRectF, state: QStyle.StateFlag, *, shown: bool) -> None:
        palette = self._theme.palette
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected:
            veil = palette.color("accent")
            veil.setAlpha(40)
            painter.fillRect(frame, veil)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        role = "accent" if selected else "text" if shown else "border_strong" if hovered else "border"
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(palette.color(role), 2.0 if selected or shown else 1.0))
        painter.drawRoundedRect(frame.adjusted(-1, -1, 1, 1), 3, 3)

    def _paint_name(self, painter: QPainter, cell: QRectF, frame: QRectF, name: str) -> None:
        font = painter.font()
        font.setPointSizeF(font.pointSizeF() * 0.8)
        painter.setFont(font)
        painter.setPen(self._theme.palette.color("text_faint"))
        area = QRectF(frame.left(), frame.bottom() + 3, frame.width(), cell.bottom() - frame.bottom() - 4)
        fitted = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, int(area.width()))
        painter.drawText(area, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, fitted)


def _paint_picture(painter: QPainter, frame: QRectF, picture: QPixmap | None) -> None:
    if picture is None or picture.isNull():
        painter.setPen(QColor(255, 255, 255, 40))
        painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, "…")
        return
    scale = min(frame.width() / picture.width(), frame.height() / picture.height())
    width, height = picture.width() * scale, picture.height() * scale
    target = QRectF(frame.center().x() - width / 2, frame.center().y() - height / 2, width, height)
    painter.drawPixmap(target, picture, QRectF(picture.rect()))


def _paint_probability(painter: QPainter, mark: QRectF, probability: float) -> None:
    font = painter.font()
    font.setPointSizeF(font.pointSizeF() * 0.8)
    painter.setFont(font)
    chip = QRectF(mark.right() + 2, mark.top() + 3, 34, MARK_PX - 6)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(10, 12, 14, 200))
    painter.drawRoundedRect(chip, 4, 4)
    painter.setPen(QColor("#d5dadf"))
    painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, f"{100 * probability:.0f} %")
    font.setPointSizeF(font.pointSizeF() / 0.8)
    painter.setFont(font)
