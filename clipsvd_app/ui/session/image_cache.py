"""Pictures for the pages, read in threads and kept by image id."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from clipsvd_app.imaging.files.known_hashes import require_content
from clipsvd_app.imaging.reading import open_as_rgb, read_frame
from clipsvd_app.imaging.thumbnails import thumbnail as make_thumbnail
from clipsvd_app.ui.look.icons import finest_ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.domain.view import Window
    from clipsvd_app.imaging.values import Frame
    from clipsvd_app.ui.session.background import Answer, Background, Task

K = TypeVar("K")
T = TypeVar("T")
THUMBNAIL_PX, FINE_THUMBNAIL_PX = 160, 264  # the latter is twice what the galleries of cases show
FRAMES_KEPT_BYTES = 384 * 1024**2
PICTURES_KEPT = 64


def to_qimage(pixels: NDArray[np.uint8]) -> QImage:
    """Return a QImage with its own memory from (rows, columns[, 3]) uint8."""
    data = np.ascontiguousarray(pixels)
    rows, columns = data.shape[:2]
    if data.ndim == 2:
        return QImage(data.data, columns, rows, columns, QImage.Format.Format_Grayscale8).copy()
    return QImage(data.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888).copy()


def _thumbnail_px() -> int:
    return min(round(THUMBNAIL_PX * finest_ratio()), FINE_THUMBNAIL_PX)


class Pictures(QObject):
    """Signals: ``thumbnail_ready(image id, QImage)``, ``unreadable(image id, sentence)``."""

    thumbnail_ready = Signal(int, object)
    unreadable = Signal(int, str)

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._thumbnails: dict[int, QImage] = {}
        self._waiting: dict[int, Task] = {}
        self._reading: set[Task] = set()
        self._frames: OrderedDict[int, Frame] = OrderedDict()
        self._frame_bytes = 0
        self._ahead: dict[int, Task] = {}
        self._pictures: OrderedDict[tuple[object, ...], QImage] = OrderedDict()
        self._series_windows: dict[int, Window | None] = {}

    def forget(self) -> None:
        """Drop everything, because another project was opened."""
        for task in self._reading:
            task.cancel()  # numbers of images mean others there
        self._reading.clear()
        self._waiting.clear()
        self._ahead.clear()
        self._thumbnails.clear()
        self._frames.clear()
        self._frame_bytes = 0
        self._pictures.clear()
        self._series_windows.clear()

    def thumbnail(self, image_id: int) -> QImage | None:
        """Return a thumbnail that is there already."""
        return self._thumbnails.get(image_id)

    def want_thumbnails(self, images: Iterable[ProjectImage]) -> None:
        """Read thumbnails; those that are there are announced at once."""
        for image in images:
            self._drop_if_windowed_anew(image)
            if image.id in self._thumbnails:
                self.thumbnail_ready.emit(image.id, self._thumbnails[image.id])
            elif image.id not in self._waiting:
                self._waiting[image.id] = self._read_thumbnail(image)

    def want_frame(self, image: ProjectImage, on_ready: Callable[[int, Frame], None]) -> Task | None:
        """Read the decoded frame of an image and hand it on; at once when it is kept.

        Cancel the task returned when the frame is not wanted any more.
        """
        self._drop_if_windowed_anew(image)
        if (kept := self._frames.get(image.id)) is not None:
            self._frames.move_to_end(image.id)
            on_ready(image.id, kept)
            return None

        def take(answer: Answer) -> None:
            if answer.error is not None:
                self.unreadable.emit(image.id, str(answer.error))
            elif answer.value is not None:
                self._keep_frame(image.id, answer.value)
                on_ready(image.id, answer.value)

        return self._read_frame(image, take, priority=2)

    def read_ahead(self, images: Iterable[ProjectImage]) -> None:
        """Read frames that may be wanted next, instead of those guessed before; none is read twice for it."""
        wanted = {image.id: image for image in images if image.id not in self._frames}
        for image_id, task in self._ahead.items():
            if image_id not in wanted:
                task.cancel()

        def taking(image_id: int) -> Callable[[Answer], None]:
            return lambda answer: (None if answer.value is None else self._keep_frame(image_id, answer.value))

        self._ahead = {
            image_id: self._ahead.get(image_id) or self._read_frame(image, taking(image_id), priority=1)
            for image_id, image in wanted.items()
        }

    def want_picture(self, image: ProjectImage, on_ready: Callable[[int, QImage], None]) -> None:
        """Read an image as the model sees it and hand on a QImage."""
        seen_as = (image.id, image.window, image.crop, image.series_window)
        if (kept := self._pictures.get(seen_as)) is not None:
            on_ready(image.id, kept)
            return

        def take(answer: Answer) -> None:
            if answer.error is not None:
                self.unreadable.emit(image.id, str(answer.error))
            elif answer.value is not None:
                picture = to_qimage(answer.value)
                _keep(self._pictures, seen_as, picture, PICTURES_KEPT)
                on_ready(image.id, picture)

        self._read(lambda _report: as_model_sees(image), take, priority=2)

    def _read_frame(self, image: ProjectImage, take: Callable[[Answer], None], priority: int) -> Task:
        path, frame, sha256 = Path(image.path), image.frame, image.sha256
        shared = image.series_window

        def read(report: Callable[[int, int], None]) -> Frame:
            report(0, 1)  # stops here when it was cancelled while it waited
            require_content(path, sha256)
            return read_frame(path, frame, shared)

        return self._read(read, take, priority=priority)

    def _read(
        self,
        work: Callable[[Callable[[int, int], None]], object],
        take: Callable[[Answer], None],
        priority: int = 0,
    ) -> Task:
        def done(answer: Answer) -> None:
            self._reading.discard(task)
            take(answer)

        task = self._background.run(work, done, priority=priority)
        self._reading.add(task)
        return task

    def _keep_frame(self, image_id: int, frame: Frame) -> None:
        before = self._frames.pop(image_id, None)
        self._frames[image_id] = frame
        self._frame_bytes += frame.pixels.nbytes - (0 if before is None else before.pixels.nbytes)
        while self._frame_bytes > FRAMES_KEPT_BYTES and len(self._frames) > 1:
            _oldest, dropped = self._frames.popitem(last=False)
            self._frame_bytes -= dropped.pixels.nbytes

    def _read_thumbnail(self, image: ProjectImage) -> Task:
        def take(answer: Answer) -> None:
            if answer.cancelled:
                return
            self._waiting.pop(image.id, None)
            if answer.error is not None:
                self.unreadable.emit(image.id, str(answer.error))
            elif answer.value is not None:
                self._thumbnails[image.id] = to_qimage(answer.value)
                self.thumbnail_ready.emit(image.id, self._thumbnails[image.id])

        path, frame, sha256 = Path(image.path), image.frame, image.sha256
        shared, side = image.series_window, _thumbnail_px()

        def read(_report: Callable[[int, int], None]) -> NDArray[np.uint8]:
            require_content(path, sha256)
            return make_thumbnail(path, frame, side, series_window=shared)

        return self._read(read, take)

    def _drop_if_windowed_anew(self, image: ProjectImage) -> None:
        """Forget an image whose series got another window, because slices of it were added."""
        before = self._series_windows.setdefault(image.id, image.series_window)
        if before == image.series_window:
            return
        self._series_windows[image.id] = image.series_window
        self._thumbnails.pop(image.id, None)
        if (task := self._waiting.pop(image.id, None)) is not None:
            task.cancel()
        if (frame := self._frames.pop(image.id, None)) is not None:
            self._frame_bytes -= frame.pixels.nbytes


def _keep(store: OrderedDict[K, T], key: K, value: T, most: int) -> None:
    store[key] = value
    while len(store) > most:
        store.popitem(last=False)


def as_model_sees(image: ProjectImage) -> NDArray[np.uint8]:
    """Return (rows, columns, 3) uint8 in the window and crop that training uses."""
    require_content(Path(image.path), image.sha256)
    return open_as_rgb(Path(image.path), image.frame, image.window, image.crop, image.series_window)
