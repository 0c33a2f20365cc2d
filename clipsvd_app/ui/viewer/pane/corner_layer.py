"""What lies over the picture: corner texts, the class, the ruler, measures, the sides of the patient."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from clipsvd_app.domain.project_values import Mark
from clipsvd_app.ui.look.class_colours import class_style, paint_class_mark
from clipsvd_app.ui.look.mark_signs import CAUTION, MarkSign, paint_chip, sign_of
from clipsvd_app.ui.viewer.pane.shapes import (
    SHADOW,
    Shape,
    paint_cross,
    paint_shapes,
    paint_training_region,
)
from clipsvd_app.ui.viewer.state import ClassBadge, Corners

MARGIN_PX = 12
BADGE_PX = 26
RING = QColor("#7c9bff")  # on the same near-black in both themes
HANDLE_PX = 36  # the drag handle stands above the text on the right
RULER_LENGTHS_MM = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200)
RULER_LONGEST_PX = 150.0
RULER_NEEDS_PX = 420  # a narrow pane has no room between its corner texts
RULER_PX = 26
MIDDLE_PX = 24  # left to the letter at the middle of an edge
PART = " · "
CAUTION_SHARE = 0.6
TEXTS_NEED_PX = QSize(260, 150)  # a smaller pane shows its place in the stack only

NO_TEXT = Corners()


@dataclass(frozen=True, slots=True)
class LayerState:
    """Everything the layer draws, in viewport coordinates.

    px_per_mm: None where the spacing is unknown; scale_plane: where it is true if not in the patient.
    crop: the four corners of what training sees.
    """

    corners: Corners = NO_TEXT
    window_text: str = ""
    probe_text: str = ""
    badge: ClassBadge | None = None
    mark: Mark = ""
    px_per_mm: float | None = None
    scale_plane: str = ""
    shapes: tuple[Shape, ...] = ()
    crop: tuple[QPointF, ...] = ()
    cross: QPointF | None = None
    edges: tuple[str, str, str, str] | None = None


class CornerLayer(QWidget):
    """Lies over the canvas and lets every event through."""

    def __init__(self, text_colour: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._ink = QColor(text_colour)
        self._state = LayerState()
        self._ring = False
        self._texts = True
        self._handle_room = True

    @property
    def state(self) -> LayerState:
        """What is drawn now."""
        return self._state

    def set_state(self, state: LayerState) -> None:
        """Draw something else."""
        if state != self._state:
            self._state = state
            self.update()

    def set_texts_shown(self, shown: bool) -> None:
        """Write texts, or leave the picture bare."""
        self._texts = shown
        self.update()

    def leave_room_for_handle(self, needed: bool) -> None:
        """Start the text on the right below the drag handle, or at the top."""
        self._handle_room = needed
        self.update()

    def set_ring(self, shown: bool) -> None:
        """Show that keys and choices go here."""
        self._ring = shown
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._ring:
            painter.setPen(RING)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * 0.92)
        painter.setFont(font)
        state, room = self._state, QRectF(self.rect())
        if state.crop:
            paint_training_region(painter, state.crop, room)
        if state.cross is not None:
            paint_cross(painter, state.cross, room)
        paint_shapes(painter, state.shapes, room)
        if self._texts:
            self._paint_texts(painter, state)

    def _paint_texts(self, painter: QPainter, state: LayerState) -> None:
        area = QRectF(self.rect()).adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
        badge_px = (BADGE_PX + 8) * ((state.badge is not None) + bool(state.mark))
        corners, align = state.corners, Qt.AlignmentFlag
        beside_middle = int(area.width() / 2) - MIDDLE_PX
        bottom_left = wrapped(corners.bottom_left, painter.fontMetrics(), beside_middle)
        if self.width() < TEXTS_NEED_PX.width() or self.height() < TEXTS_NEED_PX.height():
            self._write(painter, area, align.AlignBottom | align.AlignLeft, bottom_left[:1])
            return
        top_left = area.adjusted(0, badge_px, 0, 0)
        top_right = area.adjusted(0, HANDLE_PX if self._handle_room else 0, 0, 0)
        self._write(painter, top_left, align.AlignTop | align.AlignLeft, corners.top_left)
        self._write(painter, top_right, align.AlignTop | align.AlignRight, corners.top_right)
        self._write_caution(painter, top_right, corners)
        below_left = (*bottom_left, state.probe_text) if state.probe_text else bottom_left
        self._write(painter, area, align.AlignBottom | align.AlignLeft, below_left)
        below_right = (*corners.bottom_right, state.window_text)
        self._write(painter, area, align.AlignBottom | align.AlignRight, below_right)
        if state.badge is not None:
            self._paint_badge(painter, state.badge)
        if (sign := sign_of(state.mark)) is not None:
            self._paint_mark(painter, sign, badge_px - BADGE_PX - 8)
        if state.px_per_mm is not None and self.width() >= RULER_NEEDS_PX:
            self._paint_ruler(painter, state.px_per_mm, state.scale_plane)
        if state.edges is not None:
            self._paint_edges(painter, area, state.edges)

    def _write_caution(self, painter: QPainter, area: QRectF, corners: Corners) -> None:
        """Write what to beware of below the text on the right, as far as the left one leaves room."""
        metrics = painter.fontMetrics()
        room = int(area.width() * CAUTION_SHARE)
        lines = [metrics.elidedText(line, Qt.TextElideMode.ElideRight, room) for line in corners.caution]
        below = area.adjusted(0, len(corners.top_right) * metrics.lineSpacing(), 0, 0)
        align = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight
        self._write_text(painter, below, align, "\n".join(lines), CAUTION)

    def _write(
        self, painter: QPainter, area: QRectF, align: Qt.AlignmentFlag, lines: tuple[str, ...]
    ) -> None:
        self._write_text(painter, area, align, "\n".join(lines))

    def _write_text(
        self,
        painter: QPainter,
        area: QRectF,
        align: Qt.AlignmentFlag,
        text: str,
        ink: QColor | None = None,
    ) -> None:
        painter.setPen(QColor(0, 0, 0, 220))
        painter.drawText(area.translated(1, 1), align, text)
        painter.setPen(ink or self._ink)
        painter.drawText(area, align, text)

    def _paint_badge(self, painter: QPainter, badge: ClassBadge) -> None:
        style = class_style(badge.position)
        mark = QRectF(MARGIN_PX, MARGIN_PX, BADGE_PX, BADGE_PX)
        paint_class_mark(painter, mark, style, hollow=badge.predicted)
        name = f"{badge.name} (predicted)" if badge.predicted else badge.name
        beside = QRectF(mark.right() + 8, MARGIN_PX, self.width() / 2, BADGE_PX)
        self._write_text(painter, beside, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)

    def _paint_mark(self, painter: QPainter, sign: MarkSign, down_px: int) -> None:
        chip = QRectF(MARGIN_PX, MARGIN_PX + down_px, BADGE_PX, BADGE_PX)
        painter.save()
        font = QFont(painter.font())
        font.setPointSizeF(font.pointSizeF() * 1.6)
        font.setBold(True)
        painter.setFont(font)
        paint_chip(painter, chip, sign.letter, sign.colour)
        painter.restore()
        beside = QRectF(chip.right() + 8, chip.top(), self.width() / 2, BADGE_PX)
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        self._write_text(painter, beside, middle, sign.words, sign.colour)

    def _paint_ruler(self, painter: QPainter, px_per_mm: float, plane: str) -> None:
        length_mm = ruler_length_mm(px_per_mm)
        length_px = length_mm * px_per_mm
        y = self.height() - MARGIN_PX - 4.0
        x = (self.width() - length_px) / 2
        for pen in (QPen(SHADOW, 3.5), QPen(self._ink, 1.5)):
            painter.setPen(pen)
            painter.drawLine(QPointF(x, y), QPointF(x + length_px, y))
            for end in (x, x + length_px):
                painter.drawLine(QPointF(end, y - 5), QPointF(end, y))
        area = QRectF(x - 60, y - 24, length_px + 120, 18)
        text = f"{length_mm / 10:g} cm" if length_mm >= 10 else f"{length_mm:g} mm"
        self._write_text(painter, area, Qt.AlignmentFlag.AlignCenter, f"{text} {plane}".rstrip())

    def _paint_edges(self, painter: QPainter, area: QRectF, edges: tuple[str, str, str, str]) -> None:
        align = Qt.AlignmentFlag
        sides = (
            align.AlignLeft | align.AlignVCenter,
            align.AlignTop | align.AlignHCenter,
            align.AlignRight | align.AlignVCenter,
            align.AlignBottom | align.AlignHCenter,
        )
        raised = area.adjusted(0, 0, 0, -RULER_PX)
        for side, letter in zip(sides, edges, strict=True):
            self._write_text(painter, raised, side, letter)


def wrapped(lines: tuple[str, ...], metrics: QFontMetrics, room_px: int) -> tuple[str, ...]:
    """Break lines that are too long between their parts."""
    found: list[str] = []
    for line in lines:
        kept = ""
        for part in line.split(PART):
            longer = f"{kept}{PART}{part}" if kept else part
            if kept and metrics.horizontalAdvance(longer) > room_px:
                found.append(kept)
                longer = part
            kept = longer
        found.append(kept)
    return tuple(found)


def ruler_length_mm(px_per_mm: float) -> float:
    """Return the longest round length that still fits the ruler."""
    fitting = [mm for mm in RULER_LENGTHS_MM if mm * px_per_mm <= RULER_LONGEST_PX]
    return float(fitting[-1] if fitting else RULER_LENGTHS_MM[0])
