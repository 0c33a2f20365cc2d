"""All pages with their controllers, put into the window once it is on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.files import prune_caches
from clipsvd_app.services.files.job_folders import clear_old_jobs
from clipsvd_app.settings import cache_folder
from clipsvd_app.ui.explain.controller import ExplainController
from clipsvd_app.ui.explain.page import ExplainPage
from clipsvd_app.ui.explain.renewal import ExplainAgainController
from clipsvd_app.ui.export.applied_images import AppliedImagesController
from clipsvd_app.ui.export.apply_controller import ApplyController
from clipsvd_app.ui.export.controller import ExportController
from clipsvd_app.ui.export.page import ExportPage
from clipsvd_app.ui.export.report_controller import ReportController
from clipsvd_app.ui.importer.controller import ImportController
from clipsvd_app.ui.importer.patient_question import GroupingController
from clipsvd_app.ui.inspect.compare_controller import CompareController
from clipsvd_app.ui.inspect.controller import InspectController
from clipsvd_app.ui.inspect.map_controller import CaseMapController
from clipsvd_app.ui.inspect.page import InspectPage
from clipsvd_app.ui.label.classes.controller import ClassesController
from clipsvd_app.ui.label.controller import LabelController
from clipsvd_app.ui.label.files import RELINK, FilesController
from clipsvd_app.ui.label.image_menu import ImageMenuController
from clipsvd_app.ui.label.page import LabelPage
from clipsvd_app.ui.label.preview import PreviewController
from clipsvd_app.ui.label.readers.controller import (
    END_READING,
    SHOW_LABELS,
    SecondReaderController,
    while_reading,
)
from clipsvd_app.ui.label.studies.facts import StudyFactsController
from clipsvd_app.ui.leaving import LeavingController
from clipsvd_app.ui.run.case_explanations import CaseExplainer
from clipsvd_app.ui.session.image_cache import Pictures
from clipsvd_app.ui.settings.backbones_controller import BackbonesController
from clipsvd_app.ui.settings.controller import SettingsController
from clipsvd_app.ui.settings.page import SettingsPage
from clipsvd_app.ui.train.controller import TrainController
from clipsvd_app.ui.train.page import TrainPage
from clipsvd_app.ui.viewer.controllers.frames import ViewingController
from clipsvd_app.ui.viewer.controllers.headers import HeaderController
from clipsvd_app.ui.viewer.controllers.heat_map import HeatController
from clipsvd_app.ui.viewer.controllers.linked_stacks import LinkingController
from clipsvd_app.ui.viewer.controllers.measures import MeasuringController
from clipsvd_app.ui.viewer.controllers.planes import CANCEL_VOLUME, NO_VOLUME, ReformatController
from clipsvd_app.ui.welcome.controller import WelcomeController
from clipsvd_app.ui.window import WindowController

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from clipsvd_app.ui.look.theme import Theme
    from clipsvd_app.ui.session.session import Session
    from clipsvd_app.ui.shell.main_window import MainWindow


class Pages(QObject):
    """Views and controllers by name."""

    def __init__(self, session: Session, window: MainWindow, theme: Theme) -> None:
        super().__init__(window)
        self._session, self._frame = session, window
        clear_old_jobs()
        session.background.run(lambda _report: prune_caches(cache_folder()), lambda _answer: None)
        self.label, self.train = LabelPage(theme), TrainPage(theme)
        self.inspect, self.explain = InspectPage(theme), ExplainPage(theme)
        self.export, self.settings = ExportPage(theme), SettingsPage()
        for key in ("label", "train", "inspect", "explain", "export", "settings"):
            window.set_page_widget(key, getattr(self, key))
        window.lay_messages_over("label", self.label.viewer.grid)
        self.pictures = Pictures(session.background, self)
        self.explainer = CaseExplainer(session)
        self.grouping = GroupingController(window, session)
        self.importing = ImportController(session, self.grouping, self)
        self.window = WindowController(session, window, theme, self.importing)
        self.leaving = LeavingController(session, window)
        self.preview = PreviewController(session)
        self.viewing = ViewingController(session, self.label, self.pictures)
        self.reformatting = ReformatController(session, self.label.viewer, window.dismiss_notice)
        self.linking = LinkingController(session, self.label.viewer, self.viewing)
        self.measuring = MeasuringController(session, self.label.viewer)
        self.headers = HeaderController(session, self.viewing, window)
        self.heat = HeatController(session, self.label.viewer, self.explainer)
        self.classes = ClassesController(session, self.label.bins)
        self.reading = SecondReaderController(session, self.label)
        self.files = FilesController(session, window)
        self.labelling = LabelController(
            session,
            self.label,
            self.pictures,
            self.viewing,
            self.preview,
            self.importing,
            self.reading,
            self.files,
        )
        self.study_facts = StudyFactsController(session, self.label.tree)
        session.settings_changed.connect(self._name_toggles)
        self._name_toggles()
        self.files.moved_changed.connect(self.label.tree.forget_facts)
        self.menu = ImageMenuController(session, window, self.label, self.labelling.pool, self.preview)
        self._actions: dict[str, Callable[[], object]] = {
            "edit.clear_label": self.labelling.clear_selected,
            "edit.uncertain": lambda: self.labelling.mark_selected("uncertain"),
            "edit.exclude": lambda: self.labelling.mark_selected("excluded"),
            "edit.add_class": lambda: self._on_label_page(self.label.bins.start_adding),
            "edit.find": lambda: self._on_label_page(self.label.strip.focus_search),
            "view.next_panel": lambda: self._go_to_panel(1),
            "view.previous_panel": lambda: self._go_to_panel(-1),
            "edit.new_suggestions": lambda: self._on_label_page(self.label.strip.news_requested.emit),
            "view.header": lambda: self._on_label_page(self.headers.toggle),
            "image.similar": lambda: self._on_label_page(self.menu.show_similar),
            "image.show_in_folder": self.menu.show_in_folder,
            "image.change_patient": lambda: self._on_label_page(self.menu.change_patient),
            "image.remove": lambda: self._on_label_page(self.menu.remove),
            "image.menu": lambda: self._on_label_page(self.label.ask_menu),
            "edit.second_reader": self.reading.ask,
            END_READING: self.reading.close,
            "edit.compare_readers": self.reading.compare,
            "file.import_labels": self.files.ask_table_in,
            "file.export_labels": self.files.ask_table_out,
            "file.collect": self.files.collect,
            RELINK: self.files.ask_folder,
            CANCEL_VOLUME: lambda: self.label.viewer.set_layout("1"),
            "view.file_names": self.labelling.toggle_file_names,
            "view.viewer_only": self._toggle_viewer_alone,
        }
        self.welcoming = WelcomeController(session, self.label)
        self.training = TrainController(session, self.train, self.preview)
        self.inspecting = InspectController(session, self.inspect, self.pictures, self.explainer)
        self.mapping = CaseMapController(session, self.inspect)
        self.comparing = CompareController(session, self.inspect)
        self.explaining = ExplainController(session, self.explain, self.pictures, self.explainer)
        self.explaining_again = ExplainAgainController(session, self.explain, self.explaining)
        self.exporting = ExportController(session, self.export)
        self.reporting = ReportController(session, self.export)
        self._actions["file.report"] = self.reporting.open
        self.applied_images = AppliedImagesController(session, self.export, theme)
        self.applying = ApplyController(session, self.export, self.applied_images)
        self.getting = BackbonesController(session, self.settings)
        self.choosing = SettingsController(session, self.settings, theme, self.getting)
        self._connect(window)
        self._refresh()

    def _connect(self, window: MainWindow) -> None:
        self.importing.adapter_dropped.connect(self.applying.open_adapter)
        self.importing.project_wanted.connect(self._make_project)
        window.closing.connect(self.welcoming.close)  # after the session has ended its threads
        self.viewing.shown_changed.connect(lambda: window.dismiss_notice(NO_VOLUME))
        self.inspect.report_requested.connect(self.reporting.open)
        self.preview.changed.connect(self._show_preview)
        self.reading.changed.connect(self._cover)
        window.closing.connect(self.training.leave)  # after the session, which ends the engine
        window.action_triggered.connect(self._act)
        window.notice_action.connect(self._act)
        window.page_changed.connect(self._on_page)

    def _make_project(self, paths: list[Path]) -> None:
        self._frame.show_page("label")
        self.welcoming.take(paths)

    def _act(self, action: str) -> None:
        if action in self._actions:
            self._actions[action]()

    def _toggle_viewer_alone(self) -> None:
        self._on_label_page(lambda: self.label.set_viewer_alone(not self.label.viewer_alone))

    def _name_toggles(self) -> None:
        shown = self._session.settings.show_file_names
        self._frame.set_action(
            "view.file_names", enabled=True, text=f"{'Hide' if shown else 'Show'} file names"
        )

    def _on_label_page(self, act: Callable[[], None]) -> None:
        if self._session.project is not None:
            self._session.action_requested.emit("label")
            act()

    def _go_to_panel(self, step: int) -> None:
        """Give the keyboard to the next panel; the messages stand behind the last one."""
        messages = self._frame.messages
        on_label = self._session.project is not None and self._frame.current_page == "label"
        if on_label and (messages.has_focus or not self.label.is_at_end(step)):
            self.label.go_to_panel(step)
        elif not messages.has_focus and messages.enter():
            return
        else:
            self._on_label_page(lambda: self.label.go_to_panel(step))

    def _on_page(self, key: str) -> None:
        if key == "settings":
            self.choosing.refresh()

    def _cover(self) -> None:
        """Hide what would show a second reader the labels of others, and nothing else."""
        reader = self._session.reader
        self._frame.set_covered(SHOW_LABELS if reader else (), while_reading(reader))

    def _show_preview(self) -> None:
        result = self.preview.result
        accuracy = None if result is None else result.accuracy
        self.window.set_preview("" if accuracy is None else f"Preview {percent(accuracy)} balanced accuracy")

    def _refresh(self) -> None:
        self.labelling.refresh()
        self.training.refresh()
