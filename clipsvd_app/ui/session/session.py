"""What is open right now: project, settings, undo, engine and threads, with signals on change."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoGroup, QUndoStack

from clipsvd_app.errors import UserError
from clipsvd_app.project import Project, create_project, open_project
from clipsvd_app.project.backups import copy_beside
from clipsvd_app.project.changes import images_written
from clipsvd_app.services.labels.second_reader import as_read_by
from clipsvd_app.services.models import backbones
from clipsvd_app.services.runs import training_run
from clipsvd_app.settings import Settings, load_settings, save_settings
from clipsvd_app.ui.session.background import Background
from clipsvd_app.ui.session.engine_process import EngineProcess
from clipsvd_app.ui.session.jobs import EngineJobs
from clipsvd_app.ui.session.long_jobs import LongJobs
from clipsvd_app.ui.session.notices import WAITS_CODE, Notice, notice_of
from clipsvd_app.ui.session.run_on_show import RunOnShow
from clipsvd_app.ui.session.undo import ChangeCommand

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from clipsvd_app.domain.measures import Measure
    from clipsvd_app.domain.project_values import ProjectClass, ProjectImage, Reading, SeriesFlag
    from clipsvd_app.domain.recipe import DeviceKind, DeviceName
    from clipsvd_app.jobs.lines import Ready
    from clipsvd_app.jobs.requests import BackboneRef
    from clipsvd_app.project.backups import Backup
    from clipsvd_app.project.changes import Change
    from clipsvd_app.ui.session.background import Answer, Task
    from clipsvd_app.ui.session.state import LongJob


OPEN_BACKUP = "open_backup"


class Session(QObject):
    """The one object that every controller is given.

    Signals: ``project_opened()``, ``project_changed()`` after every change, undo and redo,
    ``runs_changed()``, ``settings_changed()``, ``devices_changed()`` when the engine has tested them,
    ``notice(Notice)``, ``settled(key)`` what notices with that key tell of is over, ``project_left()`` before
    another one takes its place, ``image_requested(image id)``,
    ``action_requested(id)`` of the action table, or the name of a page.
    """

    project_opened = Signal()
    project_changed = Signal()
    runs_changed = Signal()
    settings_changed = Signal()
    devices_changed = Signal()
    notice = Signal(object)
    settled = Signal(str)
    project_left = Signal()
    action_requested = Signal(str)
    image_requested = Signal(int)

    def __init__(self, engine: EngineProcess | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings: Settings = load_settings()
        self.project: Project | None = None
        self.undo = QUndoGroup(self)
        self._undo_of: dict[str, QUndoStack] = {}
        self._take_up_undo("")
        self.background = Background(parent=self)
        self.fetches = Background(threads=1, parent=self)  # takes minutes, so it holds no other work up
        self.engine = engine or EngineProcess(self)
        self.long_jobs = LongJobs(self)
        self.jobs = EngineJobs(self)
        self.run = RunOnShow(self)
        self.devices: tuple[DeviceKind, ...] = ("cpu",)
        self.device_note = ""
        self.engine.ready.connect(self._on_ready)
        self._offered: Backup | None = None
        self._images: tuple[ProjectImage, ...] | None = None
        self._series: dict[int, tuple[ProjectImage, ...]] | None = None
        self._by_id: dict[int, ProjectImage] | None = None
        self._classes: tuple[ProjectClass, ...] | None = None
        self._known: tuple[ProjectImage, ...] = ()  # as they were read last
        self._place_of: dict[int, int] = {}  # of each of them
        self._stale: frozenset[int] | None = None  # which of them were written since; None: anything may be
        self._noted = False
        self._changes = 0
        self._readings: tuple[Reading, ...] | None = None
        self._flags: dict[int, tuple[SeriesFlag, ...]] | None = None
        self._measures: dict[int, tuple[Measure, ...]] | None = None
        self.reader = ""
        self._tasks: set[Task] = set()
        self.undo.indexChanged.connect(lambda _index: self.announce_change())

    def new_project(self, path: Path) -> bool:
        """Make a project and open it."""
        return self._adopt(lambda: create_project(path))

    def adopt_project(self, project: Project) -> bool:
        """Open a project that was just made."""
        return self._adopt(lambda: project)

    def open_project(self, path: Path) -> bool:
        """Open a project; the one before stays open when that fails, and when it is the same.

        One that is open for reading only is opened anew: the window that wrote it may be gone.
        """
        if self.project is None or not _is_same(path, self.project.path):
            return self._adopt(lambda: open_project(path))
        if not self.project.read_only:
            self.tell(Notice("info", f"“{self.project.path.stem}” is already open.", key="open-already"))
            return True
        return self._adopt(lambda: open_project(path))

    def work(
        self,
        work: Callable[[Callable[[int, int], None]], Any],
        on_done: Callable[[Answer], None],
        on_progress: Callable[[int, int], None] | None = None,
        priority: int = 0,
        shown: LongJob | None = None,
    ) -> Task:
        """Work in a thread as ``Background.run`` does; when another project is opened, it is cancelled.

        Work that is ``shown`` is seen everywhere, and closing asks about it.
        """

        def take(answer: Answer) -> None:
            self._tasks.discard(task)
            self.long_jobs.end(task)
            on_done(answer)

        def advance(done: int, total: int) -> None:
            self.long_jobs.advance(task, "", done, total)
            if on_progress is not None:
                on_progress(done, total)

        task = self.background.run(work, take, advance, priority)
        self._tasks.add(task)
        if shown is not None:
            self.long_jobs.begin(task, shown)
        return task

    def open_backup(self) -> None:
        """Put the newest backup beside a project whose changes are missing, and open that copy."""
        backup = self._offered
        if self.project is not None and backup is not None:
            path = self.project.path
            self._adopt(lambda: open_project(copy_beside(backup, path)))

    def images(self) -> tuple[ProjectImage, ...]:
        """Return the project's images; after a change those that it wrote are read again, once.

        While a second reader reads, labels are the reader's own and everybody else's are left out.
        """
        if self._images is None:
            self._read_images()
            known = self._known
            self._images = as_read_by(known, self.readings(), self.reader) if self.reader else known
            if self.reader:
                self._series = self._by_id = None
        return self._images

    def readings(self) -> tuple[Reading, ...]:
        """Return what second readers say, read once after every change."""
        if self._readings is None:
            self._readings = self.project.readings() if self.project is not None else ()
        return self._readings

    def image(self, image_id: int | None) -> ProjectImage | None:
        """Return an image by its number."""
        images = self.images()
        if self._by_id is None:
            self._by_id = {image.id: image for image in images}
        return None if image_id is None else self._by_id.get(image_id)

    def stack_of(self, image: ProjectImage) -> tuple[ProjectImage, ...]:
        """Return the images of the series that an image belongs to."""
        images = self.images()
        if self._series is None:
            found: dict[int, list[ProjectImage]] = {}
            for other in images:
                found.setdefault(other.series_id, []).append(other)
            self._series = {series: tuple(images) for series, images in found.items()}
        return self._series.get(image.series_id, ())

    def series_flags(self) -> dict[int, tuple[SeriesFlag, ...]]:
        """Return what is irregular about each series by its id, read once after every change."""
        if self._flags is None:
            self._flags = self.project.series_flags() if self.project is not None else {}
        return self._flags

    def measures(self) -> dict[int, tuple[Measure, ...]] | None:
        """Return what was drawn on images, None while a second reader reads: it shows where others looked."""
        if self.reader:
            return None
        if self._measures is None:
            self._measures = self.project.measures() if self.project is not None else {}
        return self._measures

    def read_as(self, reader: str) -> None:
        """Let a second reader read blindly, or end that with an empty label.

        What the one did the other must not take back, so each has an undo of their own.
        """
        if reader != self.reader:
            self.reader = reader
            self.settle("reading")  # what had to wait for its end
            self._take_up_undo(reader)  # which tells of the change

    @property
    def undo_stack(self) -> QUndoStack:
        """What whoever reads now has done in this project."""
        return self._undo_of[self.reader]

    def classes(self) -> tuple[ProjectClass, ...]:
        """Return the project's classes, read once after every change."""
        if self._classes is None:
            self._classes = self.project.classes() if self.project is not None else ()
        return self._classes

    def announce_change(self) -> None:
        """Forget what was read and tell every page."""
        stale = self._stale if self._noted else None
        self._forget()
        self._stale = stale
        self.project_changed.emit()

    def do(self, change: Change) -> bool:
        """Carry out a change so that it can be undone; errors become notices."""
        if self.project is None:
            return False
        inverse = self._apply(change)
        if inverse is None:
            return False
        self.undo_stack.push(ChangeCommand(change.title, inverse, self._apply))
        return True

    def do_apart(
        self, change: Change, then: Callable[[ChangeCommand | None], None], shown: LongJob | None = None
    ) -> Task:
        """Carry out a change of very many rows in a thread, so that the window is not held.

        ``then`` is given what is to be pushed on the undo stack; None where nothing was done, which the user
        knows by then.
        """
        project, before = self.project, self._changes
        assert project is not None

        def work(_report: Callable[[int, int], None]) -> tuple[Change, tuple[ProjectImage, ...]]:
            return project.apply(change), project.images()

        def take(answer: Answer) -> None:
            if answer.error is not None:
                self.tell(answer.error, "change")
            if answer.value is None or self.project is not project:
                then(None)
                return
            inverse, images = answer.value
            self.settle("change")
            # What was changed here meanwhile may have been written before or after the images were read.
            overtaken = self._changes != before
            self._take_images(images)
            self._stale, self._noted = None if overtaken else frozenset(), True
            then(ChangeCommand(change.title, inverse, self._apply))

        return self.work(work, take, shown=shown)

    def tell(self, message: UserError | Notice, key: str = "") -> None:
        """Show a notice; an error is over when the kind of action that ``key`` names next succeeds."""
        self.notice.emit(notice_of(message, key) if isinstance(message, UserError) else message)

    def settle(self, key: str) -> None:
        """Take back what notices with this key tell of: the same kind of action has succeeded."""
        self.settled.emit(key)

    def report(self, error: UserError | None, key: str) -> None:
        """Say what went wrong with a kind of action, or take that back where nothing did."""
        if error is None:
            self.settle(key)
        else:
            self.tell(error, key)

    def change_settings(self, settings: Settings) -> None:
        """Keep new settings."""
        self.settings = settings
        try:
            save_settings(settings)
        except UserError as error:  # they hold until the window closes
            self.tell(Notice("warning", error.message, error.remedy, key="settings"))
        else:
            self.settle("settings")
        self.settings_changed.emit()

    @property
    def device(self) -> DeviceName:
        """Where the engine shall compute: what was chosen, if the engine can use it."""
        return next((kind for kind in self.devices if kind == self.settings.device), "auto")

    def backbone(self) -> BackboneRef:
        """Return the project's backbone; UserError when it is not here."""
        name = self.project.setting("backbone", backbones.DEMO) if self.project else backbones.DEMO
        return backbones.find(self.settings, name)

    def recall_backbone(self) -> None:
        """Hash the bundled weights in a thread, so that nobody waits for it when they are first used."""
        self.background.run(
            lambda _report: backbones.find(self.settings, backbones.DEMO), lambda _answer: None
        )

    def close(self) -> None:
        """Let everything go; nothing is left to save."""
        self.undo.blockSignals(True)  # it empties itself when the pages are gone already
        self.fetches.close()
        self.background.close()
        self.jobs.close()
        self._tasks.clear()
        self.engine.close()
        self._close_project()

    def _close_project(self) -> None:
        if self.project is not None:
            for task in list(self._tasks):
                self.background.end(task)
            self.jobs.leave_project()
            self.project.close()
            self.project = None
            self._forget()

    def _record_waiting(self, project: Project) -> None:
        """Store trainings that ended while this project could not be written to."""
        numbers, errors = training_run.record_waiting(project)
        if numbers:
            self.settle(WAITS_CODE)
            one = len(numbers) == 1
            which = f"Run{'' if one else 's'} {', '.join(map(str, numbers))}"
            said = f"{which} finished earlier and {'was' if one else 'were'} added to this project."
            self.tell(Notice("success", said))
        for error in errors:
            self.tell(error)

    def _take_up_undo(self, reader: str) -> None:
        if reader not in self._undo_of:
            self._undo_of[reader] = QUndoStack(self.undo)
        self.undo.setActiveStack(self._undo_of[reader])

    def _forget_undo(self) -> None:
        """Begin with nothing to take back: another project is open."""
        self._take_up_undo("")
        for reader, stack in list(self._undo_of.items()):
            stack.clear()
            if reader:
                self.undo.removeStack(stack)
                self._undo_of.pop(reader).deleteLater()

    def _read_images(self) -> None:
        """Read all images, or only those that were written, which are then put in the place of the old."""
        stale, self._stale = self._stale, frozenset()
        if self.project is None or stale is None:
            self._take_images(() if self.project is None else self.project.images())
            return
        images = list(self._known)
        for image in self.project.images(stale):
            images[self._place_of[image.id]] = image
            if self._by_id is not None:
                self._by_id[image.id] = image
            if self._series is not None:
                stack = self._series[image.series_id]
                self._series[image.series_id] = tuple(image if o.id == image.id else o for o in stack)
        self._known = tuple(images)

    def _take_images(self, images: tuple[ProjectImage, ...]) -> None:
        self._known = images
        self._place_of = {image.id: place for place, image in enumerate(images)}
        self._series = self._by_id = None

    def _forget(self) -> None:
        self._stale, self._noted = None, False
        self._images = self._classes = self._readings = self._flags = self._measures = None

    def _on_ready(self, ready: Ready) -> None:
        self.devices, self.device_note = ready.devices, ready.device_note
        self.devices_changed.emit()

    def _apply(self, change: Change) -> Change | None:
        assert self.project is not None
        try:
            inverse = self.project.apply(change)
        except UserError as error:
            self.tell(error, "change")
            return None
        self.settle("change")
        self._changes += 1
        written = images_written(change)
        self._stale = None if written is None or self._stale is None else self._stale | written
        self._noted = True
        return inverse

    def _adopt(self, make: Callable[[], Project]) -> bool:
        try:
            project = make()
        except UserError as error:
            self.tell(error, "project")
            return False
        self.project_left.emit()
        self._close_project()
        self.project = project
        self.run.leave()
        self.reader = ""
        self._record_waiting(project)
        self._forget()
        self._forget_undo()
        self.change_settings(self.settings.with_recent(str(project.path.resolve()), _now()))
        self.project_opened.emit()
        self.run.show_newest()
        self._offered = None
        for remark in project.remarks:
            self._offered = remark.backup or self._offered
            offer = (OPEN_BACKUP, "Open backup") if remark.backup else ("", "")
            self.tell(Notice("warning", remark.message, remark.remedy, *offer))
        if project.read_only:
            self.tell(
                Notice(
                    "warning",
                    f"“{project.path.name}” is open in another window. This window is read-only.",
                    "To make changes, close the other window and reopen the project.",
                )
            )
        return True


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
