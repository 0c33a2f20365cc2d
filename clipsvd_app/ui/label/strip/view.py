"""The grid of the pool: ten thousand thumbnails, of which only those in sight are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QListView

from clipsvd_app.ui.kit.image_mime import drag_images, ghost_of
from clipsvd_app.ui.label.label_keys import MOVING_KEYS
from clipsvd_app.ui.label.strip.delegate import CELL, StripDelegate, cell_of
from clipsvd_app.ui.label.strip.model import ITEM_ROLE, ROW_ROLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QResizeEvent, QWheelEvent

    from clipsvd_app.ui.label.strip.model import Index, StripModel, StripRow
    from clipsvd_app.ui.look.theme import Theme

SCROLLS = Qt.ScrollBarPolicy.ScrollBarAlwaysOn
SMALLEST_PX, LARGEST_PX, STEP_PX = 48, 160, 14
WHEEL_NOTCH = 120
RESIZED_MS = 150


class StripView(QListView):
    """A grid of equal cells: Qt lays out ten thousand of them without asking about each.

    A closed series that is chosen stands for the displayed slice, until all of its slices are chosen by name.

    Signals: ``opened(image id)``, ``slices_changed()`` when the choice means other slices of the same cells,
    ``size_asked(int)`` for thumbnails of other px.
    """

    opened = Signal(int)
    slices_changed = Signal()
    size_asked = Signal(int)

    def __init__(self, theme: Theme, model: StripModel) -> None:
        super().__init__()
        self._theme = theme
        self._strip = model
        self._delegate = StripDelegate(theme, self)
        self.opened_id: int | None = None  # what was last chosen to be shown, here or in the viewer
        self._pressing = False
        self._wheel_rest = 0
        self._resized = QTimer(self)  # Qt lays the cells out again a while after the last change of size
        self._resized.setSingleShot(True)
        self._resized.setInterval(RESIZED_MS)
        self._resized.timeout.connect(lambda: self.scrollTo(self.currentIndex()))
        self._whole: set[int] = set()  # closed series of which every slice is chosen
        self.setModel(model)
        self.setItemDelegate(self._delegate)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setGridSize(CELL)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(SCROLLS)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setMouseTracking(True)
        self.setViewportMargins(8, 0, 0, 0)
        self.setMinimumHeight(CELL.height() + 4)
        self.setAccessibleName("Pool of images")
        self.verticalScrollBar().setSingleStep(CELL.height() // 3)
        self.activated.connect(self._activate)
        self.clicked.connect(self._open_if_chosen)
        theme.changed.connect(lambda _palette: self.viewport().update())

    @property
    def picture_px(self) -> int:
        """The side of a thumbnail."""
        return self._delegate.picture_px

    def set_picture_px(self, side: int) -> None:
        """Draw thumbnails of another size and keep what is chosen in sight."""
        side = min(max(side, SMALLEST_PX), LARGEST_PX)
        if side == self._delegate.picture_px:
            return
        self._delegate.picture_px = side
        cell = cell_of(side)
        self.setGridSize(cell)
        self.verticalScrollBar().setSingleStep(cell.height() // 3)
        if self.currentIndex().isValid():
            self.scrollTo(self.currentIndex())

    def selected_ids(self) -> tuple[int, ...]:
        """Return the chosen images in the order shown."""
        return tuple(
            image_id
            for row in self._selected_rows()
            for image_id in (
                row.ids if row.closed and row.stack in self._whole else (self._strip.image_at(row),)
            )
        )

    def selected_stack(self) -> StripRow | None:
        """Return the closed series that alone is chosen, where the choice is the slice of it displayed."""
        rows = self._selected_rows()
        alone = len(rows) == 1 and rows[0].closed and rows[0].stack not in self._whole
        return rows[0] if alone else None

    def current_id(self) -> int | None:
        """Return the image that the keyboard is at."""
        index = self.currentIndex()
        return index.data(ITEM_ROLE).image_id if index.isValid() else None

    def select(self, image_ids: Iterable[int], current: int | None) -> None:
        """Choose images without opening them; of a closed series one slice, or all where all are named."""
        flag = QItemSelectionModel.SelectionFlag
        ids = dict.fromkeys(image_ids)
        self.opened_id = current if current is not None else self.opened_id
        changed = self._choose_slices(ids, current)
        if current is not None and (index := self._strip.index_of(current)).isValid():
            self.selectionModel().setCurrentIndex(index, flag.NoUpdate)
        self.selectionModel().select(self._strip.selection_of(ids), flag.ClearAndSelect)
        if changed:
            self.slices_changed.emit()

    def holds(self, image_id: int) -> bool:
        """Whether the choice holds this very image."""
        index = self._strip.index_of(image_id)
        if not index.isValid() or not self.selectionModel().isSelected(index):
            return False
        row = self._strip.row(index)
        return not row.closed or row.stack in self._whole or self._strip.image_at(row) == image_id

    def toggle_stack(self, index: QModelIndex) -> bool:
        """Open a closed series in its place, or close an open one; False where there is none."""
        row: StripRow | None = index.data(ROW_ROLE) if index.isValid() else None
        if row is None or not row.stack:
            return False
        shown = self._strip.image_at(row)
        whole = row.stack in self._whole
        if row.closed:
            self._strip.open_stack(row.stack)
        else:
            self._strip.close_stack(row.stack, shown)
        self.select(row.ids if whole else (shown,), shown)
        self.scrollTo(self._strip.index_of(shown))
        return True

    def mark_shown(self, image_id: int | None) -> None:
        """Frame the image that the viewer shows."""
        before, patient_before = self._delegate.shown_id, self._delegate.shown_patient
        self.opened_id = self._delegate.shown_id = image_id
        item = None if image_id is None else self._strip.index_of(image_id).data(ITEM_ROLE)
        self._delegate.shown_patient = 0 if item is None else item.patient
        patient = self._delegate.shown_patient
        # a stack of one patient is scrolled through faster than all of its cells are painted
        kin = () if patient == patient_before else tuple({patient, patient_before} - {0})
        cells = [self._strip.index_of(marked) for marked in (before, image_id) if marked is not None]
        for changed in (*cells, *self._strip.cells_of(kin, *self.seen_rows())):
            self.update(changed)

    def seen_rows(self) -> tuple[int, int]:
        """Return the first and last row in sight, and one line of cells beyond."""
        cell: QSize = self.gridSize()
        columns = max(1, self.viewport().width() // cell.width())
        top = self.verticalScrollBar().value() // cell.height()
        lines = self.viewport().height() // cell.height() + 2
        return top * columns, (top + lines) * columns - 1

    def dataChanged(self, first: Index, last: Index, roles: Sequence[int] = ()) -> None:
        """Paint the cells again; Qt would lay out all of them again, and they are of one size."""
        if first == last:
            self.update(first)
        else:
            self.viewport().update()

    def currentChanged(self, current: QModelIndex, previous: QModelIndex) -> None:  # type: ignore[override]
        super().currentChanged(current, previous)
        if not self._pressing:
            self._open_if_chosen(current)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Change the choice; what is left of it when the button comes up again is opened then."""
        self._pressing = True
        right = event.button() == Qt.MouseButton.RightButton
        if not right:
            self._mean_what_is_shown()
        super().mousePressEvent(event)
        self._pressing = False
        if right:  # no click follows: its menu means what is on the screen
            self._open_if_chosen(self.indexAt(event.position().toPoint()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Open or close a series where its badge is clicked; else as any list."""
        index = self.indexAt(event.position().toPoint())
        on_badge = index.isValid() and self._delegate.is_on_badge(
            self.visualRect(index), index, event.position()
        )
        super().mouseReleaseEvent(event)
        if on_badge and event.button() == Qt.MouseButton.LeftButton and not event.modifiers():
            self.toggle_stack(index)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the current image in sight where it was: other columns put it on another line."""
        at = self.visualRect(self.currentIndex())
        if at.isValid() and self.viewport().rect().intersects(at):
            self._resized.start()
        super().resizeEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll, or with Ctrl draw larger or smaller thumbnails."""
        if not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().wheelEvent(event)
            return
        self._wheel_rest += event.angleDelta().y()
        notches = int(self._wheel_rest / WHEEL_NOTCH)
        self._wheel_rest -= notches * WHEEL_NOTCH
        if notches:
            self.size_asked.emit(self.picture_px + notches * STEP_PX)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move through the pool; every other key belongs to the page."""
        moves = event.key() in MOVING_KEYS and not event.modifiers() & Qt.KeyboardModifier.AltModifier
        if moves or event.matches(QKeySequence.StandardKey.SelectAll):
            super().keyPressEvent(event)
        elif event.matches(QKeySequence.StandardKey.ZoomIn):
            self.size_asked.emit(self.picture_px + STEP_PX)
        elif event.matches(QKeySequence.StandardKey.ZoomOut):
            self.size_asked.emit(self.picture_px - STEP_PX)
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Choose the displayed image where none is chosen: what the next key labels is always to be seen."""
        super().focusInEvent(event)
        by_key = event.reason() not in (Qt.FocusReason.MouseFocusReason, Qt.FocusReason.PopupFocusReason)
        if by_key and self._strip.items and not self.selectionModel().hasSelection():
            shown = self._delegate.shown_id
            index = self._strip.index_of(shown) if shown is not None else self._strip.index(0)
            self.setCurrentIndex(index if index.isValid() else self._strip.index(0))

    def startDrag(self, supported_actions: Qt.DropAction) -> None:
        ids = tuple(image_id for row in self._selected_rows() for image_id in self._carried(row))
        if ids:
            picture = self._strip.thumbnail(ids[0])
            ghost = ghost_of(None if picture is None else picture.toImage(), len(ids), self._theme.palette)
            drag_images(self, ids, ghost)

    def _selected_rows(self) -> list[StripRow]:
        rows, places = self._strip.rows, self.selectionModel().selectedIndexes()
        return [rows[at] for at in sorted(index.row() for index in places)]

    def _carried(self, row: StripRow) -> tuple[int, ...]:
        """Return what a drag takes along: of a closed series every slice, the one displayed first."""
        shown = self._strip.image_at(row)
        return (shown, *(image_id for image_id in row.ids if image_id != shown))

    def _choose_slices(self, ids: dict[int, None], current: int | None) -> bool:
        """Take what is named of closed series; returns whether that is another choice of slices."""
        before = set(self._whole)
        self._whole.clear()
        changed = False
        rows = {index.row() for image_id in ids if (index := self._strip.index_of(image_id)).isValid()}
        for row in [row for row in map(self._strip.rows.__getitem__, rows) if row.closed]:
            if ids.keys() >= set(row.ids):
                self._whole.add(row.stack)
            named = current if current in row.ids else next(i for i in ids if i in row.ids)
            changed |= self._strip.show_slice(named)
        return changed or before != self._whole

    def _mean_what_is_shown(self) -> None:
        """Let a chosen series stand for the displayed slice again."""
        if self._whole:
            self._whole.clear()
            self.slices_changed.emit()

    def _activate(self, index: QModelIndex) -> None:
        """Open or close a series; show any other image again."""
        if not self.toggle_stack(index):
            self._open(index, again=True)

    def _open_if_chosen(self, index: QModelIndex) -> None:
        """Show what is chosen, and nothing that Ctrl and a click have just taken out of the choice."""
        if self.selectionModel().isSelected(index):
            self._open(index)

    def _open(self, index: QModelIndex, *, again: bool = False) -> None:
        if not index.isValid():
            return
        image_id = index.data(ITEM_ROLE).image_id
        if again or image_id != self.opened_id:
            self.opened_id = image_id
            self.opened.emit(image_id)
