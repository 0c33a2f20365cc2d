"""Running a job in this process."""

from __future__ import annotations

import signal
from functools import partial
from typing import TYPE_CHECKING

from clipsvd_app.domain.results.evaluation import METHOD_TITLES
from clipsvd_app.domain.words.evaluation import recommendation_text, verdict_sentence
from clipsvd_app.domain.words.numbers import percent_with_interval
from clipsvd_app.domain.words.results import verdict_title
from clipsvd_app.errors import Cancelled
from clipsvd_app.jobs.folders import read_request, read_result
from clipsvd_app.services.files.job_folders import forget_job, put_aside

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType
    from typing import TypeVar

    from clipsvd_app.cli.console import Console
    from clipsvd_app.domain.results.evaluation import Evaluation
    from clipsvd_app.domain.results.run import StepMetrics

    T = TypeVar("T")


def run(folder: Path, console: Console, when_cancelled: str = "") -> None:
    """Run the job in ``folder``; loading torch takes the first seconds.

    Ctrl+C stops it at its next report, between two steps; a second one stops it at once.
    ``when_cancelled`` is what the user is told then.
    """
    from clipsvd_app.engine.jobs.job import Engine

    asked_to_stop = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked_to_stop
        asked_to_stop = True
        signal.signal(signal.SIGINT, before)

    def report(stage: str, done: int, total: int, metrics: StepMetrics | None = None) -> None:
        if asked_to_stop:
            raise Cancelled(when_cancelled)
        console.report(stage, done, total, metrics)

    before = signal.signal(signal.SIGINT, stop)
    try:
        Engine().run(folder, read_request(folder), report, partial(_announce, console))
    except BaseException as error:
        put_aside(folder, failed=not isinstance(error, Cancelled | KeyboardInterrupt))
        raise
    finally:
        signal.signal(signal.SIGINT, before)
        console.close_bar()


def _announce(console: Console, evaluation: Evaluation) -> None:
    """Say what a training knows before it is done; the whole follows with its result."""
    if console.quiet:
        return
    if sentence := verdict_sentence(evaluation):
        console.note(f"{verdict_title(evaluation)}. {recommendation_text(evaluation) or sentence}")
        return
    console.note("Methods on frozen features, balanced accuracy (95 % CI):")
    for score in evaluation.methods:
        value = percent_with_interval(score.balanced_accuracy, score.interval)
        console.note(f"  {METHOD_TITLES[score.method]}: {value}")


def answer(folder: Path, kind: type[T], console: Console) -> T:
    """Run a job, return its result and delete its folder."""
    run(folder, console)
    result = read_result(folder, kind)
    forget_job(folder)
    return result
