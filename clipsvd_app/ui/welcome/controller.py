"""The window without a project: recent ones at a glance, and a project made from what is dropped."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QStandardPaths
from PySide6.QtWidgets import QFileDialog

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import file_size
from clipsvd_app.errors import UserError
from clipsvd_app.imaging.files.archives import passing_folder
from clipsvd_app.imaging.files.left_out import quiet_words
from clipsvd_app.project import Project, create_project, draft_project
from clipsvd_app.services.labels.class_folders import (
    ClassFolders,
    FolderChoice,
    chosen_files,
    class_folders,
    labels_by_content,
)
from clipsvd_app.services.models import backbones
from clipsvd_app.services.projects.new_project import (
    PROJECTS_FOLDER,
    Place,
    forget_unpacked,
    moved_unpacked,
    place_fault,
    suggested_place,
    unmake,
)
from clipsvd_app.services.projects.recent import RecentProject, look_at
from clipsvd_app.services.studies.found_files import FilesRead, read_files
from clipsvd_app.services.studies.import_plan import labelled_import, plan_groups
from clipsvd_app.services.studies.rule_preview import preview_groups
from clipsvd_app.settings import data_folder
from clipsvd_app.ui.importer.controller import BETWEEN_NOTICES_S, labelled_words, told_outcome
from clipsvd_app.ui.importer.patient_question import NO_TABLE, SETTING, chosen_rule
from clipsvd_app.ui.session.background import Background
from clipsvd_app.ui.session.image_cache import THUMBNAIL_PX, to_qimage
from clipsvd_app.ui.session.notices import Notice
from clipsvd_app.ui.session.state import LongJob
from clipsvd_app.ui.welcome.state import PlaceState, RecentState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clipsvd_app.services.studies.import_plan import ImportPlan
    from clipsvd_app.ui.kit.page_parts import Level
    from clipsvd_app.ui.label.page import LabelPage
    from clipsvd_app.ui.session.background import Answer, Task
    from clipsvd_app.ui.session.session import Session

MOST_SENTENCES = 12
_KEY = "new_project"


@dataclass(frozen=True, slots=True)
class _Dropped:
    """What was read, before there is a project for it. draft: an empty one to plan with."""

    paths: tuple[Path, ...]
    read: FilesRead
    folders: ClassFolders | None
    draft: Project


_READING = LongJob("label", "Reading files", "No project has been created yet.")
_MAKING = LongJob("label", "Creating the project", "The project will not be created.")


class WelcomeController(QObject):
    """Fills the welcome page and the page that makes a project."""

    def __init__(self, session: Session, page: LabelPage) -> None:
        super().__init__(page)
        self._session, self._page, self._form = session, page, page.new_project
        self._looking = Background(
            threads=1, parent=self
        )  # a drive that does not answer holds up nothing else
        self._looks: dict[str, RecentProject] = {}
        self._looked = 0
        self._paths: tuple[Path, ...] = ()
        self._dropped: _Dropped | None = None
        self._place = Place(Path.home(), "")
        self._model = backbones.DEMO
        self._task: Task | None = None
        self._making: Project | None = None
        self._told_s = 0.0
        self._connect()
        self.show_recent()

    @property
    def busy(self) -> bool:
        """Whether files are read or a project is being made."""
        return self._task is not None

    def take(self, paths: Sequence[Path]) -> None:
        """Read what was dropped, together with what was dropped before it."""
        if self._making is not None:
            self._session.tell(
                Notice("warning", "A project is being created.", "Try again when it is open.", key=_KEY)
            )
            return
        if self._task is not None:
            self._task.cancel()
        wanted = self._paths = tuple(dict.fromkeys([*self._paths, *paths]))
        self._form.show_reading(0, 0)
        self._page.show_new_project()

        def look(report: Callable[[int, int], None]) -> tuple[FilesRead, ClassFolders | None]:
            read = read_files(wanted, report)
            return read, class_folders(wanted, read, passing_folder())

        self._task = self._session.work(
            look, lambda answer: self._take_files(wanted, answer), self._advance, 1, shown=_READING
        )

    def cancel(self) -> None:
        """Leave nothing behind, and go back to the welcome page."""
        if self._making is not None and self._task is not None:
            self._task.cancel()  # the project goes when its thread has stopped
            return
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._forget()
        self._page.leave_new_project()

    def create(self) -> None:
        """Make the project and fill it, in a thread; it is opened whole or not at all."""
        dropped, place = self._dropped, self._place
        if dropped is None or self._making is not None:
            return
        rule_text = self._form.patients.rule
        try:
            rule = chosen_rule(rule_text)
            if fault := place_fault(place, dropped.paths):
                raise fault
            project = create_project(place.path)
        except UserError as error:
            self._show_place(error)
            return
        project.set_setting("backbone", self._model)
        if not rule_text.startswith("csv:"):
            project.set_setting(SETTING, rule_text)
        choice, read = self._choice(), self._chosen(dropped)
        labels = {} if dropped.folders is None else labels_by_content(read, dropped.folders, choice)
        self._making = project
        self._form.show_reading(0, 0, "Creating the project")

        def make(report: Callable[[int, int], None]) -> ImportPlan:
            report(0, 0)
            own = moved_unpacked(read, passing_folder(), project.images_folder)
            plan = plan_groups(project, own, rule, report)
            report(0, 0)
            return plan

        self._task = self._session.work(
            make, lambda answer: self._take_plan(project, labels, answer), shown=_MAKING
        )

    def close(self) -> None:
        """End what is under way; a project that is not whole yet goes."""
        self._looking.close()
        if self._making is not None:
            unmake(self._making)
            self._making = None
        self._forget()

    def show_recent(self) -> None:
        """Show the recent projects, and look at them in a thread."""
        self._looked += 1
        turn = self._looked
        paths = self._session.settings.recent_projects
        self._looks = {path: look for path, look in self._looks.items() if path in paths}
        self._show_cards()
        if self._session.project is not None:
            return
        for path in paths:
            self._look_at(path, turn)

    def _look_at(self, path: str, turn: int) -> None:
        self._looking.run(
            lambda report: look_at(path, THUMBNAIL_PX, lambda: report(0, 0)),
            lambda answer: self._take_look(turn, answer),
        )

    def _connect(self) -> None:
        form, welcome = self._form, self._page.welcome
        form.cancel_requested.connect(self.cancel)
        form.create_requested.connect(self.create)
        form.place_requested.connect(self._ask_place)
        form.name_changed.connect(self._rename)
        form.model_chosen.connect(self._choose_model)
        form.classes.changed.connect(self._show_chosen)
        form.patients.rule_changed.connect(lambda _rule: self._show_groups())
        welcome.recent.opened.connect(lambda path: self._session.open_project(Path(path)))
        welcome.recent.forgotten.connect(self._forget_recent)
        self._session.project_opened.connect(self._on_opened)
        self._session.settings_changed.connect(self._show_cards)

    def _on_opened(self) -> None:
        """Another project was opened meanwhile: what was dropped is not wanted any more."""
        self._looked += 1
        if self._making is None:
            self.cancel()

    # what was dropped

    def _advance(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._told_s >= BETWEEN_NOTICES_S or done == total:
            self._told_s = now
            self._form.show_reading(done, total)

    def _take_files(self, paths: tuple[Path, ...], answer: Answer) -> None:
        if paths != self._paths:
            return  # more was dropped meanwhile
        self._task = None
        if answer.error is None and not answer.cancelled and not answer.value[0].found:
            read: FilesRead = answer.value[0]
            said = [item.sentence for item in read.left_out if item.sentence]
            answer = replace(
                answer, error=UserError(f"No file could be read: {said[0]}", remedy="", code=_KEY)
            )
        if answer.error is not None or answer.cancelled:
            if answer.error is not None:
                self._session.tell(answer.error)
            self._forget()
            self._page.leave_new_project()
            return
        read, folders = answer.value
        self._place = suggested_place(paths, self._folders())
        self._dropped = _Dropped(paths, read, folders, draft_project(self._place.path))
        self._fill()

    def _fill(self) -> None:
        dropped = self._dropped
        assert dropped is not None
        form, folders = self._form, dropped.folders
        form.set_has_folders(folders is not None)
        if folders is not None:
            suggested = folders.suggested()
            form.classes.set_folders(folders.folders, suggested.as_classes, suggested.left_out)
        form.patients.set_rule("header")
        self._choose_model(backbones.DEMO)
        self._show_place()
        self._show_chosen()
        form.show_form()

    def _choice(self) -> FolderChoice:
        return FolderChoice(self._form.classes.as_classes, self._form.classes.left_out)

    def _chosen(self, dropped: _Dropped) -> FilesRead:
        return (
            dropped.read
            if dropped.folders is None
            else chosen_files(dropped.read, dropped.folders, self._choice())
        )

    def _show_chosen(self) -> None:
        """Show how many images there are now, what is left out, and who the patients are."""
        if (dropped := self._dropped) is None:
            return
        read = self._chosen(dropped)
        self._form.set_source(sum(item.header.frames for item in read.found), _source(dropped.paths))
        self._form.set_left_out(tuple(_left_out(read)))
        self._show_groups()

    def _show_groups(self) -> None:
        if (dropped := self._dropped) is None:
            return
        pane = self._form.patients
        try:
            pane.show_preview(preview_groups(dropped.draft, self._chosen(dropped), chosen_rule(pane.rule)))
        except UserError as error:
            level: Level = "info" if error.code == NO_TABLE else "error"
            pane.show_error(error.message, error.remedy, level)

    # where and with what

    def _folders(self) -> tuple[Path, ...]:
        """Return where a project may go, the likeliest first."""
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        recent = (Path(path).parent for path in self._session.settings.recent_projects[:3])
        used = tuple(folder for folder in recent if folder.is_dir() and folder != data_folder() / "demo")
        own = (Path(documents) / PROJECTS_FOLDER,) if documents else ()
        return (*used, *own, Path.home() / PROJECTS_FOLDER, data_folder() / PROJECTS_FOLDER)

    def _rename(self, name: str) -> None:
        self._place = replace(self._place, name=name)
        self._show_place()

    def _ask_place(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self._form, "Where should the project be saved?", str(self._place.folder)
        )
        if folder:
            self.put_into(Path(folder))

    def put_into(self, folder: Path) -> None:
        """Make the project in this folder."""
        self._place = replace(self._place, folder=folder)
        self._show_place()

    def _show_place(self, error: UserError | None = None) -> None:
        if self._dropped is not None:
            fault = error or place_fault(self._place, self._dropped.paths)
            said = "" if fault is None else str(fault)
            self._form.set_place(PlaceState(self._place.name, str(self._place.folder), said))

    def _choose_model(self, name: str) -> None:
        self._model = name
        self._form.models.set_choices(tuple(_models(self._session)), name)

    # the project

    def _take_plan(self, project: Project, labels: dict[tuple[str, int], str], answer: Answer) -> None:
        self._task = None
        plan: ImportPlan | None = answer.value
        if plan is None or answer.cancelled or not self._session.adopt_project(project):
            self._making = None
            unmake(project)
            if answer.error is not None:
                self._session.tell(answer.error)
            self.cancel()
            return
        self._making = None
        change = labelled_import(project, plan, labels)
        if change is not None:
            self._session.do(change)
        self._forget()
        self._page.leave_new_project()
        self._session.action_requested.emit("label")
        self._session.tell(told_outcome(plan, labelled_words(labels)))

    def _forget(self) -> None:
        if self._dropped is not None:
            forget_unpacked(self._dropped.read, passing_folder())
            self._dropped.draft.close()
        self._dropped = None
        self._paths = ()

    # recent projects

    def _take_look(self, turn: int, answer: Answer) -> None:
        if turn != self._looked or answer.value is None:
            return
        look: RecentProject = answer.value
        self._looks[look.path] = look
        self._show_cards()
        self._page.welcome.recent.set_pictures(look.path, tuple(map(to_qimage, look.pictures)))

    def _show_cards(self) -> None:
        settings = self._session.settings
        opened = dict(settings.opened)
        states = [
            _card(path, self._looks.get(path), opened.get(path, "")) for path in settings.recent_projects
        ]
        self._page.welcome.set_recent(states)

    def _forget_recent(self, path: str) -> None:
        self._session.change_settings(self._session.settings.without_recent(path))
        self._page.welcome.setFocus()


def _card(path: str, look: RecentProject | None, opened: str) -> RecentState:
    name, when = Path(path).stem, _when(opened)
    if look is None:
        return RecentState(path, name, "", when)
    holds = f"{counted(look.images, 'image')} · {counted(look.classes, 'class', 'classes')}"
    return RecentState(path, name, holds, when, look.fault)


def _when(moment: str) -> str:
    """Return when a project was opened last, by days; nothing where that is not known."""
    try:
        day = dt.datetime.fromisoformat(moment).astimezone().date()
    except ValueError:
        return ""
    days = (dt.datetime.now().astimezone().date() - day).days
    if days in (0, 1):
        return "Opened today" if days == 0 else "Opened yesterday"
    return f"Opened {day.day} {day:%B %Y}"


def _source(paths: Sequence[Path]) -> str:
    names = ", ".join(path.name for path in paths[:3])
    return f"From {names}{f' and {len(paths) - 3} more' if len(paths) > 3 else ''}"


def _left_out(read: FilesRead) -> list[str]:
    """Return one line for each group that is left out, then the sentences of the files refused."""
    counts: Counter[str] = Counter()
    for item in read.left_out:
        counts[item.reason] += 0 if item.sentence else item.count
    said = [item.sentence for item in read.left_out if item.sentence]
    lines = [f"{words}." for words in (quiet_words(counts),) if words]
    more = [f"{len(said) - MOST_SENTENCES} more files were rejected."] if len(said) > MOST_SENTENCES else []
    return [*lines, *said[:MOST_SENTENCES], *more, *read.notes]


def _models(session: Session) -> list[tuple[str, str, str, str]]:
    """Return a choice for every backbone that is here, with a word on it."""
    choices = []
    for entry in backbones.available(session.settings):
        if entry.embedded:
            choices.append(
                (
                    entry.name,
                    "Demonstration model (bundled)",
                    "Small and fast, for trying the program.",
                    file_size(entry.size_bytes),
                )
            )
        elif entry.usable:
            choices.append((entry.name, entry.name, "Added by you", file_size(entry.size_bytes)))
    return choices
