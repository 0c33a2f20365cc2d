"""Cases as thumbnails with their label, prediction and probability; a click opens one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.ui.kit.plots.plot_widget import line_height, sized, write
from clipsvd_app.ui.look.class_colours import class_style, paint_class_mark
from clipsvd_app.ui.look.inks import palette_in_force

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

Index = QModelIndex | QPersistentModelIndex
_SIDE = 132
_GAP = 8
_CENTRE = Qt.AlignmentFlag.AlignHCenter


@dataclass(frozen=True, slots=True)
class GalleryItem:
    """One case: class positions from 0, a short badge such as “training”, and a sentence for the tooltip."""

    image_id: int
    label: int | None
    predicted: int | None
    probability: float | None
    badge: str = ""
    sentence: str = ""


class GalleryList(QListView):
    """A grid of cases. Pictures are asked for as they come into view and handed in by id."""

    case_opened = Signal(int)
    thumbnails_wanted = Signal(object)
    """Ids (tuple of int) whose pictures have come into view and are not there yet."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cases = _CasesModel(self)
        self._cases.wanted.connect(self.thumbnails_wanted)
        self.setModel(self._cases)
        self.setItemDelegate(_CaseDelegate(self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setSpacing(_GAP // 2)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName("Cases")
        self.clicked.connect(self._open)
        self.activated.connect(self._open)
        self.setMinimumHeight(_SIDE + 60)

    def set_items(self, items: tuple[GalleryItem, ...]) -> None:
        """Show these cases in this order."""
        self._cases.set_items(items)
        self.setAccessibleDescription(counted(len(items), "case"))

    def image_ids(self) -> tuple[int, ...]:
        """Return the ids shown, in order."""
        return tuple(item.image_id for item in self._cases.items)

    def set_thumbnail(self, image_id: int, picture: QImage) -> None:
        """Hand in a picture that was asked for."""
        self._cases.set_thumbnail(image_id, picture)

    def set_current(self, image_id: int) -> None:
        """Mark a case and scroll to it; an id that is not shown is passed over."""
        ids = self.image_ids()
        if image_id in ids:
            self.setCurrentIndex(self._cases.index(ids.index(image_id)))

    def open_row(self, row: int) -> None:
        """Mark and open the case in a row, or the last one when there are fewer; nothing when it is empty."""
        if self._cases.items:
            index = self._cases.index(min(row, len(self._cases.items) - 1))
            self.setCurrentIndex(index)
            self._open(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.text().isalnum():
            event.ignore()  # keys that label the open case; the list's own search would eat them
        else:
            super().keyPressEvent(event)

    def _open(self, index: QModelIndex) -> None:
        self.case_opened.emit(self._cases.items[index.row()].image_id)


class _CasesModel(QAbstractListModel):
    """The items and the pictures that have arrived."""

    wanted = Signal(object)

    def __init__(self, parent: GalleryList) -> None:
        super().__init__(parent)
        self.items: tuple[GalleryItem, ...] = ()
        self._rows: dict[int, list[int]] = {}  # by image
        self._pictures: dict[int, QImage] = {}
        self._asked: set[int] = set()
        self._wishes: list[int] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._ask)

    def set_items(self, items: tuple[GalleryItem, ...]) -> None:
        self.beginResetModel()
        self.items, self._rows = items, {}
        for row, item in enumerate(items):
            self._rows.setdefault(item.image_id, []).append(row)
        self.endResetModel()

    def set_thumbnail(self, image_id: int, picture: QImage) -> None:
        self._pictures[image_id] = picture
        for row in self._rows.get(image_id, ()):
            self.dataChanged.emit(self.index(row), self.index(row))

    def picture(self, image_id: int) -> QImage | None:
        """Return the picture, or wish for it and return None."""
        found = self._pictures.get(image_id)
        if found is None and image_id not in self._asked:
            self._asked.add(image_id)
            self._wishes.append(image_id)
            self._timer.start(0)
        return found

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self.items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401
        item = self.items[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return item
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return item.sentence
        return None

    def _ask(self) -> None:
        wishes, self._wishes = tuple(self._wishes), []
        self.wanted.emit(wishes)


class _CaseDelegate(QStyledItemDelegate):
    """Draws one case: picture, label mark (filled), prediction mark (hollow) with its probability, badge."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(_SIDE, _SIDE + round(line_height(option.font) * 1.7))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        item: GalleryItem = index.data(Qt.ItemDataRole.UserRole)
        model = index.model()
        assert isinstance(model, _CasesModel)
        rect = QRectF(option.rect)
        state = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        picture = QRectF(rect.x(), rect.y(), rect.width(), _SIDE)
        _paint_picture(painter, picture, model.picture(item.image_id))
        _paint_frame(
            painter,
            picture,
            chosen=bool(state & QStyle.StateFlag.State_Selected),
            hovered=bool(state & QStyle.StateFlag.State_MouseOver),
        )
        _paint_badge(painter, picture, item.badge)
        _paint_caption(painter, rect, item)
        painter.restore()


def _paint_picture(painter: QPainter, area: QRectF, picture: QImage | None) -> None:
    outline = QPainterPath()
    outline.addRoundedRect(area, 6, 6)
    painter.save()
    painter.setClipPath(outline)
    painter.fillRect(area, palette_in_force().color("viewer"))
    if picture is not None and not picture.isNull():
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        fitted = QSize(picture.size()).scaled(area.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio)
        target = QRectF(0, 0, fitted.width(), fitted.height())
        target.moveCenter(area.center())
        painter.drawImage(target, picture)
    painter.restore()


def _paint_frame(painter: QPainter, area: QRectF, *, chosen: bool, hovered: bool) -> None:
    palette = palette_in_force()
    role = "accent" if chosen else "border_strong" if hovered else "border"
    painter.setPen(QPen(palette.color(role), 2.5 if chosen else 1.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 6, 6)


def _paint_badge(painter: QPainter, picture: QRectF, badge: str) -> None:
    if not badge:
        return
    palette = palette_in_force()
    painter.save()
    painter.setFont(sized(painter.font(), 0.82))
    em = line_height(painter.font())
    width = painter.fontMetrics().horizontalAdvance(badge) + em * 0.9
    chip = QRectF(picture.right() - width - 6, picture.y() + 6, width, em * 1.25)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(palette.color("warning_soft"))
    painter.drawRoundedRect(chip, 4, 4)
    write(painter, chip, badge, palette.color("warning"), _CENTRE)
    painter.restore()


def _paint_caption(painter: QPainter, rect: QRectF, item: GalleryItem) -> None:
    palette = palette_in_force()
    em = line_height(painter.font())
    mark = em * 1.25
    y = rect.y() + _SIDE + em * 0.2
    x = rect.x() + 2
    if item.label is not None:
        paint_class_mark(painter, QRectF(x, y, mark, mark), class_style(item.label))
        x += mark + 2
    if item.predicted is None:
        return
    if item.label is not None:
        write(painter, QRectF(x, y, mark, mark), "→", palette.color("text_muted"))
        x += mark * 0.95
    paint_class_mark(painter, QRectF(x, y, mark, mark), class_style(item.predicted), hollow=True)
    if item.probability is not None:
        wrong = item.label is not None and item.label != item.predicted
        colour = palette.color("error" if wrong else "text")
        text = percent(item.probability) + (" ✗" if wrong else "")
        write(painter, QRectF(x + mark + 4, y, rect.right() - x - mark - 4, mark), text, colour)
