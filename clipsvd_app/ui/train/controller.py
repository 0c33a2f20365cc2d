"""The Train page: what there is to learn, one run at a time, and the table of runs."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import structs
from PySide6.QtCore import QObject

from clipsvd_app.domain.results.evaluation import MIN_PATIENTS_TO_ESTIMATE, Interval
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import duration
from clipsvd_app.domain.words.results import verdict_title
from clipsvd_app.domain.words.trained import start_sentence
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.folders import read_interim, read_request
from clipsvd_app.jobs.requests import TrainRequest
from clipsvd_app.services.files.job_folders import put_aside
from clipsvd_app.services.labels.labels import class_counts, patient_counts
from clipsvd_app.services.runs import training_run
from clipsvd_app.services.runs.stopped_training import discard, prepare_again, stopped_trainings
from clipsvd_app.services.studies.held_out_patients import choose_locked, locked_offer
from clipsvd_app.ui.session.engine_process import LOST
from clipsvd_app.ui.session.jobs import EngineJob
from clipsvd_app.ui.session.notices import ELSEWHERE_KEY, GONE_CODE, OPEN_PREFIX, Notice, failure_notice
from clipsvd_app.ui.session.state import LongJob
from clipsvd_app.ui.session.when_shown import WhenShown
from clipsvd_app.ui.train.devices import device_options
from clipsvd_app.ui.train.interim_card import has_verdict
from clipsvd_app.ui.train.run_clock import RunClock, clock_of, training_images
from clipsvd_app.ui.train.state import (
    ClassCount,
    ComparedRun,
    InterimView,
    RunRow,
    TrainChoice,
    TrainProgress,
    TrainState,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from clipsvd_app.domain.project_values import RunSummary
    from clipsvd_app.domain.results.evaluation import Evaluation
    from clipsvd_app.jobs.lines import Failed, Progress
    from clipsvd_app.services.runs.stopped_training import StoppedTraining
    from clipsvd_app.ui.label.preview import PreviewController
    from clipsvd_app.ui.session.session import Session
    from clipsvd_app.ui.train.page import TrainPage

_KEY = "train"
NEXT_ADAPTATION = "CLIP-SVD is training."
NEXT_EXPLANATION = "The run is being explained. It will open in Inspect."
_WHILE_READING = "Training uses the first reader's labels. Finish the second reading first."
_SHOWN = LongJob(
    "train",
    "Training",
    "You can resume it from the table of runs.",
    "Keep training",
)


class TrainController(QObject):
    """One training at a time; it goes on when another project is opened."""

    def __init__(self, session: Session, page: TrainPage, preview: PreviewController) -> None:
        super().__init__(page)
        self._session, self._page, self._preview = session, page, preview
        self._choice = TrainChoice()
        self._job: EngineJob[Path] | None = None
        self._elsewhere = ""  # the project of the run in progress, where it is not the open one
        self._recorded_in: Path | None = None  # where a run was stored that is offered to be looked at
        self._shown = WhenShown(page, self.refresh)
        self._cancelling = False
        self._clock: RunClock | None = None
        self._stage = ""
        self._interim: Evaluation | None = None
        page.setup.train_requested.connect(self.train)
        page.setup.choice_changed.connect(self._keep_choice)
        page.progress.cancel_requested.connect(self.cancel)
        page.runs.compare_requested.connect(self._compare)
        page.runs.resume_requested.connect(self.resume)
        page.runs.discard_requested.connect(self.discard)
        page.runs.run_opened.connect(self._open_run)
        page.failed.connect(lambda error: session.report(error, "picture"))
        page.empty_action.connect(session.action_requested)
        session.project_opened.connect(self._on_opened)
        session.project_changed.connect(self._shown.ask)
        session.runs_changed.connect(self._shown.ask)
        session.devices_changed.connect(self._shown.ask)
        preview.changed.connect(self._shown.ask)

    @property
    def running(self) -> bool:
        """Whether a run is in progress."""
        return self._session.jobs.runs(self._job)

    def refresh(self) -> None:
        """Show the project as it is now."""
        project = self._session.project
        if project is None:
            self._page.set_state(TrainState())
            return
        classes, images = self._session.classes(), self._session.images()
        counts, patients = class_counts(images), patient_counts(images)
        preview = self._preview.result
        blocking = [_WHILE_READING] if self._session.reader else []
        blocking += [str(error) for error in training_run.obstacles(classes, images)]
        if preview is not None:
            blocking += [f"{known.message} {known.remedy}" for known in preview.obstacles]
        usable = [image for image in images if image.mark != "excluded"]
        offer = locked_offer(project, classes, usable)
        self._choice = replace(self._choice, locked=offer.chosen)
        self._page.set_state(
            TrainState(
                classes=tuple(ClassCount(c.name, counts[c.id], patients[c.id]) for c in classes),
                warnings=(
                    *_warnings([(c.name, counts[c.id], patients[c.id]) for c in classes]),
                    *(preview.warnings if preview is not None else ()),
                ),
                choice=self._choice,
                locked_possible=offer.possible,
                locked_sentence=offer.sentence,
                shot_options=tuple(range(1, max(2, max(counts.values(), default=2)))),
                devices=device_options(self._session.devices),
                backbone=project.setting("backbone", "demo"),
                blocked=blocking[0] if blocking else "",
                runs=(
                    *(_stopped_row(one) for one in reversed(stopped_trainings(project))),
                    *(_row(run) for run in reversed(project.runs())),
                ),
            )
        )

    def train(self, choice: TrainChoice) -> None:
        """Start a run; what keeps it from starting becomes a notice."""
        project = self._session.project
        if project is None or self.running:
            return
        self._choice = choice
        self._start(
            lambda: training_run.prepare(
                project,
                self._session.backbone(),
                choice.preset,
                shots=choice.shots,
                device=choice.device,
                plain=choice.plain,
            )
        )

    def resume(self, key: str) -> None:
        """Go on with a stopped training, as it was asked for; what keeps it from that becomes a notice."""
        project, stopped = self._session.project, self._stopped(key)
        if project is not None and stopped is not None and not self.running:
            self._start(lambda: prepare_again(project, self._session.settings, stopped))

    def discard(self, key: str) -> None:
        """Forget a stopped training."""
        if (stopped := self._stopped(key)) is not None:
            discard(stopped)
            self._shown.ask()

    def leave(self) -> None:
        """Keep what is in progress, so that it can be resumed; window and engine have ended."""
        if self._job is not None and self.running:
            put_aside(self._job.folder)
            self._job = None
            self._session.long_jobs.end(self)

    def _stopped(self, key: str) -> StoppedTraining | None:
        found = () if self._session.project is None else stopped_trainings(self._session.project)
        return next((one for one in found if one.key == key), None)

    def _start(self, make: Callable[[], Path]) -> None:
        job = self._session.jobs.run(
            EngineJob(
                key=_KEY,
                make=lambda: self._timed(make()),
                read=lambda folder: folder,
                take=self._record,
                ended=self._end,
                failed=self._on_failed,
                cancelled=self._on_cancelled,
                reported=self._on_progress,
                interim=self._on_interim,
                outlives_project=True,
            )
        )
        if job is None:
            return
        self._session.settle(_KEY)
        self._job = job
        self._cancelling, self._stage, self._elsewhere = False, "", ""
        self._show_interim(None)
        self._session.long_jobs.begin(self, _SHOWN)
        self._page.set_progress(TrainProgress("Starting", 0, 0))
        self._shown.ask()  # what was stopped of it is no row any more

    def _timed(self, folder: Path) -> Path:
        """Set the clock by a request; once the engine has it, it is deleted."""
        request = read_request(folder)
        assert isinstance(request, TrainRequest)
        self._clock = clock_of(request)
        self._page.progress.curves.start(request.recipe.steps)
        return folder

    def cancel(self) -> None:
        """Ask the run to stop."""
        if self.running:
            self._cancelling = True
            self._session.jobs.cancel(self._job)
            self._page.set_progress(TrainProgress("Stopping", 0, 0, cancelling=True))
            self._session.long_jobs.advance(self, "Stopping", 0, 0)

    def _on_opened(self) -> None:
        project = self._session.project
        mirrored = project is None or training_run.mirrors(project)
        self._choice = TrainChoice(device=self._session.device, flip=mirrored)
        self._page.set_comparison(None)
        if project is not None and project.path.resolve() == self._recorded_in:
            self._session.settle(ELSEWHERE_KEY)
        if self._job is None or not self.running:
            self._page.progress.curves.set_points(())
            self._show_interim(None)
        elif project is not None:
            here = training_run.is_made_for(self._job.folder, project)
            self._elsewhere = "" if here else training_run.home_of(self._job.folder).stem
            self._show_interim(self._interim)
        self._shown.ask()

    def _keep_choice(self, choice: TrainChoice) -> None:
        shown, self._choice = self._choice, choice
        project = self._session.project
        if project is not None and not project.read_only:
            training_run.choose_mirroring(project, choice.flip)
            if choice.locked != shown.locked:
                choose_locked(project, choice.locked)

    def _on_progress(self, progress: Progress) -> None:
        assert self._clock is not None
        now = time.monotonic()
        metrics = progress.metrics
        self._clock.observe(progress.stage, progress.done, progress.total, now, steps=metrics is not None)
        if metrics is not None:
            if progress.stage != self._stage:
                self._page.progress.curves.start(progress.total)
            # Several fits follow each other in one stage, and each counts from 0.
            self._page.progress.curves.add_point(structs.replace(metrics, step=progress.done))
        self._stage = progress.stage
        if not self._cancelling:
            stage, left = self._said(progress.stage), self._clock.seconds_left(now)
            self._page.set_progress(TrainProgress(stage, self._clock.done, self._clock.total, left))
            self._session.long_jobs.advance(self, stage, self._clock.done, self._clock.total, left)

    def _on_interim(self) -> None:
        """Show what the run knows already: the frozen-feature methods first, then the verdict."""
        assert self._job is not None
        assert self._clock is not None
        evaluation = read_interim(self._job.folder)
        folds = evaluation.folds * evaluation.repeats
        if evaluation.kind == "cross_validated":
            self._clock.plan(1 + folds, folds)
        else:
            self._clock.plan(1, 0 if evaluation.kind == "none" else 1)
        self._show_interim(evaluation)

    def _show_interim(self, evaluation: Evaluation | None, next_step: str | None = None) -> None:
        self._interim = evaluation
        if evaluation is None:
            self._page.progress.set_interim(None)
            return
        if next_step is None:
            next_step = NEXT_EXPLANATION if has_verdict(evaluation) else NEXT_ADAPTATION
        prefix = self._said("") if self.running else ""
        self._page.progress.set_interim(InterimView(evaluation, next_step, prefix))

    def _said(self, text: str) -> str:
        """Name the project of the run in progress, where it is not the open one."""
        return f"“{self._elsewhere}”: {text}" if self._elsewhere else text

    def _end(self) -> None:
        self._session.long_jobs.end(self)
        self._page.set_progress(None)
        if self._elsewhere:
            self._page.progress.curves.set_points(())
        self._show_interim(None if self._elsewhere else self._interim, "")

    def _on_cancelled(self) -> None:
        remedy = self._put_aside(failed=False)
        self._session.tell(Notice("info", self._said("Training stopped."), remedy, key=_KEY))

    def _on_failed(self, failed: Failed) -> None:
        resumable = self._put_aside(failed=failed.code != LOST.code)
        if failed.code == GONE_CODE or self._elsewhere:
            said, key = self._said(failed.message), ELSEWHERE_KEY if self._elsewhere else _KEY
            self._session.tell(failure_notice(structs.replace(failed, message=said), key))
        else:
            remedy = f"{failed.remedy} {resumable}".rstrip()
            self._session.tell(Notice("error", failed.message, remedy, "train", "Go to Train", _KEY))

    def _put_aside(self, *, failed: bool) -> str:
        """Keep what can go on of the training that has ended, and return how."""
        assert self._job is not None
        kept = put_aside(self._job.folder, failed=failed)
        if kept:
            self._session.runs_changed.emit()
        return "You can resume it from the table of runs." if kept else ""

    def _record(self, folder: Path) -> None:
        """Store the run in the project that it was made for, whichever is open by now."""
        path, result = training_run.home_of(folder), training_run.result_of(folder)
        try:
            number = training_run.record_at_home(folder, self._session.project)
        except UserError as error:
            self._session.tell(error)
            return
        done = f"Run {number} finished in {duration(result.seconds)}. {verdict_title(result.evaluation)}."
        if self._elsewhere:
            self._recorded_in = path.resolve()
            action = f"{OPEN_PREFIX}{path}"
            self._session.tell(
                Notice("success", self._said(done), "", action, f"Open “{path.stem}”", ELSEWHERE_KEY)
            )
            return
        self._page.progress.curves.set_points(result.curve)
        self._session.runs_changed.emit()
        self._session.tell(Notice("success", done, "", "inspect", "Inspect", _KEY))

    def _open_run(self, number: int) -> None:
        self._session.run.show(number)
        self._session.action_requested.emit("inspect")

    def _compare(self, first: int, second: int) -> None:
        self._page.set_comparison((self._compared(first), self._compared(second)))

    def _compared(self, number: int) -> ComparedRun:
        assert self._session.project is not None
        result = self._session.project.run_result(number)
        facts = (
            ("Images", f"{result.train_images:,} of {counted(result.train_patients, 'patient')}"),
            ("Shots", "all" if result.shots is None else str(result.shots)),
            ("Seed", str(result.seed)),
            ("Peak learning rate", f"{result.learning_rate:g}"),
            ("Start", start_sentence(result)),
            ("Time", duration(result.seconds)),
        )
        return ComparedRun(f"Run {number}", facts, result.evaluation, result.curve)


def _stopped_row(stopped: StoppedTraining) -> RunRow:
    clock = clock_of(stopped.request)
    for stage, done, total in stopped.stages:
        clock.observe(stage, done, total, 0.0, steps=True)
    return RunRow(
        number=0,
        date=stopped.stopped[:16].replace("T", " "),
        shots=stopped.request.shots,
        images=sum(training_images(stopped.request)),
        preset=stopped.preset,
        accuracy=None,
        interval=None,
        verdict="not_shown",
        state="stopped",
        note=stopped.stages[-1][0] if stopped.stages else "",
        key=stopped.key,
        steps=(clock.done, clock.total),
    )


def _row(run: RunSummary) -> RunRow:
    return RunRow(
        number=run.number,
        date=run.created[:16].replace("T", " "),
        shots=run.shots,
        images=run.train_images,
        preset=run.preset,
        accuracy=run.balanced_accuracy,
        interval=None if run.interval is None else Interval(*run.interval),
        verdict=run.verdict if run.verdict in ("helped", "harmed") else "not_shown",  # type: ignore[arg-type]
    )


def _warnings(classes: list[tuple[str, int, int]]) -> tuple[str, ...]:
    found = [f"“{name}” has no images." for name, images, _ in classes if not images]
    found += [
        f"“{name}” has {counted(patients, 'patient')}; {MIN_PATIENTS_TO_ESTIMATE} are needed for an estimate."
        for name, images, patients in classes
        if images and patients < MIN_PATIENTS_TO_ESTIMATE
    ]
    return tuple(found)
