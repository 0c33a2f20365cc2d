"""Starting the window: the frame first, then the engine, then the pages."""

from __future__ import annotations

import gc
import signal
import sys
import traceback
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QWidget

from clipsvd_app import __version__
from clipsvd_app.errors import UserError
from clipsvd_app.resources import resource_path
from clipsvd_app.ui.kit.window_place import recall_place, recall_splits, remember_place
from clipsvd_app.ui.look.theme import Theme
from clipsvd_app.ui.session.session import Session
from clipsvd_app.ui.shell.main_window import APP_NAME, MainWindow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from clipsvd_app.ui.pages import Pages

PAGE_TITLES = (
    ("label", "Label", False),
    ("train", "Train", False),
    ("inspect", "Inspect", False),
    ("explain", "Explain", False),
    ("export", "Export", False),
    ("settings", "Settings", True),
)

SWITCH_S = 0.0005


class Studio:
    """One window with everything behind it."""

    def __init__(self, app: QApplication, session: Session | None = None) -> None:
        self.session = session or Session()
        self.theme = Theme(app, self.session.settings.theme)
        self.window = MainWindow(self.theme)
        for key, title, at_bottom in PAGE_TITLES:
            self.window.add_page(key, title, key, QWidget(), at_bottom=at_bottom)
        self.pages: Pages | None = None

    def start(self, files: Sequence[Path] = (), *, demo: bool = False) -> None:
        """Start the engine, build the pages, then open what was asked for."""
        from clipsvd_app.ui.pages import Pages

        # At Python's own 5 ms, a thread that reads thumbnails keeps every painted cell waiting.
        sys.setswitchinterval(SWITCH_S)
        self.session.engine.start()
        self.session.recall_backbone()
        self.pages = Pages(self.session, self.window, self.theme)
        recall_splits(self.window)
        if files:
            self.pages.importing.take([str(path) for path in files])
        elif demo:
            self.pages.window.open_demo()


def run(files: Sequence[Path], *, demo: bool = False) -> int:
    """Show the window and run until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    app = QApplication(sys.argv[:1])
    app.setApplicationName(APP_NAME)
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("clipsvd-studio")
    app.setWindowIcon(QIcon(str(resource_path("icons", "app.svg"))))
    studio = Studio(app)
    sys.excepthook = _Reporter(studio)
    recall_place(studio.window)
    studio.window.closing.connect(lambda: remember_place(studio.window))
    studio.window.show()

    def start() -> None:
        studio.start(files, demo=demo)
        calm_the_collector()

    QTimer.singleShot(0, studio.window, start)
    return app.exec()


def calm_the_collector() -> None:
    """Take what start-up made out of later garbage collections, and make whole ones rare.

    Each would hold the window for 40 to 80 ms, in the middle of a label or a scroll.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(700, 10, 200)


class _Reporter:
    """Our own bugs: one dialog whose report holds no message, path or value, only where it happened."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, UserError):
            self._studio.session.tell(error)
            return
        from clipsvd_app.ui.crash_report import show_crash

        traceback.print_exception(kind, error, trace)
        show_crash(self._studio.window, kind, trace)
