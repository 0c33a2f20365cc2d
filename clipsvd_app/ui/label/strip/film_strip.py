"""The film strip: the pool of images as thumbnails, read only as far as they are seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QLabel,
    QLineEdit,
    QSlider,
    QToolButton,
    QWidget,
)

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.ui.kit.choice import Choice
from clipsvd_app.ui.kit.elided_label import ElidedLabel
from clipsvd_app.ui.kit.empty_state import EmptyState
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.wrapping_row import WrappingRow
from clipsvd_app.ui.label.state import ORDERS, StripState
from clipsvd_app.ui.label.strip.filter_button import FilterButton
from clipsvd_app.ui.label.strip.model import ITEM_ROLE, StripModel
from clipsvd_app.ui.label.strip.view import LARGEST_PX, SCROLLS, SMALLEST_PX, STEP_PX, StripView
from clipsvd_app.ui.look.theme import set_kind
from clipsvd_app.ui.session.state import EmptyAction, EmptySpec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtGui import QImage, QKeyEvent, QPixmap, QResizeEvent

    from clipsvd_app.ui.label.state import StripItems
    from clipsvd_app.ui.look.theme import Theme

SEARCH_PAUSE_MS = 350
NOTHING = EmptySpec("search", "No image to show", "", (EmptyAction("all", "Show all", primary=True),))
LOOK_PAUSE_MS = 30
REST_MS = 250  # a closed series asks for the thumbnail of its slice once the wheel rests there
SIZE_PAUSE_MS = 400


class FilmStrip(QFrame):
    """The pool; asks for thumbnails as they come into sight.

    Signals: ``opened(int)`` image id, ``selection_changed(tuple of ids)``,
    ``thumbnails_needed(list of ids)``, ``order_changed(str)``, ``news_requested()`` for a newer order,
    ``reference_dropped()``, ``search_changed(str)`` after a pause in typing, ``all_requested()``,
    ``size_changed(int)`` px of the thumbnails, once they rest at it, ``filter_changed(frozenset, str)`` keys
    and a part of file names.
    """

    opened = Signal(int)
    selection_changed = Signal(object)
    thumbnails_needed = Signal(object)
    order_changed = Signal(str)
    news_requested = Signal()
    reference_dropped = Signal()
    search_changed = Signal(str)
    all_requested = Signal()
    size_changed = Signal(int)
    filter_changed = Signal(object, str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_kind(self, "panel")
        self._model = StripModel(self)
        self.view = StripView(theme, self._model)
        self._nothing = EmptyState(theme, NOTHING)
        self.setFocusProxy(self.view)
        self._build()
        self._search_pause = QTimer(self)
        self._look_pause = QTimer(self)
        self._size_pause = QTimer(self)
        self._told: tuple[int, ...] = ()
        self._hidden_by = ""
        self._nothing.hide()
        self._connect()
        self.set_state(StripState())

    @property
    def selected_ids(self) -> tuple[int, ...]:
        """The chosen images in the order shown."""
        return self.view.selected_ids()

    def set_state(self, state: StripState) -> None:
        """Show another pool or order; selection and place are kept by image."""
        chosen, current = self.selected_ids, self.view.current_id()
        with QSignalBlocker(self.view.selectionModel()), QSignalBlocker(self.view):
            if self._model.set_items(state.items):
                self.view.select(chosen, current)
                self.view.viewport().update()
        with QSignalBlocker(self._order):
            self._offer(state)
        self._all.setVisible(bool(state.part_of))
        self._all.setText(f"Show all {state.part_of:,}")
        self._news.setText(state.news)
        self._news.setVisible(bool(state.news))
        self._reference.setText(f"{state.reference}  ✕")
        self._reference.setVisible(bool(state.reference))
        self.filter.set_state(state.filter)
        self._show_nothing(state.hidden_by)
        self._caption.setText(state.caption or counted(len(state.items), "image"))
        self._tell_choice()
        self.view.setVerticalScrollBarPolicy(
            SCROLLS if state.items else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        self._look_pause.start(LOOK_PAUSE_MS)

    @property
    def items(self) -> StripItems:
        """The pool as it is shown."""
        return self._model.items

    @property
    def filled(self) -> bool:
        """Whether the pool holds an image, shown or hidden."""
        return self._model.rowCount() > 0 or bool(self._hidden_by)

    def set_thumbnail(self, image_id: int, picture: QImage) -> None:
        """Show a thumbnail that has arrived."""
        self._model.set_thumbnail(image_id, picture)

    def thumbnail(self, image_id: int) -> QPixmap | None:
        """Return a thumbnail that has arrived."""
        return self._model.thumbnail(image_id)

    def forget(self) -> None:
        """Drop all thumbnails and close all series: another project is opened."""
        self._model.forget()

    def set_picture_px(self, side: int) -> None:
        """Draw thumbnails of this size."""
        self.view.set_picture_px(side)
        with QSignalBlocker(self._size):
            self._size.setValue(self.view.picture_px)
        self._look_pause.start(LOOK_PAUSE_MS)

    def set_shown(self, image_id: int | None) -> None:
        """Mark the image that the viewer shows."""
        self.view.mark_shown(image_id)

    def follow(self, image_id: int | None) -> None:
        """Choose the image that is on the screen now; several stay chosen while it is the one opened here."""
        if image_id is None:
            return
        index = self._model.index_of(image_id)
        closed = index.isValid() and self._model.row(index).closed
        if closed or self._look_pause.isActive():  # thumbnails wait until the viewer rests
            self._look_pause.start(REST_MS if closed else LOOK_PAUSE_MS)
        opened_here = image_id in (self.view.opened_id, self.view.current_id())
        if not (opened_here and self.view.holds(image_id)):
            self.view.select((image_id,), image_id)
            self.view.scrollTo(index)

    def select(self, image_ids: Iterable[int]) -> None:
        """Choose images; the first is brought into view."""
        ids = tuple(image_ids)
        self.view.select(ids, ids[0] if ids else None)
        if ids:
            self.view.scrollTo(self._model.index_of(ids[0]))

    def step(self, images: int) -> None:
        """Go to the previous or next image of the pool."""
        row = min(max(self.view.currentIndex().row() + images, 0), self._model.rowCount() - 1)
        if row >= 0:
            self.view.setCurrentIndex(self._model.index(row))

    def allow_search(self, allowed: bool) -> None:
        """Let the pool be searched and filtered, or not while readers read or are compared."""
        self._search.setEnabled(allowed)
        self.filter.setEnabled(allowed)

    def focus_search(self) -> None:
        """Put the cursor into the search field."""
        self._search.setFocus()
        self._search.selectAll()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._look_pause.start(LOOK_PAUSE_MS)

    def _build(self) -> None:
        heading = QLabel("Pool")
        set_kind(heading, "section")
        self._caption = ElidedLabel()
        set_kind(self._caption, "small")
        self._all = QToolButton()
        self._all.setToolTip("Show the whole pool again (Escape)")
        self._all.clicked.connect(self.all_requested)
        self._chosen = QLabel()
        set_kind(self._chosen, "chip")
        self._chosen.hide()
        self._reference = QToolButton()
        self._reference.setToolTip("Sorted by similarity to this image; click to reset")
        self._reference.hide()
        self._news = QToolButton()
        set_kind(self._news, "quiet")
        self._news.setToolTip("Update the sort order (Ctrl+Shift+S)")
        self._news.hide()
        self._order = Choice("Sort order of the pool")
        self.filter = FilterButton()
        self._search = QLineEdit()
        self._search.setPlaceholderText("Search by description or file name")
        self._search.setClearButtonEnabled(True)
        self._search.setToolTip(self._search.placeholderText())
        self._search.setMinimumWidth(90)
        self._search.setMaximumWidth(320)
        self._search.setAccessibleName("Search images")
        self._size = QSlider(Qt.Orientation.Horizontal)
        self._size.setRange(SMALLEST_PX, LARGEST_PX)
        self._size.setValue(self.view.picture_px)
        self._size.setPageStep(STEP_PX)
        self._size.setFixedWidth(72)
        self._size.setToolTip("Size of the thumbnails (Ctrl + wheel)")
        self._size.setAccessibleName("Size of the thumbnails")
        said = (heading, self._caption, self._all, self._chosen, self._reference, self._news)
        row = WrappingRow(said, (self._search, self.filter, self._order, self._size))
        row.setContentsMargins(12, 8, 12, 4)
        column = vertical(self, 0)
        column.addWidget(row)
        column.addWidget(self.view, 1)
        column.addWidget(self._nothing, 1)

    def _connect(self) -> None:
        self._search_pause.setSingleShot(True)
        self._search_pause.setInterval(SEARCH_PAUSE_MS)
        self._look_pause.setSingleShot(True)
        self._search_pause.timeout.connect(lambda: self.search_changed.emit(self._search.text().strip()))
        self._look_pause.timeout.connect(self._ask_for_seen)
        self._search.textChanged.connect(lambda _text: self._search_pause.start())
        self._search.returnPressed.connect(self._search_now)
        self._order.activated.connect(lambda _row: self.order_changed.emit(self._order.currentData()))
        self.view.verticalScrollBar().valueChanged.connect(
            lambda _value: self._look_pause.start(LOOK_PAUSE_MS)
        )
        self.view.selectionModel().selectionChanged.connect(lambda _on, _off: self._tell_choice())
        self.view.slices_changed.connect(self._tell_choice)
        self.view.size_asked.connect(self._size.setValue)
        self._size.valueChanged.connect(self._resize_pictures)
        self._size_pause.setSingleShot(True)
        self._size_pause.setInterval(SIZE_PAUSE_MS)
        self._size_pause.timeout.connect(lambda: self.size_changed.emit(self.view.picture_px))
        self.view.opened.connect(self.opened)
        self.filter.filter_changed.connect(self.filter_changed)
        self._nothing.action_requested.connect(self.all_requested)
        self._news.clicked.connect(self.news_requested)
        self._reference.clicked.connect(self.reference_dropped)

    def _show_nothing(self, hidden_by: str) -> None:
        """Say what hides every image, and keep the keyboard in the pool."""
        if hidden_by == self._hidden_by:
            return
        self._hidden_by = hidden_by
        focused = QApplication.focusWidget()
        held = focused is not None and (focused is self.view or self._nothing.isAncestorOf(focused))
        if hidden_by:
            self._nothing.set_spec(replace(NOTHING, sentence=hidden_by))
        self.view.setVisible(not hidden_by)
        self._nothing.setVisible(bool(hidden_by))
        self.setFocusProxy(self._nothing if hidden_by else self.view)
        if held:
            self.setFocus()

    def _offer(self, state: StripState) -> None:
        offered = [(order, words) for order, words in ORDERS if order in state.orders]
        if [self._order.itemData(row) for row in range(self._order.count())] != [o for o, _ in offered]:
            self._order.clear()
            for order, words in offered:
                self._order.addItem(words, order)
        self._order.setCurrentIndex(self._order.findData(state.order))

    def _search_now(self) -> None:
        self._search_pause.stop()
        self.search_changed.emit(self._search.text().strip())

    def _ask_for_seen(self) -> None:
        missing = self._model.missing(*self.view.seen_rows())
        if missing and self.isVisible():
            self.thumbnails_needed.emit(missing)

    def _resize_pictures(self, side: int) -> None:
        self.set_picture_px(side)
        self._size_pause.start()

    def _tell_choice(self) -> None:
        ids = self.selected_ids
        self._count_chosen(ids)
        if ids != self._told:
            self._told = ids
            self.selection_changed.emit(ids)

    def _count_chosen(self, ids: tuple[int, ...]) -> None:
        """Say how many images the next key will label, or which slice of a series."""
        stack = self.view.selected_stack()
        if stack is not None:
            item = self._model.index_of(ids[0]).data(ITEM_ROLE)
            self._chosen.setText(f"Slice {item.slice} of {item.slices}")
            self._chosen.setToolTip(
                f"Keys label this slice. Drag onto a class to label all {len(stack.ids)}."
            )
        else:
            self._chosen.setText(f"{len(ids):,} selected")
            self._chosen.setToolTip("Keys label all slices")
        self._chosen.setVisible(len(ids) > 1 or stack is not None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self._all.isHidden():
            self.all_requested.emit()
        else:
            event.ignore()
