"""The grid of the pool: ten thousand thumbnails, of which only those in sight are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QListView

from clipsvd_app.ui.image_mime import drag_images, ghost_of
from clipsvd_app.ui.label_page.label_keys import MOVING_KEYS
from clipsvd_app.ui.label_page.strip_delegate import CELL, StripDelegate
from clipsvd_app.ui.label_page.strip_model import ITEM_ROLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent

    from clipsvd_app.ui.label_page.strip_model import StripModel
    from clipsvd_app.ui.theme import Theme

SCROLLS = Qt.ScrollBarPolicy.ScrollBarAlwaysOn


class StripView(QListView):
    """A grid of equal cells: Qt lays out ten thousand of them without asking about each."""

    opened = Signal(int)

    def __init__(self, theme: Theme, model: StripModel) -> None:
        super().__init__()
        self._theme = theme
        self._strip = model
        self._delegate = StripDelegate(theme, self)
        self.opened_id: int | None = None  # what was last chosen to be shown, here or in the viewer
        self._pressing = False
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
        self.activated.connect(lambda index: self._open(index, again=True))
        self.clicked.connect(self._open_if_chosen)
        theme.changed.connect(lambda _palette: self.viewport().update())

    def selected_ids(self) -> tuple[int, ...]:
        """Return the chosen images in the order shown."""
        rows = sorted(index.row() for index in self.selectionModel().selectedIndexes())
        return tuple(self._strip.items[row].image_id for row in rows)

    def current_id(self) -> int | None:
        """Return the image that the keyboard is at."""
        index = self.currentIndex()
        return index.data(ITEM_ROLE).image_id if index.isValid() else None

    def select(self, image_ids: Iterable[int], current: int | None) -> None:
        """Choose images without opening them."""
        flag = QItemSelectionModel.SelectionFlag
        self.opened_id = current if current is not None else self.opened_id
        if current is not None and (index := self._strip.index_of(current)).isValid():
            self.selectionModel().setCurrentIndex(index, flag.NoUpdate)
        self.selectionModel().select(self._strip.selection_of(image_ids), flag.ClearAndSelect)

    def mark_shown(self, image_id: int | None) -> None:
        """Frame the image that the viewer shows."""
        before, patient_before = self._delegate.shown_id, self._delegate.shown_patient
        self.opened_id = self._delegate.shown_id = image_id
        item = None if image_id is None else self._strip.index_of(image_id).data(ITEM_ROLE)
        self._delegate.shown_patient = 0 if item is None else item.patient
        if self._delegate.shown_patient != patient_before:
            self.viewport().update()
            return
        for changed in (before, image_id):  # a stack is scrolled through faster than all cells are painted
            if changed is not None:
                self.update(self._strip.index_of(changed))

    def seen_rows(self) -> tuple[int, int]:
        """Return the first and last row in sight, and one line of cells beyond."""
        columns = max(1, self.viewport().width() // CELL.width())
        top = self.verticalScrollBar().value() // CELL.height()
        lines = self.viewport().height() // CELL.height() + 2
        return top * columns, (top + lines) * columns - 1

    def currentChanged(self, current: QModelIndex, previous: QModelIndex) -> None:  # type: ignore[override]
        super().currentChanged(current, previous)
        if not self._pressing:
            self._open_if_chosen(current)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Change the choice; what is left of it when the button comes up again is opened then."""
        self._pressing = True
        super().mousePressEvent(event)
        self._pressing = False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move through the pool; every other key belongs to the page."""
        moves = event.key() in MOVING_KEYS and not event.modifiers() & Qt.KeyboardModifier.AltModifier
        if moves or event.matches(QKeySequence.StandardKey.SelectAll):
            super().keyPressEvent(event)
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Choose the image on show where none is chosen: what the next key labels is always to be seen."""
        super().focusInEvent(event)
        by_key = event.reason() not in (Qt.FocusReason.MouseFocusReason, Qt.FocusReason.PopupFocusReason)
        if by_key and self._strip.items and not self.selectionModel().hasSelection():
            shown = self._delegate.shown_id
            index = self._strip.index_of(shown) if shown is not None else self._strip.index(0)
            self.setCurrentIndex(index if index.isValid() else self._strip.index(0))

    def startDrag(self, supported_actions: Qt.DropAction) -> None:
        ids = self.selected_ids()
        if ids:
            picture = self._strip.thumbnail(ids[0])
            ghost = ghost_of(None if picture is None else picture.toImage(), len(ids), self._theme.palette)
            drag_images(self, ids, ghost)

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
