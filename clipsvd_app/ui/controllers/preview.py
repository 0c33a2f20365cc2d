"""Keeps the preview up to date with the labels; a late answer never overwrites a newer one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from clipsvd_app.errors import UserError
from clipsvd_app.jobs import Failed, Finished, PreviewResult, read_result
from clipsvd_app.services.job_folders import forget_job
from clipsvd_app.services.previewing import prepare_preview
from clipsvd_app.ui.notices import Notice

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.jobs import CancelledEvent, Obstacle
    from clipsvd_app.ui.session import Session

PAUSE_MS = 300


class PreviewController(QObject):
    """Signal: ``changed()`` when there is a newer ``result``."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self.result: PreviewResult | None = None
        self.query = ""
        self._running = False
        self._wanted = False
        self._project = 0
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self._submit)
        session.project_opened.connect(self._on_opened)
        session.project_changed.connect(self._pause.start)

    @property
    def is_waiting(self) -> bool:
        """Whether another answer is under way or asked for, so that this one is not yet the newest."""
        return self._running or self._wanted

    def search(self, text: str) -> None:
        """Order the pool by likeness to a text; an empty one ends the search."""
        if text != self.query:
            self.query = text
            self._submit()

    def _on_opened(self) -> None:
        self._project += 1
        self.result, self.query = None, ""
        self.changed.emit()
        self._pause.start()

    def _submit(self) -> None:
        if self._running:
            self._wanted = True
            return
        if self._session.project is None or self._session.reader:
            return
        try:
            folder = prepare_preview(
                self._session.classes(),
                self._session.images(),
                self._session.backbone(),
                self.query,
                self._session.device,
            )
        except UserError as error:
            self._session.tell(error)
            return
        if folder is None:
            self.result = None
            self.changed.emit()
            return
        self._running, self._wanted = True, False
        project = self._project
        self._session.engine.submit(folder, lambda event: self._take(project, folder, event))

    def _take(self, project: int, folder: Path, event: Finished | Failed | CancelledEvent) -> None:
        self._running = False
        if isinstance(event, Finished) and project == self._project:
            before, self.result = self.result, read_result(folder, PreviewResult)
            self.changed.emit()
            self._say_obstacles(() if before is None else before.obstacles)
        elif isinstance(event, Failed) and event.code != "engine_lost":
            self._session.tell(Notice("warning", event.message, event.remedy, key="preview"))
        forget_job(folder)
        if self._wanted:
            self._submit()

    def _say_obstacles(self, before: tuple[Obstacle, ...]) -> None:
        """Say which prompts the model cannot use, once, on whatever page they were written."""
        assert self.result is not None
        if self.result.obstacles and self.result.obstacles != before:
            first = self.result.obstacles[0]
            self._session.tell(Notice("warning", first.message, first.remedy, key="prompts"))
