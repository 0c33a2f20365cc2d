"""The main window: rail, page stack, notices, status, menus; signals up, setters down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from clipsvd_app.ui.kit.drops import ADD, CREATE, DropVeil, dropped_paths
from clipsvd_app.ui.kit.empty_state import EmptyState
from clipsvd_app.ui.kit.focus import FocusKeeper, is_harmless
from clipsvd_app.ui.kit.layouts import horizontal, vertical
from clipsvd_app.ui.session.state import EmptySpec
from clipsvd_app.ui.shell.actions import PAGE_PREFIX
from clipsvd_app.ui.shell.key_sheet import KeySheet
from clipsvd_app.ui.shell.menus import Actions
from clipsvd_app.ui.shell.messages import Messages
from clipsvd_app.ui.shell.project_bar import ProjectBar
from clipsvd_app.ui.shell.rail import Rail
from clipsvd_app.ui.shell.status_bar import StatusBar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from PySide6.QtGui import (
        QAction,
        QCloseEvent,
        QDragEnterEvent,
        QDragLeaveEvent,
        QDropEvent,
        QKeyEvent,
        QResizeEvent,
    )

    from clipsvd_app.ui.look.theme import Theme
    from clipsvd_app.ui.session.notices import Notice
    from clipsvd_app.ui.session.state import LongJob, StatusState, TitleState

APP_NAME = "CLIP-SVD Studio"
SMALLEST_PX = (900, 450)  # what panel and title bar leave of 1920 x 1080 pixels at 200 %


class MainWindow(QMainWindow):
    """The frame that every page lives in.

    Signals: ``action_triggered(str)`` the id of any command in the action table, ``notice_action(str)``
    the button of a notice, ``page_changed(str)``, ``recent_requested(str)`` a path,
    ``paths_dropped(list[str])`` files or folders dropped anywhere no widget takes them, ``closing()``.
    ``may_close`` is asked before it closes.
    """

    action_triggered = Signal(str)
    notice_action = Signal(str)
    page_changed = Signal(str)
    recent_requested = Signal(str)
    paths_dropped = Signal(object)
    closing = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setWindowTitle(APP_NAME)
        self.setAcceptDrops(True)
        self.resize(1440, 900)
        self.setMinimumSize(*SMALLEST_PX)
        self._theme = theme
        self.may_close: Callable[[], bool] = lambda: True
        self._pages: dict[str, QWidget] = {}
        self._actions = Actions(theme, self)
        self._project_bar = ProjectBar(self._actions)
        self._rail = Rail(theme)
        self._stack = QStackedWidget()
        self._stack.setObjectName("stack")
        self._current = ""
        self._covered: frozenset[str] = frozenset()
        self._cover = EmptyState(theme, EmptySpec("eye", "", ""))
        self._stack.addWidget(self._cover)
        self._status = StatusBar(theme)
        self._centre = QWidget()
        self._arrange()
        self.messages = Messages(theme, self._centre)
        self._beneath: dict[str, QWidget] = {}
        self._stack.installEventFilter(self)
        self._veil = DropVeil(theme, self)
        self._keys = KeySheet(self)
        self._keeper = FocusKeeper(self)
        self._connect()
        self._dress()
        theme.changed.connect(self._dress)

    def add_page(
        self, key: str, title: str, icon_name: str, widget: QWidget, *, at_bottom: bool = False
    ) -> None:
        """Add a page to rail and stack; the first one added is shown."""
        self._rail.add_page(key, title, icon_name, at_bottom=at_bottom)
        self._stack.insertWidget(len(self._pages), widget)
        self._pages[key] = widget
        shortcut = self._actions[PAGE_PREFIX + key].shortcut().toString()
        self._rail.set_hint(key, f"{title}  {shortcut}")
        if len(self._pages) == 1:
            self.show_page(key)

    def set_page_widget(self, key: str, widget: QWidget) -> None:
        """Put the real page where a placeholder stood until its parts were loaded."""
        old = self._pages[key]
        position = self._stack.indexOf(old)
        shown = self._stack.currentWidget() is old
        self._stack.removeWidget(old)
        self._stack.insertWidget(position, widget)
        self._pages[key] = widget
        old.deleteLater()
        if shown:
            self._stack.setCurrentWidget(widget)

    def show_page(self, key: str) -> None:
        """Bring a page to the front."""
        self._rail.set_current(key)
        if key != self._current:
            self._current = key
            self._bring_to_front()
            self.messages.arrive(key)
            self._lay_messages()
            self.page_changed.emit(key)

    @property
    def current_page(self) -> str:
        """The key of the displayed page."""
        return self._current

    def set_covered(self, keys: Iterable[str], spec: EmptySpec) -> None:
        """Hide pages behind a few words until they are covered no longer."""
        self._covered = frozenset(keys)
        if self._covered:
            self._cover.set_spec(spec)
        self._bring_to_front()

    def _bring_to_front(self) -> None:
        if self._stack.currentWidget() is not self._shown():
            self._stack.setCurrentWidget(self._shown())
            self.go_home()

    def _shown(self) -> QWidget:
        return self._cover if self._current in self._covered else self._pages[self._current]

    def go_home(self) -> None:
        """Give the keyboard to the displayed page, to where it does no harm."""
        page = self._shown()
        page.setFocus()
        focused = self.focusWidget()
        inside = focused is not None and (page is focused or page.isAncestorOf(focused))
        if not inside or not is_harmless(focused):
            self._stack.setFocus()

    def set_title(self, state: TitleState) -> None:
        """Show which project is open."""
        self._project_bar.set_state(state)
        self._veil.invitation = ADD if state.name else CREATE
        self.setWindowTitle(f"{state.name} — {APP_NAME}" if state.name else APP_NAME)

    def set_status(self, state: StatusState) -> None:
        """Show a new status line."""
        self._status.set_state(state)

    def set_jobs(self, jobs: tuple[LongJob, ...]) -> None:
        """Show the long jobs under way, wherever the user is."""
        self._rail.set_jobs(jobs)
        self._status.set_jobs(jobs)

    def set_recent_projects(self, paths: Sequence[str]) -> None:
        """Fill the menu of recent projects."""
        self._actions.set_recent(paths)

    def set_action(self, action_id: str, *, enabled: bool, text: str = "") -> None:
        """Enable or disable a command, and say more closely what it will do."""
        action = self._actions[action_id]
        action.setEnabled(enabled)
        if text:
            action.setText(text)

    def action(self, action_id: str) -> QAction:
        """Return a command of the table, for a menu of a page."""
        return self._actions[action_id]

    def show_notice(self, notice: Notice) -> None:
        """Tell the user something, over the page."""
        self._lay_messages()
        self.messages.show_notice(notice)

    def dismiss_notice(self, key: str) -> None:
        """Take back what is no longer true."""
        self.messages.settle(key)

    def lay_messages_over(self, key: str, part: QWidget) -> None:
        """Let messages lie over this part of a page, where they cover no control; else over its corner."""
        self._beneath[key] = part
        part.installEventFilter(self)
        self._lay_messages()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the messages follow what they lie over."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide):
            self._lay_messages()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Escape where nothing with the focus has a use for it: the newest message was read."""
        if event.key() == Qt.Key.Key_Escape and self.messages.current is not None:
            self.messages.dismiss_current()
        else:
            super().keyPressEvent(event)

    def show_keys(self) -> None:
        """Open the sheet of keys."""
        self._keys.open()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_paths(event.mimeData()):
            self._veil.cover()
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._veil.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self._veil.hide()
        event.acceptProposedAction()
        self.paths_dropped.emit(dropped_paths(event.mimeData()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._keys.isVisible():
            self._keys.setGeometry(self.rect())

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.may_close():
            event.ignore()
            return
        self.closing.emit()
        super().closeEvent(event)

    def _arrange(self) -> None:
        right = vertical(spacing=0)
        right.addWidget(self._project_bar)
        right.addWidget(self._stack, 1)
        across = horizontal(spacing=0)
        across.addWidget(self._rail)
        across.addLayout(right, 1)
        column = QVBoxLayout(self._centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(across, 1)
        column.addWidget(self._status)
        self.setCentralWidget(self._centre)
        self._actions.fill(self.menuBar())

    def _connect(self) -> None:
        self._actions.triggered.connect(self._follow)
        self._actions.triggered.connect(self.action_triggered)
        self._actions.recent_requested.connect(self.recent_requested)
        self._rail.page_chosen.connect(self.show_page)
        self._cover.action_requested.connect(self.notice_action)
        self._status.page_requested.connect(self.show_page)
        self.messages.action_requested.connect(self.notice_action)

    def _lay_messages(self) -> None:
        part = self._beneath.get(self.current_page)
        if part is not None and part.isVisible():
            side = Qt.AlignmentFlag.AlignHCenter
        else:
            part, side = self._stack, Qt.AlignmentFlag.AlignRight
        self.messages.lie_over(QRect(part.mapTo(self._centre, QPoint(0, 0)), part.size()), side)

    def _dress(self) -> None:
        self.setStyleSheet(self._theme.sheet)

    def _follow(self, action_id: str) -> None:
        """Do what concerns the frame only."""
        if action_id.startswith(PAGE_PREFIX) and action_id.removeprefix(PAGE_PREFIX) in self._pages:
            self.show_page(action_id.removeprefix(PAGE_PREFIX))
        elif action_id == "view.full_screen":
            self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)
        elif action_id == "help.keys":
            self.show_keys()
        elif action_id == "file.close":
            self.close()
