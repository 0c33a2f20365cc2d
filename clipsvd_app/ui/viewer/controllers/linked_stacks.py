"""Where the stacks beside each other lie in the patient, so that they can be scrolled by millimetres."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.imaging.reading import read_header
from clipsvd_app.imaging.series.placing import axis_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.imaging.series.placing import Axis
    from clipsvd_app.ui.session.background import Answer
    from clipsvd_app.ui.session.session import Session
    from clipsvd_app.ui.viewer.controllers.frames import ViewingController
    from clipsvd_app.ui.viewer.viewer import ImageViewer

SIDE_BY_SIDE = ("2", "4")


class LinkingController(QObject):
    """Reads the headers of a series once it stands beside another; they are kept while nothing changes."""

    def __init__(self, session: Session, viewer: ImageViewer, viewing: ViewingController) -> None:
        super().__init__(viewer)
        self._session, self._viewer = session, viewer
        self._axes: dict[tuple[int, ...], Axis | None] = {}
        self._asked: set[tuple[int, ...]] = set()
        viewing.series_shown.connect(self._on_series)
        viewer.layout_changed.connect(lambda _name: self._all())
        session.project_opened.connect(self._forget)

    def _all(self) -> None:
        for pane in self._viewer.panes_shown:
            self._on_series(pane)

    def _on_series(self, pane: int) -> None:
        """Give a pane the axis of what it shows, or read it."""
        stack = self._stack(pane)
        if len(stack) < 2 or self._viewer.layout_name not in SIDE_BY_SIDE:
            return
        key = tuple(image.id for image in stack)
        if key in self._axes:
            self._viewer.set_axis(self._axes[key], pane)
        elif key not in self._asked:
            self._asked.add(key)
            self._session.work(
                lambda report: read_axis(stack, report), lambda answer: self._take(key, answer), priority=1
            )

    def _stack(self, pane: int) -> tuple[ProjectImage, ...]:
        frame = self._viewer.frame_of(pane)
        shown = None if frame is None else self._session.image(frame.image_id)
        return () if shown is None else self._session.stack_of(shown)

    def _take(self, key: tuple[int, ...], answer: Answer) -> None:
        self._asked.discard(key)
        if answer.cancelled:
            return
        self._axes[key] = answer.value  # None too where a file could not be read: steps are left
        for pane in self._viewer.panes_shown:
            if tuple(image.id for image in self._stack(pane)) == key:
                self._viewer.set_axis(answer.value, pane)

    def _forget(self) -> None:
        self._axes.clear()
        self._asked.clear()


def read_axis(stack: Sequence[ProjectImage], report: Callable[[int, int], None]) -> Axis | None:
    """Read the headers of a stack and return where its slices lie, in its order."""
    headers = {}
    for number, image in enumerate(stack):
        report(number, len(stack))
        path = Path(image.path)
        if path not in headers:
            headers[path] = read_header(path)
    return axis_of([(Path(image.path), image.frame) for image in stack], headers)
