"""What painted pictures share: themed painting, tooltips on what is drawn, and saving."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QEvent, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QToolTip, QWidget

from clipsvd_app.ui.kit.figures.saving import Savable
from clipsvd_app.ui.look.inks import PRINT, palette_in_force

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QColor

    from clipsvd_app.ui.look.theme import Palette

_PICTURE_SCALE = 3


@dataclass(frozen=True, slots=True)
class Spot:
    """A part of the picture that answers the mouse: its place, what it says, and what it stands for."""

    area: QRectF
    text: str
    key: Hashable = None


class PlotPainter(QPainter):
    """Knows which texts :func:`write` had to shorten, so that tooltips can give the whole of them."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.shortened: list[Spot] = []


class PlotWidget(Savable):
    """A painted picture of numbers. Subclasses draw, name their spots, and give their numbers as rows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spots: tuple[Spot, ...] = ()
        self._shortened: tuple[Spot, ...] = ()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        """Draw into ``area`` and return the spots that answer the mouse."""
        raise NotImplementedError

    def picture(self, form: str) -> bytes:
        size = self.size() if self.isVisible() else self.sizeHint().expandedTo(self.size())
        buffer = QBuffer()
        buffer.open(QBuffer.OpenModeFlag.WriteOnly)
        if form == "svg":
            self._paint_svg(buffer, size)
        else:
            self._paint_png(buffer, size)
        return bytes(buffer.data().data())

    def spot_at(self, position: QPointF) -> Spot | None:
        """Return what lies under the mouse; the last drawn wins."""
        return next((spot for spot in reversed(self._spots) if spot.area.contains(position)), None)

    def tip_at(self, position: QPointF) -> str:
        """Return what the tooltip says there: the whole of a shortened text, and what its spot says."""
        whole = next((spot.text for spot in self._shortened if spot.area.contains(position)), "")
        spot = self.spot_at(position)
        said = "" if spot is None else spot.text
        return said if whole in said else f"{whole}\n{said}".strip()

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = palette_in_force()
        painter = PlotPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        self._spots = self.draw(painter, QRectF(self.rect()), palette)
        self._shortened = tuple(painter.shortened)
        if self.hasFocus():
            _draw_focus(painter, QRectF(self.rect()), palette)
        painter.end()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            at = QPointF(event.pos())
            said, spot = self.tip_at(at), self.spot_at(at)
            if said:
                area = QRect() if spot is None else spot.area.toAlignedRect()
                QToolTip.showText(event.globalPos(), said, self, area)
            else:
                QToolTip.hideText()
                event.ignore()
            return True
        return super().event(event)

    def _paint_svg(self, buffer: QBuffer, size: QSize) -> None:
        generator = QSvgGenerator()
        generator.setOutputDevice(buffer)
        generator.setSize(size)
        generator.setViewBox(QRect(0, 0, size.width(), size.height()))
        generator.setTitle(self.accessibleName())
        generator.setDescription(self.accessibleDescription())
        self._paint_for_print(QPainter(generator), size)

    def _paint_png(self, buffer: QBuffer, size: QSize) -> None:
        image = QImage(size * _PICTURE_SCALE, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(_PICTURE_SCALE)
        image.fill(PRINT.color("panel"))
        self._paint_for_print(QPainter(image), size)
        image.save(buffer, "PNG")  # type: ignore[call-overload]

    def _paint_for_print(self, painter: QPainter, size: QSize) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        area = QRectF(0, 0, size.width(), size.height())
        painter.fillRect(area, PRINT.color("panel"))
        self.draw(painter, area, PRINT)
        painter.end()


def write(
    painter: QPainter,
    area: QRectF,
    text: str,
    colour: QColor,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> None:
    """Write one line into ``area``, vertically centred, shortened with an ellipsis where it is too long."""
    metrics = QFontMetricsF(painter.font())
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width() + 1)
    if shown != text and isinstance(painter, PlotPainter):
        painter.shortened.append(Spot(painter.transform().mapRect(area), text))
    painter.setPen(colour)
    painter.drawText(area, int(align | Qt.AlignmentFlag.AlignVCenter), shown)


def sized(font: QFont, factor: float = 1.0, *, bold: bool = False) -> QFont:
    """Return the font scaled by ``factor``, whether it was set in points or in pixels."""
    copy = QFont(font)
    if font.pixelSize() > 0:
        copy.setPixelSize(max(9, round(font.pixelSize() * factor)))
    else:
        copy.setPointSizeF(max(7.0, font.pointSizeF() * factor))
    if bold:
        copy.setWeight(QFont.Weight.DemiBold)
    return copy


def line_height(font: QFont) -> float:
    """Return the height of one line of text in device-independent pixels."""
    return QFontMetricsF(font).height()


def text_width(font: QFont, texts: Sequence[str]) -> float:
    """Return the width of the widest text."""
    metrics = QFontMetricsF(font)
    return max((metrics.horizontalAdvance(text) for text in texts), default=0.0)


def hairline(colour: QColor, *, dashed: bool = False, width: float = 1.0) -> QPen:
    """Return a thin pen."""
    pen = QPen(colour, width)
    if dashed:
        pen.setDashPattern([3, 3])
    return pen


def _draw_focus(painter: QPainter, area: QRectF, palette: Palette) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(palette.color("accent"), 1.5))
    painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 6, 6)
