"""Running a job in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.jobs import read_result
from clipsvd_app.services.job_folders import forget_job

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TypeVar

    from clipsvd_app.cli.console import Console

    T = TypeVar("T")


def run(folder: Path, console: Console) -> None:
    """Run the job in ``folder``; loading torch takes the first seconds."""
    from clipsvd_app.engine.run_job import Engine

    try:
        Engine().run(folder, console.report)
    except BaseException:
        forget_job(folder)
        raise
    finally:
        console.close_bar()


def answer(folder: Path, kind: type[T], console: Console) -> T:
    """Run a job, return its result and delete its folder."""
    run(folder, console)
    result = read_result(folder, kind)
    forget_job(folder)
    return result
