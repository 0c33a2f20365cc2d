"""``python tests/support/mutant_window.py PROJECT``: shows every image of a project in the real window.

One JSON line for each, ``{"image": id, "said": sentence or "", "seconds": s}``, and at last ``{"end": n}``.
Whoever started it takes a missing end for a crash.
"""

from __future__ import annotations

import faulthandler
import json
import sys
import time
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from clipsvd_app.imaging.guard.decode_worker import shared_pool
from clipsvd_app.ui.app import Studio
from clipsvd_app.ui.pages import Pages

LONGEST_WAIT_MS = 20_000
MOST_FRAMES = 2
POLL_MS = 2


def main() -> None:
    faulthandler.enable()
    application = QApplication(sys.argv[:1])
    studio = Studio(application)
    studio.window.resize(1200, 800)
    studio.window.show()
    studio.pages = Pages(studio.session, studio.window, studio.theme)
    said: dict[int, str] = {}
    studio.pages.pictures.unreadable.connect(lambda image_id, sentence: said.setdefault(image_id, sentence))
    for _ in range(2):  # starting Python is no part of a file's time
        shared_pool().run(abs, -1)
    assert studio.session.open_project(Path(sys.argv[1]))
    _rest(studio)
    count = 0
    for image in studio.session.images():
        if image.frame >= MOST_FRAMES:
            continue
        started = time.monotonic()
        _show(studio, image.id, said)
        line = {"image": image.id, "said": said.get(image.id, ""), "seconds": time.monotonic() - started}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        count += 1
    studio.session.close()
    studio.window.close()
    sys.stdout.write(json.dumps({"end": count}) + "\n")


def _rest(studio: Studio) -> None:
    """Let thumbnails and whatever else was asked for arrive."""
    loop, poll = QEventLoop(), QTimer()
    poll.timeout.connect(lambda: None if studio.session.background.busy else loop.quit())
    poll.start(POLL_MS)
    loop.exec()


def _show(studio: Studio, image_id: int, said: dict[int, str]) -> None:
    """Ask for an image, and handle events until it is in the viewer or refused; raise TimeoutError else."""
    pages = studio.pages
    assert pages is not None
    viewer = pages.label.viewer
    loop, poll, late = QEventLoop(), QTimer(), QTimer()

    def answered() -> bool:
        return image_id in said or (viewer.frame is not None and viewer.frame.image_id == image_id)

    poll.timeout.connect(lambda: loop.quit() if answered() else None)
    late.setSingleShot(True)
    late.timeout.connect(loop.quit)
    late.start(LONGEST_WAIT_MS)
    poll.start(POLL_MS)
    pages.viewing.show(image_id)
    loop.exec()
    if not answered():
        raise TimeoutError(f"image {image_id} was neither shown nor refused")
    viewer.grab()


if __name__ == "__main__":
    main()
