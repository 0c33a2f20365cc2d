"""Signs of images that are uncertain or left out: a letter on a chip, so that none rests on its colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

if TYPE_CHECKING:
    from clipsvd_app.domain.project_values import Mark

CAUTION, REFUSED = QColor("#f0b429"), QColor("#ff8a80")
_CHIP = QColor(10, 12, 14, 215)


@dataclass(frozen=True, slots=True)
class MarkSign:
    """How a mark looks over a picture, and what it is called."""

    letter: str
    colour: QColor
    words: str


def sign_of(mark: Mark) -> MarkSign | None:
    """Return the sign of a mark, None for an image without one."""
    return {
        "uncertain": MarkSign("?", CAUTION, "Uncertain"),
        "excluded": MarkSign("×", REFUSED, "Excluded"),
    }.get(mark)


def paint_chip(painter: QPainter, area: QRectF, letter: str, colour: QColor) -> None:
    """Draw a letter on a dark chip."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_CHIP)
    painter.drawRoundedRect(area, 4, 4)
    write_small(painter, area, letter, colour)


def write_small(painter: QPainter, area: QRectF, text: str, colour: QColor) -> None:
    """Write in the middle of an area, a little smaller than the text around."""
    font = painter.font()
    size = font.pointSizeF()
    font.setPointSizeF(size * 0.85)
    painter.setFont(font)
    painter.setPen(colour)
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)
    font.setPointSizeF(size)
    painter.setFont(font)
