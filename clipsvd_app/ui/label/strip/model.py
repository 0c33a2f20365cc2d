"""The pool as a Qt list model, with the thumbnails that have arrived.

A series of many slices is one row until it is opened; then its slices stand in its place.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePath
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

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.ui.label.state import StripItems

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from clipsvd_app.ui.label.state import StripItem

Index = QModelIndex | QPersistentModelIndex
ITEM_ROLE = Qt.ItemDataRole.UserRole + 1
THUMBNAIL_ROLE = Qt.ItemDataRole.UserRole + 2
ROW_ROLE = Qt.ItemDataRole.UserRole + 3
LABELLED_ROLE = Qt.ItemDataRole.UserRole + 4
FEW = 40  # more changed cells than this are announced as one range
THUMBNAIL_PX = 168  # twice the drawn size, for fine screens
THUMBNAILS_KEPT = 2000
NOWHERE = QModelIndex()


@dataclass(frozen=True, slots=True)
class StripRow:
    """What one cell stands for: an image, or all slices of a series in their order.

    ``best`` is the image that the cell shows until another slice was on the screen. ``stack``: the series
    that it belongs to, 0 for none. ``opens``: how many slices an open series has, on the first of them.
    """

    ids: tuple[int, ...]
    best: int
    stack: int = 0
    opens: int = 0

    @property
    def closed(self) -> bool:
        """Whether this is a whole series under one thumbnail."""
        return len(self.ids) > 1


class StripModel(QAbstractListModel):
    """Roles: the :class:`StripItem`, its QPixmap or None, and the :class:`StripRow`.

    The item of a closed series is that of the slice which was on the screen last.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._items = StripItems()
        self._open: set[int] = set()
        self._shown: dict[int, int] = {}  # the slice last on the screen, by series
        self._rows: list[StripRow] = []
        self._row_by_id: dict[int, int] = {}
        self._thumbnails: OrderedDict[int, QPixmap] = OrderedDict()

    @property
    def items(self) -> StripItems:
        """All images of the pool in its order, those in closed series too."""
        return self._items

    @property
    def rows(self) -> tuple[StripRow, ...]:
        """What the cells stand for, in the order shown."""
        return tuple(self._rows)

    def set_items(self, items: Sequence[StripItem]) -> bool:
        """Show another pool; returns whether rows moved, so that a selection must be restored."""
        fresh = items if isinstance(items, StripItems) else StripItems(items)
        changed = fresh.changed_since(self._items)
        if changed is not None:
            self._items = fresh
            self._tell(changed)
            return False
        self.beginResetModel()
        self._items = fresh
        before = {row.stack: row.best for row in self._rows if row.closed}
        self._number(folded(fresh, self._open))
        for row in self._rows:
            if row.closed and before.get(row.stack, row.best) != row.best:
                self._shown.pop(row.stack, None)  # another order: its best slice is another one
        self.endResetModel()
        return True

    def _tell(self, changed: Sequence[int]) -> None:
        """Announce the cells of changed images, so that no other is painted; all where they are many."""
        if len(changed) > FEW:
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))
            return
        for image_id in changed:
            if (index := self.index_of(image_id)).isValid():
                self.dataChanged.emit(index, index)

    def row(self, index: Index) -> StripRow:
        """Return what a cell stands for."""
        return self._rows[index.row()]

    def image_at(self, row: StripRow) -> int:
        """Return the image that a cell shows."""
        shown = self._shown.get(row.stack) if row.closed else None
        return shown if shown is not None and self._row_by_id.get(shown) is not None else row.best

    def show_slice(self, image_id: int) -> bool:
        """Let a closed series show this slice of it; returns whether it showed another."""
        index = self.index_of(image_id)
        if not index.isValid() or not (row := self.row(index)).closed or self.image_at(row) == image_id:
            return False
        self._shown[row.stack] = image_id
        self.dataChanged.emit(index, index)
        return True

    def open_stack(self, stack: int) -> None:
        """Put the slices of a closed series in its place."""
        place = next((at for at, row in enumerate(self._rows) if row.stack == stack and row.closed), None)
        if place is None:
            return
        self._open.add(stack)
        first, *others = _opened(self._rows[place])
        self._put(place, first)
        self.beginInsertRows(NOWHERE, place + 1, place + len(others))
        self._number([*self._rows[: place + 1], *others, *self._rows[place + 1 :]])
        self.endInsertRows()

    def close_stack(self, stack: int, shown: int | None = None) -> None:
        """Put an open series under one thumbnail again; it shows the slice given."""
        places = [at for at, row in enumerate(self._rows) if row.stack == stack and not row.closed]
        if not places:
            return
        self._open.discard(stack)
        first, last = places[0], places[-1]
        closed = next(row for row in folded(self._items, self._open) if row.stack == stack)
        if shown in closed.ids:
            self._shown[stack] = shown
        self.beginRemoveRows(NOWHERE, first + 1, last)
        self._number([*self._rows[: first + 1], *self._rows[last + 1 :]])
        self.endRemoveRows()
        self._put(first, closed)

    def set_thumbnail(self, image_id: int, picture: QImage) -> None:
        """Keep a thumbnail; the oldest beyond :data:`THUMBNAILS_KEPT` are asked for again when seen."""
        self._thumbnails[image_id] = _fitted(picture)
        if len(self._thumbnails) > THUMBNAILS_KEPT:
            self._thumbnails.popitem(last=False)
        row = self._row_by_id.get(image_id)
        if row is not None:
            self.dataChanged.emit(self.index(row), self.index(row), [THUMBNAIL_ROLE])

    def forget(self) -> None:
        """Drop all thumbnails and which series are open, for another project counts from 1 too."""
        self._thumbnails.clear()
        self._shown.clear()
        self._open.clear()

    def thumbnail(self, image_id: int) -> QPixmap | None:
        """Return a thumbnail that has arrived."""
        return self._thumbnails.get(image_id)

    def missing(self, first: int, last: int) -> list[int]:
        """Return the ids without thumbnail among the rows from first to last."""
        ids = [self.image_at(row) for row in self._rows[max(first, 0) : last + 1]]
        return [image_id for image_id in ids if image_id not in self._thumbnails]

    def index_of(self, image_id: int) -> QModelIndex:
        """Return the index of an image, invalid when it is not in the pool."""
        row = self._row_by_id.get(image_id)
        return QModelIndex() if row is None else self.index(row)

    def cells_of(self, patients: Container[int], first: int, last: int) -> list[QModelIndex]:
        """Return the cells of these patients among the rows from first to last."""
        rows = range(max(first, 0), min(last + 1, len(self._rows)))
        shown = ((at, self._items.item(self.image_at(self._rows[at]))) for at in rows)
        return [self.index(at) for at, item in shown if item.patient in patients]

    def selection_of(self, image_ids: Iterable[int]) -> QItemSelection:
        """Return one selection of all these images, as few ranges as there are: it is told of once."""
        rows = sorted({self._row_by_id[image_id] for image_id in image_ids if image_id in self._row_by_id})
        selection = QItemSelection()
        for _gap, run in groupby(enumerate(rows), key=lambda placed: placed[1] - placed[0]):
            together = [row for _place, row in run]
            selection.append(QItemSelectionRange(self.index(together[0]), self.index(together[-1])))
        return selection

    def rowCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401 - Qt's own
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == ROW_ROLE:
            return row
        item = self._items.item(self.image_at(row))
        if role == Qt.ItemDataRole.DisplayRole:
            return item.name
        if role == Qt.ItemDataRole.ToolTipRole:
            lines = (item.name, PurePath(item.path).name, *self._told(row), item.note)
            return "\n".join(line for line in dict.fromkeys(lines) if line)
        if role == ITEM_ROLE:
            return item
        if role == LABELLED_ROLE:
            return sum(self._items.item(image_id).label is not None for image_id in row.ids)
        found = self._thumbnails.get(item.image_id)
        return (found or self._thumbnails.get(row.best)) if role == THUMBNAIL_ROLE else None

    def _put(self, place: int, row: StripRow) -> None:
        self._number([*self._rows[:place], row, *self._rows[place + 1 :]])
        self.dataChanged.emit(self.index(place), self.index(place))

    def _number(self, rows: list[StripRow]) -> None:
        self._rows = rows
        self._row_by_id = {image_id: at for at, row in enumerate(rows) for image_id in row.ids}

    def _told(self, row: StripRow) -> tuple[str, ...]:
        """Say what a series under one thumbnail holds and what a key and a drag label."""
        item = self._items.item(self.image_at(row))
        if not row.closed:
            return (f"Slice {item.slice} of {item.slices}",) if row.stack else ()
        labelled = sum(self._items.item(image_id).label is not None for image_id in row.ids)
        return (
            f"Series of {counted(len(row.ids), 'slice')}, {labelled:,} labelled; slice {item.slice} shown",
            f"Press a key to label this slice, drag onto a class to label all {len(row.ids)}",
            "Double-click or press Enter to open the series",
        )

    def flags(self, index: Index) -> Qt.ItemFlag:
        own = super().flags(index)
        return own | Qt.ItemFlag.ItemIsDragEnabled if index.isValid() else own


