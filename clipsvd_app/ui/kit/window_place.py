"""Where the window stands: sized from the screen at first, then as it was left, on the screens of today."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSplitter

from clipsvd_app.files import write_whole
from clipsvd_app.settings import config_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

SHARE_OF_SCREEN = 0.85
LARGEST = QSize(1680, 1050)
SMALL_SCREEN = QSize(1200, 700)  # what is smaller is filled
TITLE_BAR_PX = 32
GRIP_PX = 120  # so much of the title bar must be on a screen for the window to be found there again


@dataclass(frozen=True, slots=True)
class Place:
    """A window that is not maximised: corner of its frame, size of its content.

    ``splits`` are sizes by a splitter's name.
    """

    area: QRect
    maximised: bool = False
    splits: tuple[tuple[str, tuple[int, ...]], ...] = ()


def first_place(screen: QRect) -> Place:
    """Return where a window opens that was never open before; ``screen`` without panels and docks."""
    wanted = QSize(round(screen.width() * SHARE_OF_SCREEN), round(screen.height() * SHARE_OF_SCREEN))
    small = screen.width() < SMALL_SCREEN.width() or screen.height() < SMALL_SCREEN.height()
    return Place(_centred(wanted.boundedTo(LARGEST), screen), maximised=small)


def on_screens(place: Place, screens: Sequence[QRect]) -> Place:
    """Return a place moved and shrunk onto the screens of today, the first of which is the main one."""
    home = max(screens, key=lambda screen: _shared(screen, place.area))
    size = place.area.size().boundedTo(home.size() - QSize(0, TITLE_BAR_PX))
    if _shared(home, place.area) == 0:
        area = _centred(size, screens[0])
    else:
        left = min(max(place.area.left(), home.left()), home.right() + 1 - size.width())
        top = min(max(place.area.top(), home.top()), home.bottom() + 1 - size.height())
        area = QRect(QPoint(left, top), size)
    return Place(area, place.maximised, place.splits)


def recall_place(window: QWidget) -> None:
    """Give a window that is not yet shown its size and state."""
    main = QGuiApplication.primaryScreen()
    screens = [main, *(screen for screen in QGuiApplication.screens() if screen is not main)]
    areas = [screen.availableGeometry() for screen in screens]
    stored = _read()
    place = first_place(areas[0]) if stored is None else on_screens(stored, areas)
    window.resize(place.area.size())
    window.move(place.area.topLeft())  # that of the frame, so that the title bar is never above the screen
    if place.maximised:
        window.setWindowState(window.windowState() | Qt.WindowState.WindowMaximized)


def open_at_size(dialog: QWidget, width: int, height: int) -> None:
    """Give a dialog the size that suits it, as far as its screen has room for it and its title bar."""
    room = dialog.screen().availableGeometry().size() - QSize(0, TITLE_BAR_PX)
    dialog.resize(QSize(width, height).boundedTo(room))


def recall_splits(window: QWidget) -> None:
    """Give the named splitters of a window their sizes, once its pages are built."""
    stored = _read()
    known = dict(stored.splits) if stored is not None else {}
    for splitter in window.findChildren(QSplitter):
        sizes = known.get(splitter.objectName(), ())
        if len(sizes) == splitter.count():
            splitter.setSizes(list(sizes))


def remember_place(window: QWidget) -> None:
    """Keep place, state and splitters of a window for the next start; errors are ignored."""
    named = {splitter.objectName(): splitter for splitter in window.findChildren(QSplitter)}
    before = _read()
    splits = dict(before.splits) if before is not None else {}
    # A page that was never shown has not given its parts their sizes.
    splits |= {
        name: tuple(splitter.sizes()) for name, splitter in named.items() if name and any(splitter.sizes())
    }
    spread = window.isMaximized() or window.isFullScreen()
    area = window.normalGeometry() if spread else QRect(window.pos(), window.size())
    with contextlib.suppress(OSError):
        _write(Place(area, window.isMaximized(), tuple(splits.items())))


def _shared(screen: QRect, area: QRect) -> int:
    """Return how many pixels of a window's title bar lie on a screen, 0 where they are too few to grip."""
    edge = QRect(area.left(), area.top(), area.width(), TITLE_BAR_PX)
    width = screen.intersected(edge).width()
    return width if width >= min(GRIP_PX, area.width()) else 0


def _centred(size: QSize, screen: QRect) -> QRect:
    area = QRect(QPoint(), size)
    area.moveCenter(screen.center())
    return area


def _file() -> Path:
    return config_folder() / "window.json"


def _write(place: Place) -> None:
    area = place.area
    stored = {
        "area": [area.x(), area.y(), area.width(), area.height()],
        "maximised": place.maximised,
        "splits": {name: list(sizes) for name, sizes in place.splits},
    }
    _file().parent.mkdir(parents=True, exist_ok=True)
    write_whole(_file(), json.dumps(stored, indent=1).encode())


def _read() -> Place | None:
    """Return the stored place; None where there is none or the file is damaged."""
    try:
        stored = json.loads(_file().read_text(encoding="utf-8"))
        area = QRect(*(int(number) for number in stored["area"]))
        splits = tuple(
            (str(name), tuple(int(size) for size in sizes)) for name, sizes in stored["splits"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None
    return Place(area, stored.get("maximised") is True, splits) if area.isValid() else None
