"""How one image of the film strip looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.ui.label.strip.flags import paint_flags
from clipsvd_app.ui.label.strip.model import ITEM_ROLE, LABELLED_ROLE, ROW_ROLE, THUMBNAIL_ROLE
from clipsvd_app.ui.look.class_colours import class_style, paint_class_mark
from clipsvd_app.ui.look.mark_signs import write_small

if TYPE_CHECKING:
    from PySide6.QtCore import QRect

    from clipsvd_app.ui.label.state import StripItem
    from clipsvd_app.ui.label.strip.model import StripRow
    from clipsvd_app.ui.look.theme import Theme

PICTURE_PX = 86
MARK_PX = 22
_BESIDE, _ABOVE_AND_NAME = 10, 26
_SHEETS = 2
_BADGE_INK, _BADGE = QColor("#d5dadf"), QColor(10, 12, 14, 215)


def cell_of(picture_px: int) -> QSize:
    """Return the cell of a thumbnail: room for its name below, and for the edges of what is chosen."""
    return QSize(picture_px + _BESIDE, picture_px + _ABOVE_AND_NAME)


CELL = cell_of(PICTURE_PX)


class StripDelegate(QStyledItemDelegate):
    """Thumbnail on black, the label's mark, else the preview's hollow mark with its probability."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.shown_id: int | None = None
        self.shown_patient = 0
        self.picture_px = PICTURE_PX

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return cell_of(self.picture_px)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        cell: QRectF = QRectF(option.rect)
        state: QStyle.StateFlag = option.state
        item: StripItem = index.data(ITEM_ROLE)
        row: StripRow = index.data(ROW_ROLE)
        frame = self._frame(cell)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if row.stack and not row.closed:
            painter.fillRect(cell, self._theme.palette.color("accent_soft"))
        if row.closed:
            self._paint_sheets(painter, frame)
        painter.fillRect(frame, self._theme.palette.color("viewer"))
        _paint_picture(painter, frame, index.data(THUMBNAIL_ROLE))
        shown = item.image_id == self.shown_id
        kin = not shown and item.patient == self.shown_patient != 0
        paint_flags(painter, frame, item, kin=kin)
        self._paint_class(painter, frame, item)
        self._paint_edge(painter, frame, state, shown=shown)
        if row.closed or row.opens:
            _paint_badge(painter, self._badge(frame, row), f"{_sign(row)} {row.opens or len(row.ids)}")
        name = f"{index.data(LABELLED_ROLE)} of {len(row.ids)} labelled" if row.closed else item.name
        self._paint_name(painter, cell, frame, name)
        painter.restore()

    def is_on_badge(self, cell: QRect, index: QModelIndex, at: QPointF) -> bool:
        """Whether a point is on the count of a series, which opens and closes it."""
        row: StripRow = index.data(ROW_ROLE)
        badge = self._badge(self._frame(QRectF(cell)), row)
        return bool(row.closed or row.opens) and badge.contains(at)

    def _frame(self, cell: QRectF) -> QRectF:
        side = self.picture_px
        return QRectF(cell.x() + (cell.width() - side) / 2, cell.y() + 4, side, side)

    def _badge(self, frame: QRectF, row: StripRow) -> QRectF:
        digits = len(str(row.opens or len(row.ids)))
        return QRectF(frame.left() + 3, frame.top() + 3, 20 + 7 * digits, 17)

    def _paint_sheets(self, painter: QPainter, frame: QRectF) -> None:
        """Let the edges of sheets look out behind a series."""
        painter.setPen(QPen(self._theme.palette.color("border_strong"), 1.0))
        for step in range(_SHEETS, 0, -1):
            painter.drawLine(
                QPointF(frame.left() + 3 * step, frame.top() - 1.5 * step),
                QPointF(frame.right() + 1.5 * step, frame.top() - 1.5 * step),
            )
            painter.drawLine(
                QPointF(frame.right() + 1.5 * step, frame.top() - 1.5 * step),
                QPointF(frame.right() + 1.5 * step, frame.bottom() - 3 * step),
            )

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
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        role = "accent" if selected else "text" if shown else "border_strong" if hovered else "border"
        width = 3.0 if selected else 2.0 if shown else 1.0
        outside = width / 2
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(palette.color(role), width))
        painter.drawRoundedRect(frame.adjusted(-outside, -outside, outside, outside), 3, 3)

    def _paint_name(self, painter: QPainter, cell: QRectF, frame: QRectF, name: str) -> None:
        font = painter.font()
        font.setPointSizeF(font.pointSizeF() * 0.8)
        painter.setFont(font)
        painter.setPen(self._theme.palette.color("text_faint"))
        area = QRectF(frame.left(), frame.bottom() + 3, frame.width(), cell.bottom() - frame.bottom() - 4)
        fitted = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, int(area.width()))
        painter.drawText(area, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, fitted)


def _sign(row: StripRow) -> str:
    return "▸" if row.closed else "▾"


def _paint_badge(painter: QPainter, area: QRectF, text: str) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_BADGE)
    painter.drawRoundedRect(area, 4, 4)
    write_small(painter, area, text, _BADGE_INK)


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
    painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, percent(probability))
    font.setPointSizeF(font.pointSizeF() / 0.8)
    painter.setFont(font)
