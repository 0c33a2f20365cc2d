"""The picture as Qt draws it: greys are made when they are needed, and only where they are seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    Greys = Callable[[NDArray[Any]], NDArray[np.uint8]]

SMALL_PIXELS = 1_200_000  # as many are made into greys within a few milliseconds


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """Every ``step``-th pixel of a part of the picture, as an image."""

    left: int
    top: int
    right: int
    bottom: int
    step: int
    image: QImage

    def serves(self, left: int, top: int, right: int, bottom: int, step: int) -> bool:
        """Whether it holds another part as finely."""
        across = self.left <= left and right <= self.right
        return across and self.top <= top and bottom <= self.bottom and self.step <= step

    @property
    def place(self) -> QRectF:
        """Where it lies in the picture."""
        width, height = self.image.width() * self.step, self.image.height() * self.step
        return QRectF(self.left, self.top, width, height)


class PictureItem(QGraphicsItem):
    """Shows (rows, columns) of any real type, or (rows, columns, 3) uint8, through a function.

    Of a large picture only the part that is seen is made, thinned out to the pixels of the screen while
    ``moving`` and to twice as many along each side at rest. The greys are those of the function, pixel by
    pixel.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.moving = False
        self._pixels: NDArray[Any] = np.zeros((1, 1), dtype=np.uint8)
        self._greys: Greys = np.asarray
        self._drawn: _Drawn | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self._pixels.shape[:2]
        return rows, columns

    def set_pixels(self, pixels: NDArray[Any]) -> None:
        """Show another picture."""
        if pixels.shape[:2] != self.size:
            self.prepareGeometryChange()
        self._pixels, self._drawn = pixels, None
        self.update()

    def set_greys(self, greys: Greys) -> None:
        """Show the same pixels through another function, which maps each pixel by itself."""
        self._greys, self._drawn = greys, None
        self.update()

    def boundingRect(self) -> QRectF:
        rows, columns = self.size
        return QRectF(0, 0, columns, rows)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        seen, step = self.boundingRect(), 1
        if self._pixels.size > SMALL_PIXELS:
            scale = QStyleOptionGraphicsItem.levelOfDetailFromTransform(painter.worldTransform())
            seen, step = option.exposedRect, max(1, int((1.0 if self.moving else 0.5) / max(scale, 1e-3)))
        rows, columns = self.size
        left, right = _span(seen.left(), seen.right(), columns, step)
        top, bottom = _span(seen.top(), seen.bottom(), rows, step)
        if right <= left or bottom <= top:
            return
        if self._drawn is None or not self._drawn.serves(left, top, right, bottom, step):
            greys = self._greys(self._pixels[top:bottom:step, left:right:step])
            self._drawn = _Drawn(left, top, right, bottom, step, _qimage(greys))
        painter.drawImage(self._drawn.place, self._drawn.image)


def _span(low: float, high: float, size: int, step: int) -> tuple[int, int]:
    """Return whole pixels that cover a stretch, from a multiple of the step, so that none wanders."""
    return max(0, math.floor(low)) // step * step, min(size, math.ceil(high))


def _qimage(greys: NDArray[np.uint8]) -> QImage:
    """Return a QImage of (rows, columns) greys or (rows, columns, 3) RGB, which keeps the array alive."""
    data = np.ascontiguousarray(greys)
    rows, columns = data.shape[:2]
    kind = QImage.Format.Format_Grayscale8 if data.ndim == 2 else QImage.Format.Format_RGB888
    return QImage(data.data, columns, rows, data.strides[0], kind)
