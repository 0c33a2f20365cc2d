"""One class: its mark, name, count and newest images; images and files are dropped on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from clipsvd_app.ui import icons
from clipsvd_app.ui.class_colours import class_style, paint_class_mark
from clipsvd_app.ui.image_mime import has_images, image_ids_of
from clipsvd_app.ui.label_page.mini_thumbs import MiniThumbs
from clipsvd_app.ui.label_page.name_field import NameField
from clipsvd_app.ui.shell.drops import dropped_paths
from clipsvd_app.ui.theme import set_kind

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from clipsvd_app.ui.label_page.state import BinState
    from clipsvd_app.ui.theme import Palette, Theme

MARK_PX = 24
LABEL_KEYS = 9


class ClassMark(QWidget):
    """Shape and number of a class."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(MARK_PX, MARK_PX)
        self._position = 0

    def set_position(self, position: int) -> None:
        """Be the mark of another class."""
        self._position = position
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_class_mark(QPainter(self), QRectF(self.rect()), class_style(self._position))


class ClassBin(QFrame):
    """A place to drop on, and to reach by Tab.

    Signals: ``images_dropped(tuple of ids)``, ``files_dropped(list of paths)``, ``renamed(str)``,
    ``chosen()`` by Enter, ``remove_requested()``, ``prompts_requested()``, ``show_requested()``.
    """

    images_dropped = Signal(object)
    files_dropped = Signal(object)
    renamed = Signal(str)
    chosen = Signal()
    remove_requested = Signal()
    prompts_requested = Signal()
    show_requested = Signal()

    def __init__(self, theme: Theme, state: BinState) -> None:
        super().__init__()
        self.setObjectName("bin")
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._mark = ClassMark()
        self.name = NameField()
        self.count = QLabel()
        set_kind(self.count, "headline")
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        set_kind(self.hint, "small")
        self._thumbs = MiniThumbs(theme)
        self._more = QToolButton()
        self._more.setIconSize(QSize(16, 16))
        self._more.setToolTip("Rename, prompts, remove")
        self._more.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._more.clicked.connect(self._open_menu)
        self.name.renamed.connect(self.renamed)
        self._arrange()
        theme.changed.connect(self._tint)
        self._tint(theme.palette)
        self.set_state(state)

    def set_state(self, state: BinState) -> list[int]:
        """Show a new state; returns the images whose thumbnail is needed."""
        self._mark.set_position(state.position)
        self.name.set_name(state.name)
        self.count.setText(str(len(state.image_ids)))
        self.hint.setText(state.hint)
        self.hint.setVisible(bool(state.hint))
        self.setAccessibleName(f"Class {state.position + 1} {state.name}, {len(state.image_ids)} images")
        self.setToolTip(
            f"Drop images here, or press {state.position + 1}" if state.position < 9 else "Drop images here"
        )
        return self._thumbs.set_images(state.image_ids)

    def set_thumbnail(self, image_id: int, picture: QImage) -> None:
        """Show a thumbnail that has arrived."""
        self._thumbs.set_thumbnail(image_id, picture)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if has_images(event.mimeData()) or dropped_paths(event.mimeData()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self._highlight(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._highlight(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._highlight(False)
        event.acceptProposedAction()
        if has_images(event.mimeData()):
            self.images_dropped.emit(image_ids_of(event.mimeData()))
        else:
            self.files_dropped.emit(dropped_paths(event.mimeData()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit()
        elif event.key() == Qt.Key.Key_F2:
            self.name.edit()
        else:
            super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.name.edit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self._menu().popup(event.globalPos())

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._mark)
        top.addWidget(self.name, 1)
        top.addWidget(self.count)
        top.addWidget(self._more)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 8, 10)
        column.setSpacing(6)
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
        menu.addSeparator()
        menu.addAction("Remove class", self.remove_requested.emit)
        return menu

    def _highlight(self, on: bool) -> None:
        self.setProperty("drop", on)
        self.style().unpolish(self)
        self.style().polish(self)

    def _tint(self, palette: Palette) -> None:
        self._more.setIcon(icons.icon("more", palette))
