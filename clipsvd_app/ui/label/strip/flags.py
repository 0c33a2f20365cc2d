"""The small signs on an image of the film strip: marked, moved, alike, of one patient, read twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter

from clipsvd_app.ui.look.class_colours import class_style, paint_class_mark
from clipsvd_app.ui.look.mark_signs import CAUTION, paint_chip, sign_of, write_small

if TYPE_CHECKING:
    from clipsvd_app.ui.label.state import StripItem

CHIP_PX, GAP_PX, SECOND_PX = 16, 3, 22
_VEIL = QColor(10, 12, 14, 170)
_INK = QColor("#d5dadf")
_NOTED, _AGREED = QColor("#8fb4ff"), QColor("#5ad19a")


def paint_flags(painter: QPainter, frame: QRectF, item: StripItem, *, kin: bool) -> None:
    """Draw the signs over a picture; the lower left corner is left to the label.

    kin: the image is of the same patient as the one displayed.
    """
    painter.save()
    if item.mark == "excluded" or item.moved:
        painter.fillRect(frame, _VEIL)
    if item.moved:
        write_small(painter, QRectF(frame.left(), frame.center().y() - 9, frame.width(), 18), "moved", _INK)
    right = frame.right() - GAP_PX
    for sign, colour in _signs(item, kin=kin):
        right -= CHIP_PX
        paint_chip(painter, QRectF(right, frame.top() + GAP_PX, CHIP_PX, CHIP_PX), sign, colour)
        right -= GAP_PX
    if item.second is not None:
        _paint_second(painter, frame, item.second, "✓" if item.settled else "≠")
    elif item.doubted and item.predicted is not None:
        _paint_second(painter, frame, item.predicted, "≠")
    painter.restore()


def _signs(item: StripItem, *, kin: bool) -> list[tuple[str, QColor]]:
    """Return the signs from the right: a letter each, so that none rests on its colour."""
    signs = []
    if (mark := sign_of(item.mark)) is not None:
        signs.append((mark.letter, mark.colour))
    if item.alike:
        signs.append(("≈", _NOTED))
    if kin:
        signs.append(("P", _INK))
    return signs


def _paint_second(painter: QPainter, frame: QRectF, position: int, sign: str) -> None:
    """Draw what somebody else calls the image, hollow, and how that stands to the label."""
    right, top = frame.right() - SECOND_PX - GAP_PX, frame.bottom() - SECOND_PX - GAP_PX
    paint_class_mark(painter, QRectF(right, top, SECOND_PX, SECOND_PX), class_style(position), hollow=True)
    between = QRectF(frame.center().x() - CHIP_PX / 2, top + 3, CHIP_PX, CHIP_PX)
    paint_chip(painter, between, sign, _AGREED if sign == "✓" else CAUTION)
