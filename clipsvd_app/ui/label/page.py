"""The Label page: studies, viewer, pool and classes side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QLabel,
    QSplitter,
    QStackedLayout,
    QWidget,
)

from clipsvd_app.ui.kit.image_mime import ghost_of
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_keys import PageKeys, is_typing
from clipsvd_app.ui.label.classes.bins import ClassBins
from clipsvd_app.ui.label.label_keys import label_key, mark_key
from clipsvd_app.ui.label.readers.bar import ReaderBar
from clipsvd_app.ui.label.strip.film_strip import FilmStrip
from clipsvd_app.ui.label.studies.tree import StudiesTree
from clipsvd_app.ui.look.theme import set_kind
from clipsvd_app.ui.viewer.viewer import ImageViewer
from clipsvd_app.ui.welcome.new_project_page import NewProjectPage
from clipsvd_app.ui.welcome.page import WelcomePage

if TYPE_CHECKING:
    from PySide6.QtGui import QImage, QKeyEvent

    from clipsvd_app.ui.look.theme import Theme
    from clipsvd_app.ui.viewer.state import FrameState

TREE_PX, VIEWER_PX, BINS_PX = 300, 760, 292
ABOVE_PX, STRIP_PX = 530, 274


class LabelPage(QWidget):
    """Lays out ``tree``, ``viewer``, ``strip`` and ``bins`` and gathers what they ask for alike.

    Every labelling key acts on ``target_ids``, wherever the focus is: what is chosen in the pool, and so what
    the screen shows.

    Signals: ``label_requested(tuple of ids, class position, whether the next image shall come up)``,
    ``clear_requested(tuple of ids)``, ``mark_requested(tuple of ids, mark)``,
    ``thumbnails_needed(list of ids)``, ``action_requested(str)``, ``menu_requested(QPoint)`` of the screen.
    """

    label_requested = Signal(object, int, bool)
    clear_requested = Signal(object)
    mark_requested = Signal(object, str)
    thumbnails_needed = Signal(object)
    action_requested = Signal(str)
    menu_requested = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self._theme = theme
        self.tree = StudiesTree(theme)
        self.viewer = ImageViewer(theme)
        self.strip = FilmStrip(theme)
        self.bins = ClassBins(theme)
        self.reader_bar = ReaderBar(theme)
        self.welcome = WelcomePage(theme)
        self.new_project = NewProjectPage()
        self._work = self._arranged()
        self._layers = QStackedLayout(self)
        self._layers.addWidget(self.welcome)
        self._layers.addWidget(self.new_project)
        self._layers.addWidget(self._work)
        self._keys = PageKeys(self)
        self._connect()

    def show_empty(self) -> None:
        """Show the way to a first project, unless one is being made."""
        if self._layers.currentWidget() is not self.new_project:
            self._layers.setCurrentWidget(self.welcome)
            self.setFocusProxy(self.welcome)

    def show_new_project(self) -> None:
        """Show the page that makes a project from what was dropped."""
        self._layers.setCurrentWidget(self.new_project)
        self.setFocusProxy(self.new_project)

    def leave_new_project(self) -> None:
        """Go back to the welcome page from the one that makes a project."""
        if self._layers.currentWidget() is self.new_project:
            self._layers.setCurrentWidget(self.welcome)
            self.setFocusProxy(self.welcome)
            self.welcome.setFocus()

    def show_work(self) -> bool:
        """Show the project's studies, pool and classes; returns whether they were not displayed before."""
        opened = self._layers.currentWidget() is not self._work
        self._layers.setCurrentWidget(self._work)
        self.setFocusProxy(self.strip if self.strip.filled else self.tree)
        return opened

    def take_keyboard(self) -> None:
        """Give the keyboard to the pool or the tree, but never out of a field that is typed into."""
        if not is_typing():
            self.setFocus()

    def show_frame(self, frame: FrameState | None, pane: int | None = None) -> None:
        """Show a frame in a pane of the viewer, and mark the active one in the pool."""
        self.viewer.set_frame(frame, pane)
        if pane is None or pane == self.viewer.active:
            self.follow_viewer()

    def follow_viewer(self) -> None:
        """Mark what the active pane shows in the pool, and let the choice follow it."""
        frame = self.viewer.frame
        shown = None if frame is None else frame.image_id
        self.strip.follow(shown)  # before the mark: a frame that the pool asked for moves no choice
        self.strip.set_shown(shown)
        self.tree.follow(shown)
        self._hang_ghost()

    def set_viewer_alone(self, alone: bool) -> None:
        """Leave the whole page to the viewer, or bring tree, pool and classes back."""
        for beside in (self._studies, self.strip, self.bins):
            beside.setVisible(not alone)
        if alone:
            self.viewer.setFocus()

    @property
    def viewer_alone(self) -> bool:
        """Whether the viewer has the whole page."""
        return self.strip.isHidden()

    def go_to_panel(self, step: int) -> None:
        """Give the keyboard to the next (1) or previous (-1) of studies, viewer, pool and classes."""
        panels, here = self._panels(), self._panel_with_focus()
        first = 0 if step > 0 else len(panels) - 1
        following = first if here is None else (here + step) % len(panels)
        panels[following].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def is_at_end(self, step: int) -> bool:
        """Whether a step from the panel with the keyboard begins again at the other end."""
        here = self._panel_with_focus()
        return here is not None and not 0 <= here + step < len(self._panels())

    def _panels(self) -> list[QWidget]:
        return [panel for panel in (self.tree, self.viewer, self.strip, self.bins) if panel.isVisible()]

    def _panel_with_focus(self) -> int | None:
        focused = QApplication.focusWidget()
        for place, panel in enumerate(self._panels()):
            if focused is not None and (panel is focused or panel.isAncestorOf(focused)):
                return place
        return None

    def set_thumbnail(self, image_id: int, picture: QImage) -> None:
        """Give a thumbnail to whatever shows the image."""
        self.strip.set_thumbnail(image_id, picture)
        self.bins.set_thumbnail(image_id, picture)
        if self.viewer.frame is not None and self.viewer.frame.image_id == image_id:
            self.viewer.pane.handle.set_ghost(ghost_of(picture, 1, self._theme.palette))

    @property
    def target_ids(self) -> tuple[int, ...]:
        """What the next key labels: the pool's selection, else the shown image."""
        if not self.viewer_alone and self.strip.selected_ids:
            return self.strip.selected_ids
        return () if self.viewer.frame is None else (self.viewer.frame.image_id,)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the keys that the focused part has no use for: marks, labels, and those of the viewer."""
        if is_typing():
            super().keyPressEvent(event)
            return
        mark, (command, stays) = mark_key(event), label_key(event)
        ids = self.target_ids
        if mark is not None and ids:
            self.mark_requested.emit(ids, mark)
        elif self.viewer.pane.hand.selected is not None and self.viewer.take_key(event):
            return  # a marked measurement goes before a label
        elif command is not None and ids and command.kind == "label":
            self.label_requested.emit(ids, command.number, not stays)
        elif command is not None and ids:
            self.clear_requested.emit(ids)
        elif not self.viewer.take_key(event):
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu of the images; a right drag over the viewer is a window until it was none."""
        by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        over_viewer = self.viewer.rect().contains(self.viewer.mapFromGlobal(event.globalPos()))
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            self.ask_menu()
        elif not (by_mouse and over_viewer):
            self.menu_requested.emit(event.globalPos())
        event.accept()

    def ask_menu(self) -> None:
        """Ask for the menu of the images beside what has the keyboard."""
        views: tuple[QAbstractItemView, ...] = (self.strip.view, self.tree.view)
        view = next((view for view in views if view.hasFocus() and view.currentIndex().isValid()), None)
        if view is None:
            self.menu_requested.emit(self.viewer.mapToGlobal(self.viewer.rect().center()))
        else:
            at = view.visualRect(view.currentIndex()).center()
            self.menu_requested.emit(view.viewport().mapToGlobal(at))

    def _arranged(self) -> QWidget:
        middle = QSplitter(Qt.Orientation.Vertical)
        middle.addWidget(self.viewer)
        middle.addWidget(self.strip)
        middle.setSizes([ABOVE_PX, STRIP_PX])
        across = QSplitter(Qt.Orientation.Horizontal)
        middle.setObjectName("viewer and pool")
        across.setObjectName("studies, images and classes")
        self._studies = _titled("Studies", self.tree)
        across.addWidget(self._studies)
        across.addWidget(middle)
        across.addWidget(self.bins)
        across.setSizes([TREE_PX, VIEWER_PX, BINS_PX])
        for splitter, place in ((middle, 0), (across, 1)):
            splitter.setStretchFactor(place, 2)
            splitter.setHandleWidth(1)
            splitter.setChildrenCollapsible(False)
        middle.setStretchFactor(1, 1)  # on a low screen the pool gives way too, down to one row
        self.tree.setMinimumWidth(180)
        self.viewer.setMinimumSize(320, 130)
        self.bins.setMinimumWidth(220)
        whole = QWidget()
        column = vertical(whole, 0)
        column.addWidget(self.reader_bar)
        column.addWidget(across, 1)
        return whole

    def _connect(self) -> None:
        self.strip.thumbnails_needed.connect(self.thumbnails_needed)
        self.bins.thumbnails_needed.connect(self.thumbnails_needed)
        self.tree.action_requested.connect(self.action_requested)
        self.welcome.action_requested.connect(self.action_requested)
        self.viewer.step_requested.connect(self.strip.step)
        self.bins.chosen.connect(self._label_selected)
        self.bins.adding_ended.connect(self.strip.setFocus)

    def _label_selected(self, position: int) -> None:
        if self.target_ids:
            self.label_requested.emit(self.target_ids, position, False)

    def _hang_ghost(self) -> None:
        frame = self.viewer.frame
        picture = None if frame is None else self.strip.thumbnail(frame.image_id)
        ghost = ghost_of(None if picture is None else picture.toImage(), 1, self._theme.palette)
        self.viewer.pane.handle.set_ghost(ghost)


def _titled(title: str, widget: QWidget) -> QFrame:
    panel = QFrame()
    set_kind(panel, "panel")
    heading = QLabel(title)
    set_kind(heading, "section")
    heading.setContentsMargins(16, 12, 8, 6)
    column = vertical(panel, 0)
    column.addWidget(heading)
    column.addWidget(widget, 1)
    return panel
