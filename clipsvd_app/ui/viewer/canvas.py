"""The picture itself: image, heat map, zoom, rotation; it knows no window drag and no slices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QResizeEvent, QTransform
from PySide6.QtWidgets import QFrame, QGraphicsRectItem, QVBoxLayout, QWidget

from clipsvd_app.ui.viewer.windowing import heat_lut, levels_of, lut_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from clipsvd_app.jobs import WindowSpec

FIT_MARGIN = 0.01


class Canvas(QFrame):
    """Software raster on purpose: under Mesa an OpenGL viewport is four times slower.

    Signal: ``resized()``.
    """

    resized = Signal()

    def __init__(self, background: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._graphics = pg.GraphicsView(self, useOpenGL=False, background=background)
        self._graphics.setAcceptDrops(False)
        self._graphics.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._view = pg.ViewBox(enableMouse=False, enableMenu=False, invertY=True, lockAspect=True)
        self._view.disableAutoRange()
        self._graphics.setCentralItem(self._view)
        self._frame_item = QGraphicsRectItem()
        self._frame_item.setFlag(QGraphicsRectItem.GraphicsItemFlag.ItemHasNoContents)
        self._view.addItem(self._frame_item, ignoreBounds=True)
        self._image = pg.ImageItem(axisOrder="row-major")
        self._heat = pg.ImageItem(axisOrder="row-major", lut=heat_lut())
        for item in (self._image, self._heat):
            item.setParentItem(self._frame_item)
        self._heat.hide()
        self._turns = 0
        self._flipped = False
        self._aspect = 1.0
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._graphics)

    @property
    def viewport(self) -> QWidget:
        """The widget that mouse events arrive at."""
        viewport: QWidget = self._graphics.viewport()
        return viewport

    def set_pixels(self, pixels: NDArray[Any], row_to_column_spacing: float) -> None:
        """Show other pixels; non-square ones are stretched to their true shape."""
        self._image.setImage(pixels, autoLevels=False)
        if row_to_column_spacing != self._aspect:
            self._aspect = row_to_column_spacing
            self._orient()

    def set_window(self, window: WindowSpec | None, *, inverted: bool, colour: bool) -> None:
        """Map values to greys; only levels and table change, never the pixels."""
        if colour:
            self._image.setLookupTable(None, update=False)
            self._image.setLevels((255.0, 0.0) if inverted else (0.0, 255.0))
        else:
            self._image.setLookupTable(lut_of(window, inverted=inverted), update=False)
            self._image.setLevels(levels_of(window))

    def set_heat(self, heat: NDArray[Any] | None, opacity: float) -> None:
        """Lay values from 0 to 1 over the image, stretched to its size."""
        self._heat.setVisible(heat is not None)
        if heat is not None:
            self._heat.setImage(np.asarray(heat, dtype=np.float32), autoLevels=False, levels=(0.0, 1.0))
            self._heat.setRect(self._image_rect())
            self._heat.setOpacity(opacity)

    def set_heat_opacity(self, opacity: float) -> None:
        """Make the heat map fainter or stronger."""
        self._heat.setOpacity(opacity)

    def fit(self) -> None:
        """Show the whole image."""
        self._view.setRange(self._frame_item.mapRectToParent(self._image_rect()), padding=FIT_MARGIN)

    def rotate(self) -> None:
        """Turn the image a quarter to the right."""
        self._turns = (self._turns + 1) % 4
        self._orient()
        self.fit()

    def flip(self) -> None:
        """Mirror the image left to right."""
        self._flipped = not self._flipped
        self._orient()
        self.fit()

    def reset_orientation(self) -> None:
        """Show the image as it is stored."""
        self._turns, self._flipped = 0, False
        self._orient()

    def zoom(self, factor: float, at: QPointF) -> None:
        """Enlarge by a factor around a point of the viewport."""
        self._view.scaleBy((1.0 / factor, 1.0 / factor), center=self._in_view(at))

    def pan(self, start: QPointF, end: QPointF) -> None:
        """Move the image with the pointer, in viewport coordinates."""
        shift = self._in_view(start) - self._in_view(end)
        self._view.translateBy(x=shift.x(), y=shift.y())

    def to_image(self, at: QPointF) -> QPointF:
        """Return image coordinates (column, row) of a point of the viewport."""
        scene = self._graphics.mapToScene(at.toPoint())
        point: QPointF = self._image.mapFromScene(scene)
        return point

    def to_viewport(self, image_point: QPointF) -> QPointF:
        """Return the point of the viewport that shows an image point."""
        return QPointF(self._graphics.mapFromScene(self._image.mapToScene(image_point)))

    def scale(self) -> float:
        """Return screen pixels for each image column."""
        x_px, _y_px = self._view.viewPixelSize()
        return 1.0 / x_px if x_px else 1.0

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()

    def _in_view(self, at: QPointF) -> QPointF:
        point: QPointF = self._view.mapSceneToView(self._graphics.mapToScene(at.toPoint()))
        return point

    def _image_rect(self) -> QRectF:
        return QRectF(0, 0, self._image.width() or 1, self._image.height() or 1)

    def _orient(self) -> None:
        transform = QTransform()
        transform.rotate(90.0 * self._turns)
        transform.scale(-1.0 if self._flipped else 1.0, self._aspect)
        self._frame_item.setTransform(transform)
