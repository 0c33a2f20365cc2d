"""Three planes of the shown series: reads its slices into one block and cuts it as the user scrolls."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.imaging.files.known_hashes import require_content
from clipsvd_app.imaging.series.volume import read_stack
from clipsvd_app.imaging.values import Frame
from clipsvd_app.ui.session.notices import Notice
from clipsvd_app.ui.viewer.controllers.frame_states import badge_of, caution_of, kind_of, presets_of
from clipsvd_app.ui.viewer.reslice import Array, Plane, Voxel, evenly_spaced, planes_of
from clipsvd_app.ui.viewer.state import Corners, FrameState

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.ui.session.background import Answer, Task
    from clipsvd_app.ui.session.session import Session
    from clipsvd_app.ui.viewer.viewer import ImageViewer

_KEY = "volume"
CANCEL_VOLUME = "cancel_volume"
NO_VOLUME = "no_volume"  # what a refusal to cut planes is called
BETWEEN_NOTICES_S = 0.3
NO_DISTANCE = "Slice distance unknown: shapes may be distorted, lengths are not available."


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Voxels at even distances, and the image of the project that each slice is nearest to."""

    voxels: Array
    spacing_mm: tuple[float, float, float] | None
    spacing_guessed: bool
    planes: tuple[Plane, Plane, Plane]
    image_ids: tuple[int, ...]
    first: Frame

    @property
    def shape(self) -> Voxel:
        """Slices, rows, columns."""
        slices, rows, columns = self.voxels.shape
        return slices, rows, columns


