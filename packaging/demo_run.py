"""Train the run that the window's demo comes with, and keep it in ``resources/demo_run``.

Run with ``PYTHONPATH=. python packaging/demo_run.py``; it takes some minutes. To be done again whenever the
films, the bundled model, the results of a run or the format of an adapter change; the tests say when.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from clipsvd_app.cli import engine
from clipsvd_app.cli.console import Console
from clipsvd_app.services.models import backbones
from clipsvd_app.services.projects.demo import PROJECT_NAME, window_demo_files, window_demo_project
from clipsvd_app.services.projects.demo_run import demo_run_file, write_demo_run
from clipsvd_app.services.runs import training_run
from clipsvd_app.settings import HOME_VARIABLE, Settings


def main() -> int:
    """Draw, label, train and keep; caches and settings of the user stay apart."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="clipsvd-demo-run-") as folder:
        os.environ[HOME_VARIABLE] = str(Path(folder) / "home")
        files = window_demo_files(Path(folder) / "studies")
        with window_demo_project(Path(folder) / PROJECT_NAME, files) as project:
            backbone = backbones.find(Settings(), backbones.DEMO)
            job = training_run.prepare(project, backbone, "standard", device="cpu")
            engine.run(job, console)
            number = training_run.record(project, job)
            demo_run_file().parent.mkdir(exist_ok=True)
            write_demo_run(project, number, demo_run_file())
    console.say(f"Wrote {demo_run_file()} ({demo_run_file().stat().st_size:,} bytes).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
