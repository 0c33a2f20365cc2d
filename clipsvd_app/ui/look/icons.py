"""Icons drawn in the colours of the theme: one SVG each, used as a stencil."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon, QImage, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from clipsvd_app.resources import resource_path

if TYPE_CHECKING:
    from clipsvd_app.ui.look.theme import Palette

DRAWN_PX = (16, 18, 22, 48)  # as buttons and the rail ask for them


def icon(name: str, palette: Palette, role: str = "text_muted") -> QIcon:
    """Return ``resources/icons/ui/NAME.svg`` in the colour of a palette role.

    The checked and selected states take the accent, the disabled one the faint text. A missing
    drawing becomes the first letter of its name, so a page never has an empty button.
    """
    result = QIcon()
    tints = (
        (QIcon.Mode.Normal, QIcon.State.Off, role),
        (QIcon.Mode.Normal, QIcon.State.On, "accent"),
        (QIcon.Mode.Disabled, QIcon.State.Off, "border_strong"),
    )
    for mode, state, tint in tints:
        for size in _exact_sizes():
            result.addPixmap(_tinted(name, size, palette.color(tint)), mode, state)
    return result


def pixmap(name: str, colour: QColor, size: int, device_pixel_ratio: float = 1.0) -> QPixmap:
    """Return the icon at one size in one colour, for painters and labels."""
    result = _tinted(name, round(size * device_pixel_ratio), colour)
    result.setDevicePixelRatio(device_pixel_ratio)
    return result


def finest_ratio() -> float:
    """Return the pixels of the finest screen for each of the window's own: what pictures are made for."""
    return max((screen.devicePixelRatio() for screen in QGuiApplication.screens()), default=1.0)


def _exact_sizes() -> list[int]:
    """Return the sizes in pixels of the screens: an icon that is scaled is never sharp."""
    ratios = {1.0} | {screen.devicePixelRatio() for screen in QGuiApplication.screens()}
    return sorted({round(size * ratio) for size in DRAWN_PX for ratio in ratios})


@cache  # a theme switch tints every icon again, and reading the drawings is most of the work
def _stencil(name: str, size: int) -> QImage:
    """Return the drawing in black on nothing."""
    result = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    area = QRectF(0, 0, size, size)
    path = resource_path("icons", "ui", f"{name}.svg")
    drawing = QSvgRenderer(str(path)) if path.is_file() else None
    if drawing is not None and drawing.isValid():
        drawing.render(painter, area)
    else:
        _paint_letter(painter, area, name)
    painter.end()
    return result


def _tinted(name: str, size: int, colour: QColor) -> QPixmap:
    result = QImage(_stencil(name, size))
    painter = QPainter(result)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(result.rect(), colour)
    painter.end()
    return QPixmap.fromImage(result)


def _paint_letter(painter: QPainter, area: QRectF, name: str) -> None:
    font = QFont()
    font.setPixelSize(max(8, round(area.height() * 0.6)))
    font.setBold(True)
    painter.setFont(font)
    painter.setPen(Qt.GlobalColor.black)
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, name[:1].upper())
