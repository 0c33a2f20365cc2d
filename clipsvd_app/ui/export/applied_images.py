"""Images that an adapter was applied to, opened from the table of predictions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.imaging.reading import read_frame
from clipsvd_app.ui.export.image_dialog import AppliedImageDialog
from clipsvd_app.ui.export.state import applied_row
from clipsvd_app.ui.viewer.controllers.frame_states import slice_line, stored_state
from clipsvd_app.ui.viewer.state import Corners, FrameState

if TYPE_CHECKING:
    from clipsvd_app.imaging.values import Frame
    from clipsvd_app.services.adapters.application import FilePrediction, NewFile
    from clipsvd_app.ui.export.page import ExportPage
    from clipsvd_app.ui.look.theme import Theme
    from clipsvd_app.ui.session.background import Answer, Task
    from clipsvd_app.ui.session.session import Session


class AppliedImagesController(QObject):
    """Keeps one window, made when the first image is opened; the newest wish wins."""

    def __init__(self, session: Session, page: ExportPage, theme: Theme) -> None:
        super().__init__(page)
        self._session, self._page, self._theme = session, page, theme
        self._rows: dict[int, FilePrediction] = {}
        self._names: tuple[str, ...] = ()
        self._stacks: dict[int, tuple[NewFile, ...]] = {}
        self._dialog: AppliedImageDialog | None = None
        self._shown: NewFile | None = None
        self._task: Task | None = None
        page.apply_tab.table.opened.connect(self.open)

    @property
    def dialog(self) -> AppliedImageDialog | None:
        """The window, once an image was opened."""
        return self._dialog

    def set_rows(self, rows: tuple[FilePrediction, ...], names: tuple[str, ...]) -> None:
        """Take note of other predictions; what is open is of the ones before."""
        self._rows = {row.file.id: row for row in rows}
        self._names = names
        stacks: dict[int, list[NewFile]] = {}
        for row in rows:
            stacks.setdefault(row.file.series, []).append(row.file)
        self._stacks = {
            series: tuple(sorted(files, key=lambda file: (file.position, file.id)))
            for series, files in stacks.items()
        }
        if self._dialog is not None:
            self._dialog.close()

    def open(self, image_id: int) -> None:
        """Show an image in its stack, with its prediction."""
        if self._dialog is None:
            self._dialog = AppliedImageDialog(self._theme, self._page.window())
            self._dialog.slice_requested.connect(self._show_slice)
            self._dialog.step_requested.connect(self._page.apply_tab.table.step)
        self._dialog.show()
        self._dialog.viewer.setFocus()
        self._show(self._rows[image_id].file)

    def _show_slice(self, index: int) -> None:
        if self._shown is not None:
            self._show(self._stacks[self._shown.series][index])

    def _show(self, file: NewFile) -> None:
        assert self._dialog is not None
        self._shown = file
        self._dialog.show_row(applied_row(self._rows[file.id]), self._names)
        if self._task is not None:
            self._task.cancel()
        self._task = self._session.background.run(
            lambda _report: read_frame(file.path, file.frame, file.series_window),
            lambda answer: self._take(file, answer),
            priority=2,
        )

    def _take(self, file: NewFile, answer: Answer) -> None:
        if answer.cancelled or self._dialog is None or self._shown is not file:
            return
        self._task = None
        if answer.error is not None:
            self._dialog.show_error(str(answer.error))
        elif answer.value is not None:
            self._dialog.show_frame(file_state(file, answer.value, self._stacks[file.series]))


def file_state(file: NewFile, frame: Frame, stack: tuple[NewFile, ...]) -> FrameState:
    """Return a frame of a file of no project as the viewer shows it; its corners name no patient."""
    number = next(place for place, other in enumerate(stack) if other.id == file.id)
    rows, columns = frame.pixels.shape[:2]
    return replace(
        stored_state(file.id, frame),
        corners=Corners(
            bottom_left=(
                *slice_line([other.position for other in stack], number, frame),
                f"{columns} × {rows}",
            )
        ),
        index=number,
        count=len(stack),
        series_key=f"applied {file.series}",
    )
