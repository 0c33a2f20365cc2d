"""Measures on the shown images: kept in the project, and shown again with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.project.measure_changes import SetMeasures

if TYPE_CHECKING:
    from clipsvd_app.domain.measures import Measure
    from clipsvd_app.ui.session.session import Session
    from clipsvd_app.ui.viewer.viewer import ImageViewer


class MeasuringController(QObject):
    """While a second reader reads, or another window writes, measures are on the screen only."""

    def __init__(self, session: Session, viewer: ImageViewer) -> None:
        super().__init__(viewer)
        self._session, self._viewer = session, viewer
        self._reader = session.reader
        viewer.measured.connect(self._keep)
        session.project_changed.connect(self._show)
        session.project_opened.connect(viewer.grid.forget_measures)

    def _keep(self, image_id: int, measures: tuple[Measure, ...]) -> None:
        project, kept = self._session.project, self._session.measures()
        if project is None or project.read_only or kept is None:
            return
        before = kept.get(image_id, ())
        if measures != before:
            title = "measure" if len(measures) >= len(before) else "remove measurements"
            self._session.do(SetMeasures(image_id, measures, title))

    def _show(self) -> None:
        if self._session.reader != self._reader:
            self._reader = self._session.reader
            self._viewer.grid.forget_measures()
        project, kept = self._session.project, self._session.measures()
        if project is None or project.read_only or kept is None:
            return
        for pane in self._viewer.panes_shown:
            frame = self._viewer.frame_of(pane)
            if frame is not None and not frame.derived:
                self._viewer.set_measures(kept.get(frame.image_id, ()), pane)
