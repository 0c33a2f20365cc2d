"""The picture itself: image, heat map, zoom, rotation; it knows no window drag and no slices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QResizeEvent, QTransform
from PySide6.QtWidgets import QFrame, QGraphicsRectItem, QWidget

from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.viewer.pane.image_item import PictureItem
from clipsvd_app.ui.viewer.pane.window_drag import heat_lut

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from clipsvd_app.imaging.values import Edges
    from clipsvd_app.ui.viewer.pane.image_item import Greys

FIT_MARGIN = 0.01
REST_MS = 150
PIXELS_FROM_SCALE = 8.0  # so near, single pixels are what is looked for
WHOLE = QRectF(0, 0, 1, 1)


class Canvas(QFrame):
    """Software raster on purpose: under Mesa an OpenGL viewport is four times slower.

    A picture that moves shows its pixels; one that rests is drawn smoothly, which takes three times as long.

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
        self._image = PictureItem()
        self._heat = pg.ImageItem(axisOrder="row-major", lut=heat_lut())
        for item in (self._image, self._heat):
            item.setParentItem(self._frame_item)
        self._heat.hide()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(lambda: self._smooth(self.scale() < PIXELS_FROM_SCALE))
        self._view.sigTransformChanged.connect(self._stir)
        self._fitted = True
        self._turns = 0
        self._mirror = (1.0, 1.0)
        self._aspect = 1.0
        column = vertical(self)
        column.addWidget(self._graphics)

    def edges_seen(self, edges: Edges) -> Edges:
        """Return what lies at left, top, right and bottom of the canvas, of what does in the picture."""
        left, top, right, bottom = edges
        for _quarter in range(self._turns):
            left, top, right, bottom = bottom, left, top, right
        across, along = self._mirror
        if across < 0:
            left, right = right, left
        if along < 0:
            top, bottom = bottom, top
        return left, top, right, bottom

    @property
    def heat_shown(self) -> bool:
        """Whether a heat map lies over the image."""
        return bool(self._heat.isVisible())

    @property
    def viewport(self) -> QWidget:
        """The widget that mouse events arrive at."""
        viewport: QWidget = self._graphics.viewport()
        return viewport

    def set_pixels(self, pixels: NDArray[Any], row_to_column_spacing: float) -> None:
        """Show other pixels; non-square ones are stretched to their true shape."""
        self._stir()
        self._image.set_pixels(pixels)
        if row_to_column_spacing != self._aspect:
            self._aspect = row_to_column_spacing
            self._orient()

    def set_greys(self, greys: Greys) -> None:
        """Map values to what is seen another way; the pixels stay."""
        self._stir()
        self._image.set_greys(greys)

    def set_heat(self, heat: NDArray[Any] | None, opacity: float, view: QRectF = WHOLE) -> None:
        """Lay values from 0 to 1 over the image; ``view`` is their place as fractions of it."""
        self._heat.setVisible(heat is not None)
        if heat is not None:
            size = self._image_rect()
            self._heat.setImage(np.asarray(heat, dtype=np.float32), autoLevels=False, levels=(0.0, 1.0))
            self._heat.setRect(
                QRectF(
                    view.x() * size.width(),
                    view.y() * size.height(),
                    view.width() * size.width(),
                    view.height() * size.height(),
                )
            )
            self._heat.setOpacity(opacity)

    def set_heat_opacity(self, opacity: float) -> None:
        """Make the heat map fainter or stronger."""
        self._heat.setOpacity(opacity)

    def fit(self) -> None:
        """Show the whole image, and go on doing so when the canvas changes its size."""
        self._fitted = True
        self._view.setRange(self._frame_item.mapRectToParent(self._image_rect()), padding=FIT_MARGIN)

    def actual_size(self) -> None:
        """Show one column of the image on each pixel of the screen."""
        self.zoom(1.0 / (self.scale() * self.devicePixelRatioF()))

    def rotate(self) -> None:
        """Turn what is seen a quarter to the right."""
        mirrored = self._mirror[0] * self._mirror[1] < 0
        self._turns = (self._turns + (-1 if mirrored else 1)) % 4
        self._orient()
        self.fit()

    def flip(self, *, down: bool = False) -> None:
        """Mirror what is seen left to right, or top to bottom."""
        across, along = self._mirror
        self._mirror = (across, -along) if down else (-across, along)
        self._orient()
        self.fit()

    def reset_orientation(self) -> None:
        """Show the image as it is stored."""
        self._turns, self._mirror = 0, (1.0, 1.0)
        self._orient()

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Enlarge by a factor around a point of the viewport, or its middle."""
        self._fitted = False
        centre = QPointF(self.viewport.rect().center()) if at is None else at
        self._view.scaleBy((1.0 / factor, 1.0 / factor), center=self._in_view(centre))

    def pan(self, start: QPointF, end: QPointF) -> None:
        """Move the image with the pointer, in viewport coordinates."""
        self._fitted = False
        shift = self._in_view(start) - self._in_view(end)
        self._view.translateBy(x=shift.x(), y=shift.y())

    def to_image(self, at: QPointF) -> QPointF:
        """Return image coordinates (column, row) of a point of the viewport."""
        scene = self._to_screen.inverted()[0].map(at)
        point: QPointF = self._image.mapFromScene(scene)
        return point

    def to_viewport(self, image_point: QPointF) -> QPointF:
        """Return the point of the viewport that shows an image point."""
        scene: QPointF = self._image.mapToScene(image_point)
        return self._to_screen.map(scene)

    def scale(self) -> float:
        """Return screen pixels for each image column."""
        x_px, _y_px = self._view.viewPixelSize()
        return 1.0 / x_px if x_px else 1.0

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()
        if self._fitted:
            QTimer.singleShot(0, self, self._fit_again)  # the graphics get their new size after this

    def _stir(self) -> None:
        """Draw quickly until nothing has moved for a moment."""
        self._smooth(False)
        self._rest.start()

    def _smooth(self, on: bool) -> None:
        self._image.moving = not on
        self._graphics.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on)

    def _fit_again(self) -> None:
        if self._fitted:
            self.fit()
            self.resized.emit()

    @property
    def _to_screen(self) -> QTransform:
        """From the scene to the viewport, without rounding to whole pixels."""
        transform: QTransform = self._graphics.viewportTransform()
        return transform

    def _in_view(self, at: QPointF) -> QPointF:
        point: QPointF = self._view.mapSceneToView(self._to_screen.inverted()[0].map(at))
        return point

    def _image_rect(self) -> QRectF:
        return self._image.boundingRect()

    def _orient(self) -> None:
        transform = QTransform()  # Qt applies the last one first: shape, turn, mirror
        transform.scale(*self._mirror)
        transform.rotate(90.0 * self._turns)
        transform.scale(1.0, self._aspect)
        self._frame_item.setTransform(transform)
