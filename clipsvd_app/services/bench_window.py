"""How soon the window shows a series, measured in a window of its own that no screen is needed for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from clipsvd_app.domain.codec import from_json
from clipsvd_app.project import create_project
from clipsvd_app.services.importing import apply_import, plan_import
from clipsvd_app.settings import HOME_VARIABLE

LONGEST_S = 900
QT_WORKS = "import pyqtgraph; from PySide6.QtWidgets import QApplication; QApplication([])"


@dataclass(frozen=True, slots=True)
class WindowBench:
    """first_image_s: from opening a project of the series until its first image is painted, a median.

    scroll_p95_ms: from asking for the next slice until it is painted; None where there is only one.
    """

    first_image_s: float
    scroll_p95_ms: float | None


def bench_window(folder: Path, runs: int) -> WindowBench | None:
    """Import the folder into a new project and watch a window show it; None where Qt does not run."""
    with tempfile.TemporaryDirectory(prefix="clipsvd-bench-") as scratch:
        place = Path(scratch)
        environment = {**os.environ, HOME_VARIABLE: str(place / "home"), "QT_QPA_PLATFORM": "offscreen"}
        probe = [sys.executable, "-P", "-c", QT_WORKS]
        if subprocess.run(probe, env=environment, capture_output=True, check=False).returncode:
            return None
        path = place / "bench.clipsvd"
        with create_project(path) as project:
            project.apply(apply_import(project, plan_import(project, [folder])))
        done = subprocess.run(
            [sys.executable, "-P", "-m", "clipsvd_app.ui.viewing_drill", str(path), str(runs)],
            env=environment,
            stdout=subprocess.PIPE,
            timeout=LONGEST_S,
            check=True,
        )
    return from_json(WindowBench, json.loads(done.stdout.splitlines()[-1]))
