"""``python -m support.fitting_run SCALE PROJECT``: shows every page at the sizes of a scale.

Run on its own, because the scale of a screen is known to Qt only from before its application is made.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

# Screens of 960 x 540, 1280 x 720, 1440 x 900 and 1920 x 1080 pixels, in the window's own pixels. Those below
# 960 x 540 get the smallest window: 960 x 460 are what panel and title bar leave of 1920 x 1080 at 200 %.
SMALLEST = (960, 460)
SIZES = {
    "1": ((960, 540), (1280, 720), (1440, 900), (1920, 1080)),
    "1.5": ((960, 600), (1280, 720)),
    "2": (SMALLEST, (960, 540)),
}
LAYOUT_ROUNDS = 8  # what wraps asks for another height once it knows its width, and so do its parents
DIALOG = (940, 420)
ICON_PX = 22  # larger ones are pictures
PAGES = ("label", "train", "inspect", "explain", "export", "settings")


def main(scale: str, project: Path) -> int:
    """Return how many things do not fit, each printed on a line of its own."""
    from PySide6.QtGui import QFont
    from PySide6.QtWidgets import QApplication
    from support.fitting import faults
    from support.full_window import dialogs, full_studio, scenes

    app = QApplication([])
    app.setFont(QFont(app.font().family(), 10))
    found = 0

    def rest(seconds: float = 0.0) -> None:
        end = time.monotonic() + seconds
        for _ in range(LAYOUT_ROUNDS):
            app.processEvents()
        while time.monotonic() < end:
            app.processEvents()
            time.sleep(0.002)

    def check(scene: str, sizes=SIZES[scale]) -> int:
        lines = 0
        for size in sizes:
            studio.window.resize(*size)
            rest()
            assert (studio.window.width(), studio.window.height()) == size
            for fault in [*faults(studio.window), *_needs_more(studio.window)]:
                lines += 1
                sys.stdout.write(f"{scale} {size[0]}x{size[1]} {scene}: {fault}\n")
        return lines

    studio = full_studio(app)
    for key in PAGES:
        studio.window.show_page(key)
        found += check(f"{key}, nothing open", SIZES[scale][:1])
    assert studio.session.open_project(project)
    until = time.monotonic() + 10
    while studio.session.background.busy and time.monotonic() < until:
        rest(0.02)
    for name, bring_up in scenes(studio).items():
        bring_up()
        rest(0.05)
        found += check(name)
    for name, dialog in dialogs(studio).items():
        dialog.show()
        dialog.resize(*DIALOG)
        rest(0.05)
        for fault in [*faults(dialog), *_too_large(dialog)]:
            found += 1
            sys.stdout.write(f"{scale} dialog {name}: {fault}\n")
        dialog.close()
    for fault in _unsharp(studio.window):
        found += 1
        sys.stdout.write(f"{scale} {fault}\n")
    studio.window.close()
    app.processEvents()
    return found


def _needs_more(window) -> list[str]:
    from PySide6.QtWidgets import QStackedWidget

    page = window.findChild(QStackedWidget, "stack").currentWidget()
    needed = page.minimumSizeHint().width()
    return [f"needs a width of {needed}"] if needed > page.width() else []


def _unsharp(window) -> list[str]:
    """Find icons that were not drawn for this scale: those that are scaled are never sharp."""
    from PySide6.QtWidgets import QToolButton

    ratio = window.devicePixelRatio()
    ours = (button for button in window.findChildren(QToolButton) if button.toolTip())
    drawn = [button for button in ours if button.iconSize().width() <= ICON_PX]
    return [
        f"icon of {button.toolTip()!r} has no {round(button.iconSize().width() * ratio)} pixels"
        for button in drawn
        if not button.icon().isNull()
        and round(button.iconSize().width() * ratio)
        not in {s.width() for s in button.icon().availableSizes()}
    ]


def _too_large(dialog) -> list[str]:
    within = dialog.width() <= DIALOG[0] and dialog.height() <= DIALOG[1]
    return [] if within else [f"is {dialog.width()}x{dialog.height()}"]


if __name__ == "__main__":
    os.environ["QT_SCALE_FACTOR"] = sys.argv[1]
    found_faults = main(sys.argv[1], Path(sys.argv[2]))
    sys.stdout.flush()
    os._exit(min(found_faults, 1))  # the window's threads and timers are not worth waiting for
