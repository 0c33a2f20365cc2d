"""``python -m benchmarks.import_window PROJECT FILES``: how long adding files holds the window up.

The whole window is built as for a user, and a folder of films and pictures of many patients is dropped on
it. A clock in the event loop says how long nothing else could have been answered. Writes one JSON line.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtWidgets import QApplication

from benchmarks.labelling_times import QUIET_MS, WINDOW_PX, Pulse, rest, wait_for
from clipsvd_app.demo_studies.dicom_file import FilmHeader, encode
from clipsvd_app.ui.app import Studio, calm_the_collector
from clipsvd_app.ui.importer.patient_question import SETTING

IMAGES_OF_A_PATIENT = 4
SIDE_PX = 32


def draw(folder: Path, files: int) -> None:
    """Write films and pictures of noise, half of each; all of a patient lie in one folder."""
    chance = np.random.default_rng(0)
    for number in range(files):
        patient = number // IMAGES_OF_A_PATIENT + 1
        own = folder / f"patient {patient:05}"
        own.mkdir(parents=True, exist_ok=True)
        if patient % 2:
            pixels = chance.integers(0, 4096, (SIDE_PX, SIDE_PX), dtype=np.uint16)
            header = FilmHeader(0, patient, patient, number + 1, 1, 0.2, inverted=False)
            (own / f"{number:05}.dcm").write_bytes(encode(pixels, header))
        else:
            pixels = chance.integers(0, 256, (SIDE_PX, SIDE_PX), dtype=np.uint8)
            Image.fromarray(pixels).save(own / f"{number:05}.png", compress_level=1)


def main() -> None:
    """Measure, and write what was found."""
    path, files = Path(sys.argv[1]), int(sys.argv[2])
    folder = path.parent / "in"
    draw(folder, files)
    studio = Studio(QApplication(sys.argv[:1]))
    studio.window.resize(*WINDOW_PX)
    studio.window.show()
    studio.start()
    calm_the_collector()
    session, pages = studio.session, studio.pages
    assert pages is not None
    assert session.new_project(path)
    assert session.project is not None
    session.project.set_setting(SETTING, "folder:1")
    rest(QUIET_MS)
    pulse, started_s = Pulse(pages), time.perf_counter()
    pulse.held_ms(), pulse.busy_ms()
    pages.importing.take([str(folder)])
    wait_for(lambda: not pages.importing.busy and not session.background.busy)
    adding_s = time.perf_counter() - started_s
    rest(2 * QUIET_MS)
    found = {
        "images": len(session.images()),
        "adding_s": adding_s,
        "held_ms": pulse.held_ms(),
        "busy_ms": pulse.busy_ms(),
    }
    sys.stdout.write(json.dumps(found) + "\n")
    studio.window.close()


if __name__ == "__main__":
    main()