class ReformatController(QObject):
    """Owns the volume while the viewer shows three planes of it."""

    def __init__(self, session: Session, viewer: ImageViewer, dismiss: Callable[[str], None]) -> None:
        super().__init__(viewer)
        self._session, self._viewer, self._dismiss = session, viewer, dismiss
        self._volume: Volume | None = None
        self._at: Voxel = (0, 0, 0)
        self._task: Task | None = None
        self._told_s = 0.0
        viewer.layout_changed.connect(self._on_layout)
        viewer.slice_requested.connect(self._on_slice)
        viewer.pointed.connect(self._on_pointed)

    def _on_layout(self, name: str) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
            self._dismiss(_KEY)
        self._volume = None
        frame = self._viewer.frame_of(0)
        if name != "mpr" or frame is None:
            return
        images = self._session.images()
        shown = next((image for image in images if image.id == frame.image_id), None)
        if shown is None:
            return
        stack = [image for image in images if image.series_id == shown.series_id]
        self._told_s = time.monotonic()
        self._task = self._session.work(
            lambda report: volume_of(stack, report),
            lambda answer: self._take(answer, shown.id),
            self._show_progress,
            priority=2,
        )

    def _show_progress(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._task is not None and now - self._told_s >= BETWEEN_NOTICES_S:
            self._told_s = now
            words = f"Reading the volume: {done:,} of {counted(total, 'slice')}."
            told = Notice("info", words, "", CANCEL_VOLUME, "Cancel", _KEY, (done, total))
            self._session.tell(told)

    def _take(self, answer: Answer, image_id: int) -> None:
        if answer.cancelled or self._viewer.layout_name != "mpr":
            return
        self._task = None
        self._dismiss(_KEY)
        if answer.error is not None:
            self._viewer.set_layout("1")
            self._session.tell(answer.error, NO_VOLUME)
            return
        self._session.settle(NO_VOLUME)
        chosen = self._viewer.grid.panes[0].window_spec
        volume: Volume = answer.value
        self._volume = volume
        slices, rows, columns = volume.shape
        near = volume.image_ids.index(image_id) if image_id in volume.image_ids else slices // 2
        self._at = (near, rows // 2, columns // 2)
        self._show()
        if chosen is not None:
            self._viewer.pane.set_window(chosen)

    def _on_slice(self, pane: int, index: int) -> None:
        if self._volume is not None and pane < len(self._volume.planes):
            moved = list(self._at)
            moved[self._volume.planes[pane].axis] = index
            self._at = (moved[0], moved[1], moved[2])
            self._show()

    def _on_pointed(self, pane: int, column: float, row: float) -> None:
        if self._volume is not None and pane < len(self._volume.planes):
            self._at = self._volume.planes[pane].voxel_at((column, row), self._at, self._volume.shape)
            self._show()

    def _show(self) -> None:
        volume = self._volume
        assert volume is not None
        image_id = volume.image_ids[self._at[0]]
        image = next((image for image in self._session.images() if image.id == image_id), None)
        if image is not None:
            for pane, plane in enumerate(volume.planes):
                self._show_plane(volume, pane, plane, image)

    def _show_plane(self, volume: Volume, pane: int, plane: Plane, image: ProjectImage) -> None:
        """Cut a plane again where it moved; where it did not, only the cross moves."""
        shown = self._viewer.frame_of(pane)
        if shown is not None and shown.picture_key == self._picture_key(plane, image):
            self._viewer.grid.panes[pane].set_cross(image.id, plane.point_of(self._at, volume.shape))
        else:
            self._viewer.set_frame(self._state(volume, plane, image), pane)

    def _picture_key(self, plane: Plane, image: ProjectImage) -> str:
        return f"plane {plane.axis} of {image.series_id} at {self._at[plane.axis]}"

    def _state(self, volume: Volume, plane: Plane, image: ProjectImage) -> FrameState:
        index, count = self._at[plane.axis], volume.shape[plane.axis]
        first = volume.first
        spacing = None if volume.spacing_mm is None else plane.spacing_mm(volume.spacing_mm)
        guessed = volume.spacing_guessed and plane.axis != 0
        return FrameState(
            image_id=image.id,
            pixels=plane.cut(volume.voxels, index),
            window=first.window,
            file_window=first.window,
            tables=first.tables,
            padding=first.padding,
            inverted=first.inverted,
            presets=presets_of(first),
            spacing_mm=None if guessed else spacing,
            units=first.units,
            corners=Corners(
                top_left=(plane.name, f"Patient {image.patient_number:03d}"),
                top_right=kind_of(image),
                caution=(*caution_of(self._session, image), *((NO_DISTANCE,) if guessed else ())),
                bottom_left=(f"{index + 1} of {count}",),
            ),
            badge=badge_of(self._session, image) if plane.axis == 0 else None,
            mark=image.mark if plane.axis == 0 else "",
            index=index,
            count=count,
            series_key=f"plane {plane.axis} of {image.series_id}",
            window_key=str(image.series_id),
            picture_key=self._picture_key(plane, image),
            edges=plane.edges,
            derived=True,
            cross=plane.point_of(self._at, volume.shape),
        )


def volume_of(stack: list[ProjectImage], report: Callable[[int, int], None]) -> Volume:
    """Read a series and bring its slices to even distances; where those are unknown they count as square."""
    for image in stack:
        require_content(Path(image.path), image.sha256)
    slices = [(Path(image.path), image.frame) for image in stack]
    read = read_stack(slices, report, stack[0].series_window)
    ids = tuple(stack[number].id for number in read.order)
    in_plane = read.first.pixel_spacing_mm
    voxels, step = read.voxels, None
    if read.positions_mm is not None:
        voxels, step = evenly_spaced(read.voxels, read.positions_mm)
        if len(voxels) != len(ids):
            share = (len(ids) - 1) / (len(voxels) - 1)
            ids = tuple(ids[round(number * share)] for number in range(len(voxels)))
    row_mm, column_mm = in_plane or (1.0, 1.0)
    spacing = None if in_plane is None else (column_mm if step is None else step, row_mm, column_mm)
    return Volume(voxels, spacing, step is None, planes_of(read.orientation), ids, read.first)
