"""Keeps the preview up to date with the labels; a late answer never overwrites a newer one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from clipsvd_app.jobs.answers import PreviewResult
from clipsvd_app.services.runs.preview import PreviewInputs, prepare_preview
from clipsvd_app.ui.session.engine_process import LOST
from clipsvd_app.ui.session.jobs import EngineJob, answer_of
from clipsvd_app.ui.session.notices import GONE_CODE, Notice

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.jobs.answers import Obstacle
    from clipsvd_app.jobs.lines import Failed
    from clipsvd_app.project import Project
    from clipsvd_app.ui.session.session import Session

PAUSE_MS = 300


class PreviewController(QObject):
    """Signal: ``changed()`` when there is a newer ``result``."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self.result: PreviewResult | None = None
        self.query = ""
        self._inputs = PreviewInputs()
        self._running = False
        self._wanted = False
        self._state: object = None  # what the result displayed was asked for
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self._submit)
        session.project_opened.connect(self._on_opened)
        session.project_changed.connect(self._on_changed)
        session.engine.ready.connect(lambda _ready: self._pause.start())

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
        self.query = ""
        self._show(None)
        self._pause.start()

    def _on_changed(self) -> None:
        """Forget probabilities of classes that are others by now, and ask again."""
        if self.result is not None and self._state != self._state_now():
            self._show(None)
        self._pause.start()

    def _state_now(self) -> object:
        """Return what an answer must fit: probabilities go by the order of classes."""
        return self._session.classes(), self._session.reader, self.query

    def _submit(self) -> None:
        if self._running:
            self._wanted = True
            return
        if self._session.project is None or self._session.reader:
            return
        state = self._state_now()
        job = self._session.jobs.run(
            EngineJob(
                key="preview",
                make=self._request,
                read=answer_of(PreviewResult),
                take=lambda result: self._take(state, result),
                failed=self._fail,
                cancelled=self._go_on,
            )
        )
        if job is not None:
            self._running, self._wanted = True, False

    def _request(self) -> Path | None:
        session = self._session
        folder = prepare_preview(
            session.classes(),
            session.images(),
            session.backbone(),
            self.query,
            session.device,
            self._inputs,
        )
        if folder is None:
            self._show(None)
        return folder

    def _take(self, state: object, result: PreviewResult) -> None:
        project = self._session.project
        # a key that waits comes between reading and showing
        QTimer.singleShot(0, self, lambda: self._accept(state, result, project))

    def _fail(self, failed: Failed) -> None:
        if failed.code not in (LOST.code, GONE_CODE):
            self._session.tell(Notice("warning", failed.message, failed.remedy, key="preview"))
        self._go_on()

    def _accept(self, state: object, result: PreviewResult, project: Project | None) -> None:
        if project is self._session.project and state == self._state_now():
            self._state = state
            self._show(result)
        self._go_on()

    def _go_on(self) -> None:
        self._running = False
        if self._wanted:
            QTimer.singleShot(0, self, self._submit)

    def _show(self, result: PreviewResult | None) -> None:
        before, self.result = self.result, result
        if before is not result:
            self.changed.emit()
        self._say_obstacles(() if before is None else before.obstacles)

    def _say_obstacles(self, before: tuple[Obstacle, ...]) -> None:
        """Say which prompts the model cannot use, once, on whatever page they were written."""
        found = () if self.result is None else self.result.obstacles
        if before and not found:
            self._session.settle("prompts")
        elif found != before:
            self._session.tell(Notice("warning", found[0].message, found[0].remedy, key="prompts"))
