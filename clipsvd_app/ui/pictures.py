"""Pictures for the pages, read in threads and kept by image id."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from clipsvd_app import imaging

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from clipsvd_app.domain.study import ProjectImage
    from clipsvd_app.imaging import Frame
    from clipsvd_app.ui.background import Answer, Background, Task

T = TypeVar("T")
THUMBNAIL_PX = 160
FRAMES_KEPT = 24
PICTURES_KEPT = 64


def to_qimage(pixels: NDArray[np.uint8]) -> QImage:
    """Return a QImage with its own memory from (rows, columns[, 3]) uint8."""
    data = np.ascontiguousarray(pixels)
    rows, columns = data.shape[:2]
    if data.ndim == 2:
        return QImage(data.data, columns, rows, columns, QImage.Format.Format_Grayscale8).copy()
    return QImage(data.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888).copy()


class Pictures(QObject):
    """Signals: ``thumbnail_ready(image id, QImage)``, ``unreadable(image id, sentence)``."""

    thumbnail_ready = Signal(int, object)
    unreadable = Signal(int, str)

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._thumbnails: dict[int, QImage] = {}
        self._waiting: dict[int, Task] = {}
        self._frames: OrderedDict[int, Frame] = OrderedDict()
        self._pictures: OrderedDict[int, QImage] = OrderedDict()

    def forget(self) -> None:
        """Drop everything, because another project was opened."""
        for task in self._waiting.values():
            task.cancel()
        self._waiting.clear()
        self._thumbnails.clear()
        self._frames.clear()
        self._pictures.clear()

    def thumbnail(self, image_id: int) -> QImage | None:
        """Return a thumbnail that is there already."""
        return self._thumbnails.get(image_id)

    def want_thumbnails(self, images: Iterable[ProjectImage]) -> None:
        """Read thumbnails; those that are there are announced at once."""
        for image in images:
            if image.id in self._thumbnails:
                self.thumbnail_ready.emit(image.id, self._thumbnails[image.id])
            elif image.id not in self._waiting:
                self._waiting[image.id] = self._read_thumbnail(image)

    def want_frame(self, image: ProjectImage, on_ready: Callable[[int, Frame], None]) -> None:
        """Read the decoded frame of an image and hand it on; at once when it is kept."""
        if (kept := self._frames.get(image.id)) is not None:
            self._frames.move_to_end(image.id)
            on_ready(image.id, kept)
            return

        def take(answer: Answer) -> None:
            if answer.error is not None:
                self.unreadable.emit(image.id, str(answer.error))
            elif answer.value is not None:
                _keep(self._frames, image.id, answer.value, FRAMES_KEPT)
                on_ready(image.id, answer.value)

        self._background.run(
            lambda _report: imaging.read_frame(Path(image.path), image.frame), take, priority=2
        )

    def want_picture(self, image: ProjectImage, on_ready: Callable[[int, QImage], None]) -> None:
        """Read an image as the model sees it and hand on a QImage."""
        if (kept := self._pictures.get(image.id)) is not None:
            on_ready(image.id, kept)
            return

        def take(answer: Answer) -> None:
            if answer.error is not None:
                self.unreadable.emit(image.id, str(answer.error))
            elif answer.value is not None:
                picture = to_qimage(answer.value)
                _keep(self._pictures, image.id, picture, PICTURES_KEPT)
                on_ready(image.id, picture)

        self._background.run(lambda _report: as_model_sees(image), take, priority=2)

    def _read_thumbnail(self, image: ProjectImage) -> Task:
        def take(answer: Answer) -> None:
            self._waiting.pop(image.id, None)
            if answer.error is not None:
                self.unreadable.emit(image.id, str(answer.error))
            elif answer.value is not None:
                self._thumbnails[image.id] = to_qimage(answer.value)
                self.thumbnail_ready.emit(image.id, self._thumbnails[image.id])

        path, frame, sha256 = Path(image.path), image.frame, image.sha256
        return self._background.run(
            lambda _report: imaging.thumbnail(path, frame, THUMBNAIL_PX, sha256=sha256), take
        )


def _keep(store: OrderedDict[int, T], image_id: int, value: T, most: int) -> None:
    store[image_id] = value
    while len(store) > most:
        store.popitem(last=False)


def as_model_sees(image: ProjectImage) -> NDArray[np.uint8]:
    """Return (rows, columns, 3) uint8 in the window and crop that training uses."""
    window = None if image.window is None else imaging.Window(*image.window)
    crop = None if image.crop is None else imaging.Crop(*image.crop)
    return imaging.open_as_rgb(Path(image.path), image.frame, window, crop)
