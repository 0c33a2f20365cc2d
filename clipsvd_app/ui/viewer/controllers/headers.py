"""The header of the shown image: read from its file while its window is open, and never kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.header_listing import list_header
from clipsvd_app.ui.viewer.header_dialog import HeaderDialog

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.ui.session.background import Answer, Task
    from clipsvd_app.ui.session.session import Session
    from clipsvd_app.ui.viewer.controllers.frames import ViewingController

NOTHING_SHOWN = UserError(
    "No image is open.", remedy="Click an image in the pool first.", code="nothing_shown"
)


class HeaderController(QObject):
    """Opens one window, which follows the viewer from file to file."""

    def __init__(self, session: Session, viewing: ViewingController, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._viewing = session, viewing
        self.dialog = HeaderDialog(window)
        self._path: str | None = None
        self._task: Task | None = None
        viewing.shown_changed.connect(self._follow)
        session.project_opened.connect(self.dialog.close)
        session.project_changed.connect(self._follow)
        self.dialog.finished.connect(self._forget)

    def toggle(self) -> None:
        """Open the window on the shown image, or close it."""
        if self.dialog.isVisible():
            self.dialog.close()
        elif self._image() is None:
            self._session.tell(NOTHING_SHOWN)
        else:
            self.dialog.show()
            self._follow()

    def _image(self) -> ProjectImage | None:
        return self._session.image(self._viewing.seen)

    def _follow(self) -> None:
        if not self.dialog.isVisible():
            return
        image = self._image()
        if image is None:
            self.dialog.close()  # nothing is read of an image that has left the project
            return
        if image.path == self._path:
            return
        self._drop_task()
        self._path = image.path
        self.dialog.show_reading(image.title)
        path, title = Path(image.path), image.title
        self._task = self._session.work(
            lambda _report: list_header(path), lambda answer: self._take(title, answer), priority=2
        )

    def _take(self, title: str, answer: Answer) -> None:
        if answer.cancelled:
            return
        self._task = None
        if answer.error is not None:
            self._path = None  # looked for again, should the image be shown again
            self.dialog.show_error(title, str(answer.error))
        elif answer.value is not None:
            self.dialog.show_rows(title, answer.value)

    def _forget(self) -> None:
        self._drop_task()
        self._path = None
        self.dialog.show_reading("")

    def _drop_task(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
