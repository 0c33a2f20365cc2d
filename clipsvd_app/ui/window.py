"""The frame: menus, title, status, notices, and which page is shown when."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox

from clipsvd_app import __version__
from clipsvd_app.adapter_file.names import FILE_FILTER
from clipsvd_app.domain.project_values import relabelled
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.notice import NOT_FOR_DIAGNOSIS
from clipsvd_app.errors import UserError
from clipsvd_app.settings import data_folder
from clipsvd_app.ui.importer.controller import CANCEL_IMPORT
from clipsvd_app.ui.importer.rule_change import CHANGE_PATIENTS
from clipsvd_app.ui.session.engine_process import GONE
from clipsvd_app.ui.session.notices import OPEN_PREFIX, START_ENGINE, Notice, failure_notice
from clipsvd_app.ui.session.session import OPEN_BACKUP
from clipsvd_app.ui.session.state import Segment, StatusState, TitleState

if TYPE_CHECKING:
    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.jobs.lines import Ready
    from clipsvd_app.project import Project
    from clipsvd_app.settings import ThemeName
    from clipsvd_app.ui.importer.controller import ImportController
    from clipsvd_app.ui.look.theme import Theme
    from clipsvd_app.ui.session.background import Answer
    from clipsvd_app.ui.session.session import Session
    from clipsvd_app.ui.shell.main_window import MainWindow

PROJECTS = "CLIP-SVD projects (*.clipsvd)"
IMAGES = "Images (*)"
PAGES = ("label", "train", "inspect", "explain", "export", "settings")
ABOUT = (
    f"<b>CLIP-SVD Studio {__version__}</b><p>Adapts a biomedical vision-language model to your"
    " classes from a few"
    " labelled images, by training the singular values of its weights, from the answers of a linear"
    " probe where that is better.</p>"
    "<p>Method: T. Koleilat, H. Rivaz, Y. Xiao, <i>CLIP-SVD: Efficient and Interpretable"
    " Vision-Language Adaptation via Singular Values</i>, Transactions on Machine Learning Research,"
    f" 2026.</p><p>Apache-2.0. {NOT_FOR_DIAGNOSIS}</p>"
)


class WindowController(QObject):
    """Carries out the commands that concern the whole window."""

    def __init__(
        self, session: Session, window: MainWindow, theme: Theme, importing: ImportController
    ) -> None:
        super().__init__(window)
        self._session, self._window, self._theme = session, window, theme
        self._importing = importing
        self._engine = Segment("Engine starting", "busy")
        self._device = Segment()
        self._preview = Segment()
        self._counted: tuple[ProjectImage, ...] = ()
        self._patients = 0
        self._actions = {
            "file.new": self._new,
            "file.open": self._open,
            "file.add_studies": self._add_studies,
            "file.add_folder": self._add_folder,
            "file.open_adapter": self._open_adapter,
            "edit.undo": session.undo.undo,
            "edit.redo": session.undo.redo,
            "view.theme": self._switch_theme,
            "help.about": self._show_about,
            CANCEL_IMPORT: importing.cancel,
            CHANGE_PATIENTS: importing.regrouping.change,
            OPEN_BACKUP: session.open_backup,
            "demo": self.open_demo,
            START_ENGINE: self._start_engine,
            "new": self._new,
            "open": self._open,
        }
        window.action_triggered.connect(self.act)
        window.notice_action.connect(self.act)
        window.paths_dropped.connect(importing.take)
        window.recent_requested.connect(lambda path: session.open_project(Path(path)))
        window.closing.connect(session.close)
        session.notice.connect(window.show_notice)
        session.settled.connect(window.dismiss_notice)
        session.project_left.connect(window.messages.leave_project)
        session.action_requested.connect(self.act)
        session.project_opened.connect(self.refresh)
        session.project_changed.connect(self.refresh)
        session.settings_changed.connect(self._show_recent)
        session.engine.ready.connect(self._on_ready)
        session.engine.lost.connect(self._on_lost)
        session.engine.given_up.connect(self._on_given_up)
        session.undo.canUndoChanged.connect(lambda _can: self._show_undo())
        session.undo.canRedoChanged.connect(lambda _can: self._show_undo())
        session.undo.indexChanged.connect(lambda _index: self._show_undo())
        self._show_undo()
        self._show_recent()
        self.refresh()

    def act(self, action: str) -> None:
        """Carry out a command by its id, or show the page of that name."""
        if action in PAGES:
            self._window.show_page(action)
        elif action in self._actions:
            self._actions[action]()
        elif action.startswith(OPEN_PREFIX):
            self._session.open_project(Path(action.removeprefix(OPEN_PREFIX)))

    def set_preview(self, text: str) -> None:
        """Show the preview's accuracy in the status bar."""
        self._preview = Segment(text, "quiet", "Leave-one-patient-out estimate from the current labels")
        self.refresh()

    def open_demo(self) -> None:
        """Open the demo project, drawing its studies the first time."""
        from clipsvd_app.services.projects.demo import open_demo

        before = self._session.project
        self._session.background.run(
            lambda report: open_demo(data_folder() / "demo", report),
            lambda answer: self._on_demo(answer, before),
            self._show_drawing,
        )

    def refresh(self) -> None:
        """Show title and status as they are now."""
        project = self._session.project
        if project is None:
            self._window.set_title(TitleState())
        else:
            images = self._session.images()
            labelled = len([True for image in images if image.class_id is not None])
            if relabelled(self._counted, images) is None:
                self._patients = len({image.patient_key for image in images})
            self._counted = images
            detail = (
                f"{counted(self._patients, 'patient')} · {counted(len(images), 'image')}"
                f" · {labelled:,} labelled"
            )
            self._window.set_title(TitleState(project.path.stem, detail, project.read_only))
        self._window.set_status(self._status())

    def _status(self) -> StatusState:
        project = self._session.project
        if project is None:
            return StatusState(self._engine, self._device)
        return StatusState(
            self._engine,
            self._device,
            Segment(f"Backbone: {project.setting('backbone', 'demo')}"),
            self._preview,
            Segment("Read only", "warning")
            if project.read_only
            else Segment("All changes saved", "good", str(project.path)),
        )

    def _on_ready(self, ready: Ready) -> None:
        self._window.dismiss_notice(GONE.code)
        self._engine = Segment(
            "Engine ready", "good", ", ".join(f"{k} {v}" for k, v in ready.versions.items())
        )
        self._device = Segment(
            ready.device.replace("cpu", "CPU", 1),
            "warning" if ready.device_note else "quiet",
            ready.device_note or "Device used by the engine",
        )
        self.refresh()

    def _on_given_up(self) -> None:
        self._engine = Segment("Engine stopped", "error")
        self.refresh()
        self._session.tell(failure_notice(GONE))

    def _start_engine(self) -> None:
        self._engine = Segment("Engine starting", "busy")
        self.refresh()
        self._session.engine.start_again()

    def _on_lost(self) -> None:
        self._engine = Segment("Engine restarting", "warning")
        self.refresh()

    def _on_demo(self, answer: Answer, before: Project | None) -> None:
        self._window.dismiss_notice("demo")
        if answer.error is not None:
            self._session.tell(answer.error, "demo")
        elif answer.value is not None and self._session.project is not before:
            self._session.tell(Notice("info", "The demo project is ready.", "", "demo", "Open", key="demo"))
        elif answer.value is not None and self._session.open_project(answer.value.path):
            self._window.show_page("label")
            if answer.value.note:
                self._session.tell(Notice("info", answer.value.note, key="demo"))

    def _show_drawing(self, done: int, total: int) -> None:
        words = f"Drawing the demo films: {done:,} of {total:,}."
        self._window.show_notice(
            Notice("info", words, "This happens only once.", key="demo", progress=(done, total))
        )

    def _show_undo(self) -> None:
        stack = self._session.undo_stack
        self._window.set_action("edit.undo", enabled=stack.canUndo(), text=f"Undo {stack.undoText()}".strip())
        self._window.set_action("edit.redo", enabled=stack.canRedo(), text=f"Redo {stack.redoText()}".strip())

    def _show_recent(self) -> None:
        self._window.set_recent_projects(self._session.settings.recent_projects)

    def _show_about(self) -> None:
        box = QMessageBox(self._window)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle("About CLIP-SVD Studio")
        box.setTextFormat(Qt.TextFormat.RichText)  # our own words only
        box.setText(ABOUT)
        box.open()

    def _switch_theme(self) -> None:
        name: ThemeName = "light" if self._theme.palette.name == "dark" else "dark"
        self._theme.set_theme(name)
        self._session.change_settings(replace(self._session.settings, theme=name))

    def _new(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self._window, "New project", "New project.clipsvd", PROJECTS)
        if path:
            if Path(path).exists():
                self._session.tell(
                    UserError(
                        f"“{Path(path).name}” already exists.", remedy="Open it, or choose another name."
                    ),
                    "project",
                )
            elif self._session.new_project(Path(path)):
                self._window.show_page("label")

    def _open(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self._window, "Open project", "", PROJECTS)
        if path:
            self._session.open_project(Path(path))

    def _add_studies(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self._window, "Add studies", "", IMAGES)
        self._importing.take(paths)

    def _add_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self._window, "Add folder")
        self._importing.take([folder] if folder else [])

    def _open_adapter(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self._window, "Open adapter", "", FILE_FILTER)
        if path:
            self._importing.adapter_dropped.emit(path)
