"""A large image with the saliency veil over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath
from PySide6.QtWidgets import QSizePolicy

from clipsvd_app.ui.kit.plots.plot_widget import PlotWidget, Spot
from clipsvd_app.ui.kit.plots.saliency import Grid, letterboxed_view, overlay

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.figures.figure import Rows
    from clipsvd_app.ui.look.theme import Palette

_VEIL_PX = 256


class CaseImage(PlotWidget):
    """Fits the image into its area on the viewer's black; the veil lies where the model looked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image = QImage()
        self._grid: Grid = ()
        self._view = QRectF(0, 0, 1, 1)
        self._opacity = 0.6
        self._veil: QImage | None = None
        self.setMinimumSize(200, 140)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Image of the case")

    def sizeHint(self) -> QSize:
        return QSize(320, 150)

    def set_image(self, image: QImage) -> None:
        """Show an image without a veil."""
        self._image = image
        self.set_saliency(())

    def set_saliency(self, grid: Grid, view: QRectF | None = None) -> None:
        """Lay a veil over what the model saw; an empty grid takes it away.

        view: fractions of the image; without it, the image padded to a square, as the engine does.
        """
        self._grid = grid
        self._view = view or letterboxed_view(max(1, self._image.width()), max(1, self._image.height()))
        self._make_veil()

    def set_opacity(self, opacity: float) -> None:
        """Set how strongly the veil covers, from 0 to 1."""
        self._opacity = opacity
        self._make_veil()

    @property
    def has_veil(self) -> bool:
        """True when a veil is drawn."""
        return self._veil is not None

    def data_rows(self) -> Rows:
        header = ("row", "column", "adds_to_margin")
        cells = (
            (str(row), str(column), repr(value))
            for row, values in enumerate(self._grid)
            for column, value in enumerate(values)
        )
        return (header, *cells)

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        outline = QPainterPath()
        outline.addRoundedRect(area, 6, 6)
        painter.setClipPath(outline)
        painter.fillRect(area, palette.color("viewer"))
        if not self._image.isNull():
            self._paint_image(painter, area)
        return ()

    def _paint_image(self, painter: QPainter, area: QRectF) -> None:
        fitted = self._image.size().scaled(area.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio)
        target = QRectF(0, 0, fitted.width(), fitted.height())
        target.moveCenter(area.center())
        painter.drawImage(target, self._image)
        if self._veil is None:
            return
        painter.setClipRect(target, Qt.ClipOperation.IntersectClip)
        view = self._view
        seen = QRectF(
            target.x() + view.x() * target.width(),
            target.y() + view.y() * target.height(),
            view.width() * target.width(),
            view.height() * target.height(),
        )
        painter.drawImage(seen, self._veil)

    def _make_veil(self) -> None:
        shown = bool(self._grid) and self._opacity > 0
        self._veil = overlay(self._grid, _VEIL_PX, _VEIL_PX, self._opacity) if shown else None
        self.update()
