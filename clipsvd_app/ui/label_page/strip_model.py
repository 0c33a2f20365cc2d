"""The pool as a Qt list model, with the thumbnails that have arrived."""

from __future__ import annotations

from collections import OrderedDict
from itertools import groupby
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelection,
    QItemSelectionRange,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtGui import QImage, QPixmap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clipsvd_app.ui.label_page.state import StripItem

Index = QModelIndex | QPersistentModelIndex
ITEM_ROLE = Qt.ItemDataRole.UserRole + 1
THUMBNAIL_ROLE = Qt.ItemDataRole.UserRole + 2
THUMBNAIL_PX = 168  # twice the drawn size, for fine screens
THUMBNAILS_KEPT = 2000
NOWHERE = QModelIndex()


class StripModel(QAbstractListModel):
    """Roles: the :class:`StripItem`, and its QPixmap or None."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._items: tuple[StripItem, ...] = ()
        self._row_by_id: dict[int, int] = {}
        self._thumbnails: OrderedDict[int, QPixmap] = OrderedDict()

    @property
    def items(self) -> tuple[StripItem, ...]:
        """The pool in the order shown."""
        return self._items

    def set_items(self, items: Sequence[StripItem]) -> bool:
        """Show another pool; returns whether rows moved, so that a selection must be restored."""
        fresh = tuple(items)
        if [item.image_id for item in fresh] == [item.image_id for item in self._items]:
            self._items = fresh
            if fresh:
                self.dataChanged.emit(self.index(0), self.index(len(fresh) - 1))
            return False
        self.beginResetModel()
        self._items = fresh
        self._row_by_id = {item.image_id: row for row, item in enumerate(fresh)}
        self.endResetModel()
        return True

    def set_thumbnail(self, image_id: int, picture: QImage) -> None:
        """Keep a thumbnail; the oldest beyond :data:`THUMBNAILS_KEPT` are asked for again when seen."""
        self._thumbnails[image_id] = _fitted(picture)
        if len(self._thumbnails) > THUMBNAILS_KEPT:
            self._thumbnails.popitem(last=False)
        row = self._row_by_id.get(image_id)
        if row is not None:
            self.dataChanged.emit(self.index(row), self.index(row), [THUMBNAIL_ROLE])

    def forget_thumbnails(self) -> None:
        """Drop all thumbnails, for another project counts its images from 1 too."""
        self._thumbnails.clear()

    def thumbnail(self, image_id: int) -> QPixmap | None:
        """Return a thumbnail that has arrived."""
        return self._thumbnails.get(image_id)

    def missing(self, first: int, last: int) -> list[int]:
        """Return the ids without thumbnail among the rows from first to last."""
        ids = [item.image_id for item in self._items[max(first, 0) : last + 1]]
        return [image_id for image_id in ids if image_id not in self._thumbnails]

    def index_of(self, image_id: int) -> QModelIndex:
        """Return the index of an image, invalid when it is not in the pool."""
        row = self._row_by_id.get(image_id)
        return QModelIndex() if row is None else self.index(row)

    def selection_of(self, image_ids: Iterable[int]) -> QItemSelection:
        """Return one selection of all these images, as few ranges as there are: it is told of once."""
        rows = sorted({self._row_by_id[image_id] for image_id in image_ids if image_id in self._row_by_id})
        selection = QItemSelection()
        for _gap, run in groupby(enumerate(rows), key=lambda placed: placed[1] - placed[0]):
            together = [row for _place, row in run]
            selection.append(QItemSelectionRange(self.index(together[0]), self.index(together[-1])))
        return selection

    def rowCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401 - Qt's own
        if not index.isValid():
            return None
        item = self._items[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return item.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(line for line in (item.name, item.note) if line)
        if role == ITEM_ROLE:
            return item
        return self._thumbnails.get(item.image_id) if role == THUMBNAIL_ROLE else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        own = super().flags(index)
        return own | Qt.ItemFlag.ItemIsDragEnabled if index.isValid() else own


def _fitted(picture: QImage) -> QPixmap:
    if max(picture.width(), picture.height()) <= THUMBNAIL_PX:
        return QPixmap.fromImage(picture)
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return QPixmap.fromImage(picture.scaled(THUMBNAIL_PX, THUMBNAIL_PX, keep, smooth))
