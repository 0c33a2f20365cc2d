"""By which phrases a class's unseen images stand out before and after adaptation, and what chance reaches."""

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

if TYPE_CHECKING:
    from PySide6.QtGui import QColor, QPainter
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.explanation import ClassChange, ClassPhrase, ClassReading
    from clipsvd_app.ui.look.theme import Palette

_ROW_EM, _KEY_EM, _NAME_SHARE = 2.1, 1.7, 0.46
_BAR = 7.0
_HOLLOW = "text_muted"
_RIGHT = Qt.AlignmentFlag.AlignRight
_KEY = (
    ("text_faint", False, "before adaptation"),
    ("accent", False, "after"),
    ("text_faint", True, "what shuffled labels reach, before"),
    ("warning", True, "and after"),
)


class ClassPhrases(PlotWidget):
    """Two bars a phrase: how much nearer the class lies to it than the others; dashed: the nulls."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._change: ClassChange | None = None
        self.setAccessibleName("Phrases of one class")
        self.setMinimumWidth(300)

    def set_class(self, change: ClassChange | None, name: str = "") -> None:
        """Show a class; its phrases are those that passed their controls."""
        self._change = change
        self.setFixedHeight(self.sizeHint().height())
        sentences = () if change is None else tuple(_row_sentence(change, p) for p in change.phrases)
        self.say("; ".join([name, *sentences]) if sentences else "")

    def sizeHint(self) -> QSize:
        rows = len(self._change.phrases) if self._change is not None else 0
        return QSize(560, round(line_height(self.font()) * (rows * _ROW_EM + _KEY_EM)) if rows else 0)

    def data_rows(self) -> Rows:
        header = (
            *("phrase", "axis", "before", "after", "threshold_before", "threshold_after"),
            *("told_before", "told_after"),
        )
        change = self._change
        if change is None:
            return (header,)
        limits = repr(change.before.threshold), repr(change.after.threshold)
        return (
            header,
            *(
                (
                    *(p.text, p.axis, repr(p.before), repr(p.after), *limits),
                    *("yes" if p in told else "no" for told in (change.told_before(), change.told_after())),
                )
                for p in change.phrases
            ),
        )

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        change = self._change
        if change is None or not change.phrases:
            return ()
        em = line_height(self.font())
        height = em * _ROW_EM
        reached = [value for phrase in change.phrases for value in (phrase.before, phrase.after)]
        top = max(*reached, change.before.threshold, change.after.threshold)
        axis = QRectF(area.x() + area.width() * _NAME_SHARE, area.y(), 0, height * len(change.phrases))
        axis.setRight(area.right() - em * 3.6)
        for reading, colour in ((change.before, "text_faint"), (change.after, "warning")):
            _draw_limit(painter, reading, axis, top, palette, colour)
        spots = []
        for place, phrase in enumerate(change.phrases):
            row = QRectF(area.x(), area.y() + place * height, area.width(), height)
            told = phrase in change.told_after()
            name = QRectF(row.x(), row.y(), axis.x() - row.x() - em * 0.6, height)
            write(painter, name, phrase.text, palette.color("text" if told else "text_muted"))
            before = phrase.before / top, change.before.is_told
            after = phrase.after / top, change.after.is_told
            _draw_bar(painter, axis, row.center().y() - _BAR, before, palette.color("text_faint"))
            _draw_bar(painter, axis, row.center().y() + 1, after, palette.color("accent"))
            number = QRectF(row.right() - em * 3.2, row.y(), em * 3.2, height)
            write(painter, number, f"{phrase.after:+.2f}", palette.color("text_muted"), _RIGHT)
            spots.append(Spot(row, _row_sentence(change, phrase), place))
        self._draw_key(painter, QRectF(area.x(), axis.bottom(), area.width(), em * _KEY_EM), palette)
        return tuple(spots)

    def _is_unsure(self) -> bool:
        change = self._change
        return change is not None and not (change.before.is_told and change.after.is_told)

    def _draw_key(self, painter: QPainter, area: QRectF, palette: Palette) -> None:
        painter.setFont(sized(self.font(), 0.85))
        metrics, middle = painter.fontMetrics(), area.center().y()
        x = area.x()
        hollow = ((_HOLLOW, False, "hollow: not reliable"),) if self._is_unsure() else ()
        for colour, dashed, text in (*_KEY, *hollow):
            ink = palette.color(colour)
            if dashed:
                painter.setPen(hairline(ink, dashed=True, width=1.5))
                painter.drawLine(QPointF(x + 8, middle - 6), QPointF(x + 8, middle + 6))
            else:
                painter.setPen(hairline(ink) if colour == _HOLLOW else Qt.PenStyle.NoPen)
                painter.setBrush(Qt.BrushStyle.NoBrush if colour == _HOLLOW else ink)
                painter.drawRoundedRect(QRectF(x, middle - 3, 14, 6), 3, 3)
            width = metrics.horizontalAdvance(text) + 4
            label = QRectF(x + 19, area.y(), width, area.height())
            write(painter, label, text, palette.color("text_muted"))
            x += 19 + width + 14


def _draw_bar(painter: QPainter, axis: QRectF, y: float, bar: tuple[float, bool], ink: QColor) -> None:
    """Draw a share of the axis; hollow where the state's list failed its control."""
    share, is_told = bar
    painter.setPen(Qt.PenStyle.NoPen if is_told else hairline(ink))
    painter.setBrush(ink if is_told else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(axis.x(), y, max(2.0, axis.width() * max(0.0, share)), _BAR - 1), 3, 3)


def _draw_limit(
    painter: QPainter, reading: ClassReading, axis: QRectF, top: float, palette: Palette, colour: str
) -> None:
    x = axis.x() + axis.width() * reading.threshold / top
    painter.setPen(hairline(palette.color(colour), dashed=True, width=1.5))
    painter.drawLine(QPointF(x, axis.top() + 2), QPointF(x, axis.bottom() - 2))


def _row_sentence(change: ClassChange, phrase: ClassPhrase) -> str:
    before, after = change.figures(phrase)
    return f"{phrase.text}: {before} before adaptation, {after} after (in brackets: not reliable)"
