"""One class: its mark, name, count and newest images; images and files are dropped on it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDrag,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QFrame, QLabel, QMenu, QToolButton, QWidget

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.ui.kit.drops import dropped_paths
from clipsvd_app.ui.kit.image_mime import class_id_of, has_images, image_ids_of, mime_of_class
from clipsvd_app.ui.kit.layouts import horizontal, vertical
from clipsvd_app.ui.label.classes.mini_thumbs import MiniThumbs
from clipsvd_app.ui.label.classes.name_field import NameField
from clipsvd_app.ui.look import icons
from clipsvd_app.ui.look.class_colours import class_style, paint_class_mark
from clipsvd_app.ui.look.plain_text import literal
from clipsvd_app.ui.look.theme import set_kind

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from clipsvd_app.ui.label.state import BinState
    from clipsvd_app.ui.look.theme import Palette, Theme

MARK_PX = 24
LABEL_KEYS = 9
_STEPS: dict[int, int] = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class ClassMark(QWidget):
    """Shape and number of a class; dragging it (``dragged()``) puts the class at another place."""

    dragged = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(MARK_PX, MARK_PX)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setToolTip("Drag to move")
        self._position = 0

    def set_position(self, position: int) -> None:
        """Be the mark of another class."""
        self._position = position
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton and not self.rect().contains(
            event.position().toPoint()
        ):
            self.dragged.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_class_mark(QPainter(self), QRectF(self.rect()), class_style(self._position))


class ClassBin(QFrame):
    """A place to drop on, and to reach by Tab.

    Signals: ``images_dropped(tuple of ids)``, ``files_dropped(list of paths)``, ``renamed(str)``,
    ``chosen()`` by Enter, ``remove_requested()``, ``merge_requested(class id)`` into that class,
    ``move_requested(int)`` places down, ``class_dropped(class id)`` to take this place,
    ``prompts_requested()``, ``show_requested()``.
    """

    images_dropped = Signal(object)
    files_dropped = Signal(object)
    renamed = Signal(str)
    chosen = Signal()
    remove_requested = Signal()
    merge_requested = Signal(int)
    move_requested = Signal(int)
    class_dropped = Signal(int)
    prompts_requested = Signal()
    show_requested = Signal()

    def __init__(self, theme: Theme, state: BinState) -> None:
        super().__init__()
        self.setObjectName("bin")
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._state, self._others = state, tuple[tuple[int, str], ...]()
        self._mark = ClassMark()
        self._mark.dragged.connect(self._drag_away)
        self.name = NameField()
        self.count = QLabel()
        set_kind(self.count, "headline")
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        set_kind(self.hint, "small")
        self._thumbs = MiniThumbs(theme)
        self._more = QToolButton()
        self._more.setIconSize(QSize(16, 16))
        self._more.setToolTip("Rename, move, merge, remove")
        self._more.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._more.clicked.connect(self._open_menu)
        self.name.renamed.connect(self.renamed)
        self._arrange()
        theme.changed.connect(self._tint)
        self._tint(theme.palette)
        self.set_state(state)

    @property
    def class_id(self) -> int:
        """The class that this is the bin of."""
        return self._state.class_id

    def set_state(self, state: BinState) -> list[int]:
        """Show a new state; returns the images whose thumbnail is needed."""
        self._state = state
        self._mark.set_position(state.position)
        self.name.set_name(state.name)
        self.count.setText(f"{len(state.image_ids):,}")
        self.hint.setText(state.hint)
        self.hint.setVisible(bool(state.hint))
        images = counted(len(state.image_ids), "image")
        self.setAccessibleName(f"Class {state.position + 1} {state.name}, {images}")
        key = f", or press {state.position + 1}" if state.position < 9 else ""
        self.setToolTip(f"{state.name}\nDrop images here{key}")
        return self._thumbs.set_images(state.image_ids)

    def set_others(self, others: tuple[tuple[int, str], ...]) -> None:
        """Take id and name of the classes that this one can be merged into."""
        self._others = others

    def set_thumbnail(self, image_id: int, picture: QImage) -> None:
        """Show a thumbnail that has arrived."""
        self._thumbs.set_thumbnail(image_id, picture)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        moved = class_id_of(event.mimeData())
        if (
            has_images(event.mimeData())
            or dropped_paths(event.mimeData())
            or moved not in (None, self.class_id)
        ):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self._highlight(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._highlight(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._highlight(False)
        event.acceptProposedAction()
        if (moved := class_id_of(event.mimeData())) is not None:
            self.class_dropped.emit(moved)
        elif has_images(event.mimeData()):
            self.images_dropped.emit(image_ids_of(event.mimeData()))
        else:
            self.files_dropped.emit(dropped_paths(event.mimeData()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit()
        elif event.key() == Qt.Key.Key_F2:
            self.name.edit()
        elif event.key() == Qt.Key.Key_Delete:
            self._ask_where_to()
        elif event.key() in _STEPS and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self.move_requested.emit(_STEPS[event.key()])
        else:
            super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.name.edit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self._menu().popup(event.globalPos())

    def _arrange(self) -> None:
        top = horizontal(spacing=8)
        top.addWidget(self._mark)
        top.addWidget(self.name, 1)
        top.addWidget(self.count)
        top.addWidget(self._more)
        column = vertical(self, 6, margins=(12, 8, 8, 10))
        column.addLayout(top)
        column.addWidget(self._thumbs)
        column.addWidget(self.hint)

    def _open_menu(self) -> None:
        self._menu().popup(self._more.mapToGlobal(self._more.rect().bottomLeft()))

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Label the selected images\tEnter", self.chosen.emit)
        menu.addAction("Select its images", self.show_requested.emit)
        menu.addSeparator()
        menu.addAction("Rename\tF2", self.name.edit)
        menu.addAction("Prompts…", self.prompts_requested.emit)
        menu.addAction("Move up\tAlt+Up", lambda: self.move_requested.emit(-1))
        menu.addAction("Move down\tAlt+Down", lambda: self.move_requested.emit(1))
        menu.addSeparator()
        if self._others:
            self._add_targets(menu.addMenu("Merge into"))
        menu.addAction(self._removal_text(), self.remove_requested.emit)
        return menu

    def _ask_where_to(self) -> None:
        """Remove an empty class at once; ask where the images of another shall go."""
        if not self._state.image_ids:
            self.remove_requested.emit()
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(literal(f"Remove “{self._state.name}”")).setEnabled(False)
        menu.addSeparator()
        self._add_targets(menu, "Move its images to ")
        menu.addAction(self._removal_text(), self.remove_requested.emit)
        menu.popup(self.mapToGlobal(self.rect().center()))

    def _add_targets(self, menu: QMenu, words: str = "") -> None:
        for class_id, name in self._others:
            action = menu.addAction(literal(f"{words}{name}"))
            action.triggered.connect(partial(self._merge, class_id))

    def _merge(self, into: int, _checked: bool = False) -> None:
        self.merge_requested.emit(into)

    def _removal_text(self) -> str:
        images = len(self._state.image_ids)
        if not images:
            return "Remove class\tDel"
        return f"Remove class, {counted(images, 'image')} unlabelled"

    def _drag_away(self) -> None:
        drag = QDrag(self)
        drag.setMimeData(mime_of_class(self.class_id))
        drag.setPixmap(self._mark.grab())
        drag.exec(Qt.DropAction.CopyAction)

    def _highlight(self, on: bool) -> None:
        self.setProperty("drop", on)
        self.style().unpolish(self)
        self.style().polish(self)

    def _tint(self, palette: Palette) -> None:
        self._more.setIcon(icons.icon("more", palette))
