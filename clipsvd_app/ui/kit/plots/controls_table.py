"""Which controls held: a mark, a name, the figure, and what it was held to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt

from clipsvd_app.domain.words.controls import CONTROL_TITLES
from clipsvd_app.ui.kit.plots.plot_widget import PlotWidget, Spot, line_height, sized, write

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.explanation import Control
    from clipsvd_app.figures.figure import Rows
    from clipsvd_app.ui.look.theme import Palette

_ROW_EM = 2.0
_RIGHT = Qt.AlignmentFlag.AlignRight


class ControlsTable(PlotWidget):
    """A row a control. The mark and a word carry the verdict, not the colour alone."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controls: tuple[Control, ...] = ()
        self.setAccessibleName("Controls")
        self.setMinimumWidth(300)

    def set_controls(self, controls: tuple[Control, ...]) -> None:
        """Show these controls."""
        self._controls = controls
        self.setMinimumHeight(self.sizeHint().height())
        self.say("; ".join(_sentence(control) for control in controls))

    def sizeHint(self) -> QSize:
        em = line_height(self.font())
        return QSize(480, round(em * (1.6 + _ROW_EM * max(1, len(self._controls)))))

    def data_rows(self) -> Rows:
        return (
            ("control", "passed", "figure", "limit"),
            *(
                (CONTROL_TITLES[c.code], "yes" if c.passed else "no", repr(c.value), repr(c.limit))
                for c in self._controls
            ),
        )

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        if not self._controls:
            return ()
        em = line_height(self.font())
        self._draw_header(painter, area, palette)
        spots = []
        for place, control in enumerate(self._controls):
            row = QRectF(area.x(), area.y() + em * (1.5 + _ROW_EM * place), area.width(), em * _ROW_EM)
            colour = palette.color("success" if control.passed else "warning")
            painter.setFont(sized(self.font(), bold=True))
            write(
                painter,
                QRectF(row.x(), row.y(), em * 1.4, row.height()),
                "✓" if control.passed else "✗",
                colour,
            )
            painter.setFont(self.font())
            name = QRectF(row.x() + em * 1.6, row.y(), row.width() - em * 14.2, row.height())
            write(painter, name, CONTROL_TITLES[control.code], palette.color("text"))
            held = QRectF(row.right() - em * 12.2, row.y(), em * 4.4, row.height())
            write(painter, held, "passed" if control.passed else "failed", colour)
            for right, value, role in ((em * 4.0, control.value, "text"), (0.0, control.limit, "text_muted")):
                cell = QRectF(row.right() - right - em * 4.0, row.y(), em * 4.0, row.height())
                write(painter, cell, f"{value:.3g}", palette.color(role), _RIGHT)
            spots.append(Spot(row, _sentence(control), place))
        return tuple(spots)

    def _draw_header(self, painter: QPainter, area: QRectF, palette: Palette) -> None:
        em = line_height(self.font())
        painter.setFont(sized(self.font(), 0.85))
        muted = palette.color("text_muted")
        for right, title in ((em * 4.0, "figure"), (0.0, "limit")):
            cell = QRectF(area.right() - right - em * 4.0, area.y(), em * 4.0, em * 1.2)
            write(painter, cell, title, muted, _RIGHT)
        painter.setFont(self.font())


def _sentence(control: Control) -> str:
    held = "passed" if control.passed else "failed"
    return f"{CONTROL_TITLES[control.code]}: {held} ({control.value:.4g}, limit {control.limit:.4g})"
