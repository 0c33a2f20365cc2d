"""``python -m benchmarks.viewing_times PROJECT RUNS``: times how soon the window shows what is asked for.

The whole window is built as for a user, without the engine. Opens the project again and again, then scrolls
once through the displayed series, each step asked for when the one before is painted. Writes one JSON line.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

from PySide6.QtCore import QEvent, QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QApplication

from clipsvd_app.ui.app import Studio
from clipsvd_app.ui.pages import Pages

WINDOW_PX = 1440, 900
LONGEST_WAIT_MS = 60_000
POLL_MS = 5


class _Painted(QObject):
    """Waits until an image has been painted. ``pages.viewing`` says which one was asked for."""

    def __init__(self, pages: Pages) -> None:
        super().__init__(pages.label)
        self._viewer = pages.label.viewer
        self._canvas = self._viewer.pane.canvas.viewport
        self._shown: int | None = None
        self._wanted: int | None = None
        self._loop = QEventLoop(self)
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.timeout.connect(self._loop.quit)
        self._canvas.installEventFilter(self)

    def forget(self) -> None:
        """Take nothing painted so far for an answer."""
        self._shown = None

    def wait(self, image_id: int) -> None:
        """Return once the image is on the screen."""
        self._wanted = image_id
        if self._shown != image_id:
            self._late.start(LONGEST_WAIT_MS)
            self._loop.exec()
            assert self._late.isActive(), "the image was never painted"
            self._late.stop()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and watched is self._canvas and self._viewer.frame is not None:
            self._shown = self._viewer.frame.image_id
            if self._shown == self._wanted:
                QTimer.singleShot(0, self._loop.quit)  # this event is painted by then
        return False


def main() -> None:
    """Measure, and write what was found."""
    project, runs = Path(sys.argv[1]), int(sys.argv[2])
    application = QApplication(sys.argv[:1])
    studio = Studio(application)
    studio.window.resize(*WINDOW_PX)
    studio.window.show()
    studio.pages = Pages(studio.session, studio.window, studio.theme)
    painted = _Painted(studio.pages)
    opened_s = [_open(studio, painted, project) for _ in range(runs + 1)][1:]
    scrolled_ms = _scroll(studio, painted)
    found = {
        "first_image_s": statistics.median(opened_s),
        "scroll_p95_ms": statistics.quantiles(scrolled_ms, n=20)[-1] if len(scrolled_ms) > 1 else None,
    }
    sys.stdout.write(json.dumps(found) + "\n")
    studio.session.close()
    studio.window.close()


def _open(studio: Studio, painted: _Painted, path: Path) -> float:
    """Return the seconds from opening the project until its first image is painted."""
    session = studio.session
    if session.project is not None:
        session.project.close()
        session.project = None
    assert studio.pages is not None
    painted.forget()
    started_s = time.perf_counter()
    assert session.open_project(path), "the project could not be opened"
    asked = studio.pages.viewing.shown
    assert asked is not None, "the project holds no image"
    painted.wait(asked)
    took_s = time.perf_counter() - started_s
    _rest(studio)
    return took_s


def _scroll(studio: Studio, painted: _Painted) -> list[float]:
    """Return the milliseconds of each step through the displayed series."""
    assert studio.pages is not None
    viewer = studio.pages.label.viewer
    took_ms = []
    for _ in range(1, 1 if viewer.frame is None else viewer.frame.count):
        painted.forget()
        started_s = time.perf_counter()
        viewer.scroll_stack(viewer.active, 1)
        asked = studio.pages.viewing.shown
        assert asked is not None
        painted.wait(asked)
        took_ms.append(1000 * (time.perf_counter() - started_s))
    return took_ms


def _rest(studio: Studio) -> None:
    """Let thumbnails and whatever else was asked for arrive."""
    loop, poll = QEventLoop(), QTimer()
    poll.timeout.connect(lambda: None if studio.session.background.busy else loop.quit())
    poll.start(POLL_MS)
    loop.exec()


if __name__ == "__main__":
    main()