def folded(items: Sequence[StripItem], opened: Container[int]) -> list[StripRow]:
    """Return the cells of a pool: a series stands where the first of its images does, its slices in order.

    It shows that image; where the pool is in the order of slices, the middle one.
    """
    by_stack: dict[int, list[StripItem]] = {}
    for item in items:
        if item.stack:
            by_stack.setdefault(item.stack, []).append(item)
    rows: list[StripRow] = []
    for item in items:
        if not item.stack or len(by_stack[item.stack]) == 1:
            rows.append(StripRow((item.image_id,), item.image_id))
        elif by_stack[item.stack][0] is item:
            row = _closed(by_stack[item.stack])
            rows += _opened(row) if item.stack in opened else [row]
    return rows


def _closed(ranked: Sequence[StripItem]) -> StripRow:
    slices = sorted(ranked, key=lambda item: item.slice)
    best = slices[len(slices) // 2] if slices == [*ranked] else ranked[0]
    return StripRow(tuple(item.image_id for item in slices), best.image_id, best.stack)


def _opened(row: StripRow) -> list[StripRow]:
    first, *others = row.ids
    return [
        StripRow((first,), first, row.stack, len(row.ids)),
        *(StripRow((image_id,), image_id, row.stack) for image_id in others),
    ]


def _fitted(picture: QImage) -> QPixmap:
    if max(picture.width(), picture.height()) <= THUMBNAIL_PX:
        return QPixmap.fromImage(picture)
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return QPixmap.fromImage(picture.scaled(THUMBNAIL_PX, THUMBNAIL_PX, keep, smooth))
