"""The Settings page: backbones, prompts, device, theme, privacy, caches."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app import __version__
from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.words.numbers import file_size
from clipsvd_app.errors import UserError
from clipsvd_app.project.class_changes import ChangeClass
from clipsvd_app.services.models import backbones
from clipsvd_app.settings import cache_folder
from clipsvd_app.ui.settings.state import BackboneRow, CacheRow, SettingsState
from clipsvd_app.ui.train.devices import device_options

if TYPE_CHECKING:
    from clipsvd_app.settings import ThemeName
    from clipsvd_app.ui.look.theme import Theme
    from clipsvd_app.ui.session.session import Session
    from clipsvd_app.ui.settings.backbones_controller import BackbonesController
    from clipsvd_app.ui.settings.page import SettingsPage

CACHE_TITLES = {
    "thumbnails": "Thumbnails",
    "features": "Image features",
    "basis": "Singular value decompositions",
    "explanations": "Phrase embeddings",
}
# Shown only where there is something to clear.
PASSING_CACHE_TITLES = {
    "checkpoints": "Stopped trainings",
    "fetch": "Unfinished downloads",
    "random_backbones": "Random models for speed tests",
}


class SettingsController(QObject):
    """Every choice is kept at once."""

    def __init__(
        self, session: Session, page: SettingsPage, theme: Theme, getting: BackbonesController
    ) -> None:
        super().__init__(page)
        self._session, self._page, self._theme, self._getting = session, page, theme, getting
        page.backbones.use_requested.connect(self._use_backbone)
        page.prompts.prompts_changed.connect(self._change_prompts)
        page.look.device_chosen.connect(self._choose_device)
        page.look.theme_chosen.connect(self._choose_theme)
        page.privacy.toggled.connect(self._show_identity)
        page.labelling.toggled.connect(self._go_on_after_label)
        page.caches.clear_requested.connect(self._clear_cache)
        session.project_opened.connect(self._refresh_if_seen)
        session.project_changed.connect(self._refresh_if_seen)
        session.settings_changed.connect(self._refresh_if_seen)
        session.devices_changed.connect(self._refresh_if_seen)
        getting.offer_changed.connect(self._refresh_if_seen)

    def refresh(self) -> None:
        """Show settings and project as they are now; measures the caches, so only while seen."""
        settings, classes = self._session.settings, self._session.classes()
        self._page.set_state(
            SettingsState(
                backbones=tuple(self._row(entry) for entry in backbones.available(settings)),
                offer=self._getting.offer(),
                classes=tuple(ClassSpec(known.name, known.prompts) for known in classes),
                devices=device_options(self._session.devices),
                device=self._session.device,
                device_note=self._session.device_note,
                theme=settings.theme,
                show_identity=settings.show_identity,
                next_after_label=settings.next_after_label,
                caches=_cache_rows(),
                version=__version__,
                prompts_locked="" if classes else "Open a project with classes to edit prompts.",
            )
        )

    def _refresh_if_seen(self) -> None:
        if self._page.isVisible():
            self.refresh()

    def _row(self, entry: backbones.BackboneEntry) -> BackboneRow:
        project = self._session.project
        in_use = project is not None and project.setting("backbone", backbones.DEMO) == entry.name
        problem, sha256, parameters = "", "", None
        try:
            sha256, parameters = backbones.reference(entry).sha256, backbones.parameter_count(entry)
        except UserError as error:
            problem = str(error)
        name = "Demonstration backbone (not for clinical use)" if entry.embedded else entry.name
        return BackboneRow(
            entry.name,
            name,
            str(entry.folder),
            parameters,
            sha256,
            entry.embedded,
            in_use,
            problem,
            _removal(entry),
        )

    def _use_backbone(self, name: str) -> None:
        project = self._session.project
        if project is None:
            error = UserError("No project is open.", remedy="Open a project, then choose its backbone.")
            self._session.tell(error, "change")
            return
        try:
            project.set_setting("backbone", name)
        except UserError as error:
            self._session.tell(error, "change")
        else:
            self._session.settle("change")
        self._session.announce_change()

    def _change_prompts(self, position: int, prompts: tuple[str, ...]) -> None:
        project = self._session.project
        if project is None:
            return
        chosen = project.classes()[position]
        try:
            spec = ClassSpec(chosen.name, prompts)
        except UserError as error:
            self._session.tell(error, "change")
            return
        self._session.do(ChangeClass(chosen.id, spec, f"change the prompts of “{chosen.name}”"))

    def _choose_device(self, device: str) -> None:
        self._session.change_settings(replace(self._session.settings, device=device))

    def _choose_theme(self, name: ThemeName) -> None:
        self._theme.set_theme(name)
        self._session.change_settings(replace(self._session.settings, theme=name))

    def _go_on_after_label(self, goes_on: bool) -> None:
        self._session.change_settings(replace(self._session.settings, next_after_label=goes_on))

    def _show_identity(self, shown: bool) -> None:
        self._session.change_settings(replace(self._session.settings, show_identity=shown))

    def _clear_cache(self, key: str) -> None:
        assert key in CACHE_TITLES or key in PASSING_CACHE_TITLES
        self._session.background.run(
            lambda _report: shutil.rmtree(cache_folder() / key, ignore_errors=True),
            lambda _answer: self.refresh(),
        )


def _removal(entry: backbones.BackboneEntry) -> str:
    """Say what removing a backbone would delete."""
    if entry.folder.parent == backbones.own_folder():
        return f"Only the program's copy ({file_size(entry.size_bytes)}) will be deleted."
    return "Only the entry will be removed. The folder stays."


def _cache_rows() -> tuple[CacheRow, ...]:
    rows = [CacheRow(key, title, _size(key)) for key, title in CACHE_TITLES.items()]
    passing = [CacheRow(key, title, _size(key)) for key, title in PASSING_CACHE_TITLES.items()]
    return (*rows, *(row for row in passing if row.size_bytes))


def _size(key: str) -> int:
    folder = cache_folder() / key
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
