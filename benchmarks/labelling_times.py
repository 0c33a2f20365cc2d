"""``python -m benchmarks.labelling_times PROJECT LABELS``: how long labelling holds the window up.

The whole window is built as for a user, with its engine, and worked by its own keys. A clock in the event
loop says how long nothing else could have been answered. Writes one JSON line.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from clipsvd_app.ui.app import PAGE_TITLES, Studio, calm_the_collector
from clipsvd_app.ui.label.strip.pool import orders_of

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_PX = 1440, 900
TICK_MS = 2
LABEL_EVERY_MS = 700  # a quick reader; the preview answers in between
QUIET_MS = 250
LONGEST_WAIT_S = 180.0
KEYS = Qt.Key.Key_1, Qt.Key.Key_2


class Pulse(QObject):
    """Ticks in the event loop and keeps the longest and the busiest time between two ticks."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._longest_s, self._last_s = 0.0, time.perf_counter()
        self._busiest_s, self._last_busy_s = 0.0, time.thread_time()
        self._timer = QTimer(self, interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def held_ms(self) -> float:
        """Return the longest time that the loop was held since this was asked for last."""
        self._tick()
        held_ms, self._longest_s = max(0.0, 1000 * self._longest_s - TICK_MS), 0.0
        return held_ms

    def busy_ms(self) -> float:
        """Return the most processor time of this thread between two ticks, which no other program adds to."""
        self._tick()
        busy_ms, self._busiest_s = 1000 * self._busiest_s, 0.0
        return busy_ms

    def _tick(self) -> None:
        busy_s = time.thread_time()
        self._busiest_s = max(self._busiest_s, busy_s - self._last_busy_s)
        self._last_busy_s = busy_s
        now_s = time.perf_counter()
        self._longest_s, self._last_s = max(self._longest_s, now_s - self._last_s), now_s


def main() -> None:
    """Measure, and write what was found."""
    path, labels = Path(sys.argv[1]), int(sys.argv[2])
    studio = Studio(QApplication(sys.argv[:1]))
    studio.window.resize(*WINDOW_PX)
    studio.window.show()
    studio.start()
    calm_the_collector()
    pages = studio.pages
    assert pages is not None
    opened_s = _open(studio, path)
    wait_for(lambda: pages.preview.result is not None and not pages.preview.is_waiting)
    pulse = Pulse(pages)
    found = {
        "images": len(studio.session.images()),
        "opening_processor_s": opened_s,
        "held_p95_ms": {order: _label(studio, pulse, order, labels) for order in _orders(studio)},
        "theme_ms": _switch_themes(studio),
    }
    sys.stdout.write(json.dumps(found) + "\n")
    studio.window.close()


def _open(studio: Studio, path: Path) -> float:
    """Return the seconds of processor time, in all threads, from opening until the page is complete."""
    assert studio.pages is not None
    viewer = studio.pages.label.viewer
    started_s = time.process_time()
    assert studio.session.open_project(path), "the project could not be opened"
    wait_for(lambda: viewer.frame is not None and not studio.session.background.busy)
    return time.process_time() - started_s


def _orders(studio: Studio) -> list[str]:
    assert studio.pages is not None
    pages = studio.pages
    return list(orders_of(pages.preview.result, pages.preview.query, pages.viewing.shown))


def _label(studio: Studio, pulse: Pulse, order: str, labels: int) -> float:
    """Label by keys in an order of the pool; the 95th percentile over labels of the longest hold of each."""
    assert studio.pages is not None
    page = studio.pages.label
    page.strip.order_changed.emit(order)
    rest(QUIET_MS)
    page.strip.view.setFocus()
    held_ms = []
    for number in range(labels):
        pulse.held_ms()
        QTest.keyClick(page.strip.view, KEYS[number % len(KEYS)])
        rest(LABEL_EVERY_MS)
        held_ms.append(pulse.held_ms())
    return statistics.quantiles(held_ms, n=20)[-1]


def _switch_themes(studio: Studio) -> dict[str, float]:
    """Return the milliseconds from asking for the other theme until each page is painted in it."""
    took_ms = {}
    for key, _, _ in PAGE_TITLES:
        studio.window.show_page(key)
        rest(QUIET_MS)
        started_s = time.perf_counter()
        studio.window.action_triggered.emit("view.theme")
        QApplication.processEvents()
        took_ms[key] = 1000 * (time.perf_counter() - started_s)
        rest(QUIET_MS)
    return took_ms


def wait_for(ready: Callable[[], bool]) -> None:
    """Let the event loop run until something is so."""
    late_s = time.monotonic() + LONGEST_WAIT_S
    while not ready():
        assert time.monotonic() < late_s, "the window did not come to rest"
        rest(5)


def rest(milliseconds: int) -> None:
    """Let the event loop run for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


if __name__ == "__main__":
    main()
