"""A margin as a walk: where it starts, what each part adds, where it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt

from clipsvd_app.ui.kit.plots.plot_widget import (
    PlotWidget,
    Rows,
    Spot,
    hairline,
    line_height,
    sized,
    write,
)
from clipsvd_app.ui.kit.plots.ticks import round_ticks, tick_text

if TYPE_CHECKING:
    from PySide6.QtGui import QColor, QPainter
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.contributions import Step
    from clipsvd_app.ui.look.theme import Palette

_ROW_EM, _HEAD_EM, _FOOT_EM = 1.75, 0.4, 3.0
_NAME_SHARE = 0.42
_SHOWN_FROM = 0.005
"""A residual that would read 0.00 has no bar; the table has it in full."""
_RIGHT = Qt.AlignmentFlag.AlignRight
_CENTRE = Qt.AlignmentFlag.AlignHCenter


class Waterfall(PlotWidget):
    """A bar a step; what speaks for the answer goes right, what speaks for the runner-up left."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._steps: tuple[Step, ...] = ()
        self._names = ("", "")
        self.setAccessibleName("Contributions to the margin")
        self.setMinimumWidth(360)

    def set_steps(self, steps: tuple[Step, ...], answer: str, rival: str) -> None:
        """Show steps towards the margin of ``answer`` over ``rival``."""
        self._steps, self._names = steps, (answer, rival)
        self.setMinimumHeight(self.sizeHint().height())
        self.say("; ".join(f"{step.name} {step.value:+.3f}" for step in self._shown()))

    def sizeHint(self) -> QSize:
        em = line_height(self.font())
        return QSize(620, round(em * (_ROW_EM * max(1, len(self._shown())) + _HEAD_EM + _FOOT_EM)))

    def data_rows(self) -> Rows:
        return (
            ("step", "kind", "side", "terms", "value", "from", "to"),
            *(
                (
                    step.name,
                    step.kind,
                    step.tower or "",
                    str(step.parts),
                    repr(step.value),
                    repr(step.start),
                    repr(step.end),
                )
                for step in self._steps
            ),
        )

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        shown = self._shown()
        if not shown:
            return ()
        em = line_height(self.font())
        low = min(0.0, *(min(step.start, step.end) for step in shown))
        high = max(0.0, *(max(step.start, step.end) for step in shown))
        left = area.x() + min(area.width() * _NAME_SHARE, em * 17)
        frame = QRectF(
            left, area.y() + em * _HEAD_EM, area.right() - left - em * 4.4, em * _ROW_EM * len(shown)
        )
        span = (high - low) or 1.0

        def across(value: float) -> float:
            return frame.x() + frame.width() * (value - low) / span

        self._draw_axis(painter, frame, (low, low + span), across(0.0), palette)
        spots = []
        for place, step in enumerate(shown):
            row = QRectF(area.x(), frame.y() + place * em * _ROW_EM, area.width(), em * _ROW_EM)
            bar = QRectF(
                QPointF(across(min(step.start, step.end)), row.y() + em * 0.3),
                QPointF(across(max(step.start, step.end)), row.bottom() - em * 0.3),
            )
            bar.setWidth(max(2.0, bar.width()))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_colour(step, palette))
            painter.drawRoundedRect(bar, 2, 2)
            if place + 1 < len(shown) and shown[place + 1].kind != "total":
                painter.setPen(hairline(palette.color("border_strong")))
                x = across(step.end)
                painter.drawLine(QPointF(x, bar.bottom()), QPointF(x, bar.bottom() + em * 0.6))
            self._write_row(painter, row, frame, step, palette)
            spots.append(Spot(row, _sentence(step), place))
        self._draw_foot(painter, frame, across(0.0), palette)
        return tuple(spots)

    def _shown(self) -> tuple[Step, ...]:
        return tuple(
            step for step in self._steps if step.kind != "residual" or abs(step.value) >= _SHOWN_FROM
        )

    def _write_row(self, painter: QPainter, row: QRectF, frame: QRectF, step: Step, palette: Palette) -> None:
        em = line_height(self.font())
        whole = step.kind in ("base", "total")
        painter.setFont(sized(self.font(), bold=whole))
        name = QRectF(row.x(), row.y(), frame.x() - row.x() - em * 0.8, row.height())
        write(painter, name, step.name, palette.color("text" if step.kind != "sum" else "text_muted"))
        number = QRectF(row.right() - em * 4.0, row.y(), em * 4.0, row.height())
        write(
            painter,
            number,
            f"{step.value:+.2f}".replace("-", "\N{MINUS SIGN}"),
            palette.color("text"),
            _RIGHT,
        )
        painter.setFont(self.font())

    def _draw_axis(
        self, painter: QPainter, frame: QRectF, span: tuple[float, float], zero: float, palette: Palette
    ) -> None:
        em = line_height(self.font())
        painter.setFont(sized(self.font(), 0.85))
        for tick in round_ticks(*span, about=4):
            x = frame.x() + frame.width() * (tick - span[0]) / (span[1] - span[0])
            painter.setPen(hairline(palette.color("border")))
            painter.drawLine(QPointF(x, frame.y()), QPointF(x, frame.bottom()))
            label = QRectF(x - em * 2, frame.bottom() + em * 0.15, em * 4, em)
            write(painter, label, tick_text(tick), palette.color("text_muted"), _CENTRE)
        painter.setPen(hairline(palette.color("text_faint"), width=1.4))
        painter.drawLine(QPointF(zero, frame.y()), QPointF(zero, frame.bottom()))
        painter.setFont(self.font())

    def _draw_foot(self, painter: QPainter, frame: QRectF, zero: float, palette: Palette) -> None:
        """Name the two directions under the axis."""
        em = line_height(self.font())
        painter.setFont(sized(self.font(), 0.85))
        answer, rival = self._names
        y = frame.bottom() + em * 1.35
        muted = palette.color("text_muted")
        right = QRectF(frame.center().x(), y, frame.right() + em * 4.4 - frame.center().x(), em * 1.2)
        write(painter, right, f"for “{answer}” →", muted, _RIGHT)
        left = QRectF(frame.x() - em * 8, y, frame.center().x() - frame.x() + em * 7.5, em * 1.2)
        write(painter, left, f"← for “{rival}”", muted)
        painter.setFont(self.font())


def _colour(step: Step, palette: Palette) -> QColor:
    if step.kind == "total":
        return palette.color("accent")
    if step.kind in ("base", "residual"):
        return palette.color("text_faint")
    colour = palette.color("success" if step.value >= 0 else "error")
    if step.kind == "sum":
        colour.setAlphaF(0.55)
    return colour


def _sentence(step: Step) -> str:
    if step.kind in ("base", "total"):
        return f"{step.name}: margin {step.end:+.3f}"
    terms = f" ({step.parts} terms)" if step.parts > 1 else ""
    return f"{step.name}{terms}: {step.value:+.4f}, from {step.start:+.3f} to {step.end:+.3f}"
